#include "terragen/app/prompt_images.h"

#include <cstring>
#include <format>

#include "terragen/core/error.h"
#include "terragen/geo/raster_io.h"

namespace terragen::app {
namespace {

// [bands, H, W], uint8.
torch::Tensor planes_of(const geo::Raster& raster) {
  torch::Tensor planes = torch::empty({raster.bands, raster.height, raster.width}, torch::kUInt8);
  std::memcpy(planes.mutable_data_ptr(), raster.samples.data(), raster.samples.size());
  return planes;
}

geo::Raster read_bytes(const std::string& path, int bands) {
  geo::Raster raster = geo::read_raster(path);
  if (raster.type != geo::DataType::uint8 || raster.bands != bands) {
    throw DataError(path,
                    std::format("holds {} of type {}, not {} of 8 bits",
                                raster.bands == 1 ? "one band" : std::format("{} bands", raster.bands),
                                geo::data_type_name(raster.type), bands == 1 ? "one band" : "three bands"),
                    "write another file of it, for instance with gdal_translate -ot Byte -b 1");
  }
  return raster;
}

}  // namespace

torch::Tensor read_control_picture(const std::string& path, int width, int height) {
  const geo::Raster raster = geo::read_raster(path);
  if (raster.type != geo::DataType::uint8 || raster.bands < 3) {
    throw DataError(path, "is no image of 8 bits and three bands");
  }
  if (raster.width != width || raster.height != height) {
    throw DataError(path,
                    std::format("is of {}x{} pixels, {}x{} are painted", raster.width, raster.height, width, height),
                    "both must be of one size: see --width and --height");
  }
  return planes_of(raster).slice(0, 0, 3).to(torch::kFloat32) / 255.0;
}

StartFiles read_start(const std::string& image, const std::string& mask) {
  StartFiles files{.image = read_bytes(image, 3), .start = {}};
  files.start.image = planes_of(files.image).permute({1, 2, 0}).contiguous();
  if (mask.empty()) return files;
  const geo::Raster hole = read_bytes(mask, 1);
  if (hole.width != files.image.width || hole.height != files.image.height) {
    throw DataError(mask, std::format("is of {}x{} pixels, {} of {}x{}", hole.width, hole.height, image,
                                      files.image.width, files.image.height));
  }
  files.start.mask = planes_of(hole)[0];
  return files;
}

pretrained::PictureWriter picture_writer(const StartFiles& source) {
  if (source.image.georeference.crs.empty() && !source.image.georeference.crs_from_pixel) {
    return pretrained::write_png_picture;
  }
  std::vector<std::uint8_t> valid;
  if (source.start.mask.defined() && !source.image.valid.empty()) {
    const torch::Tensor hole = source.start.mask.ge(128).contiguous();
    valid = source.image.valid;
    for (std::size_t i = 0; i < valid.size(); ++i) {
      if (hole.const_data_ptr<bool>()[i]) valid[i] = 1;
    }
  }
  return [valid, place = source.image.georeference](const std::filesystem::path& stem, const torch::Tensor& pixels) {
    geo::Raster painted =
        geo::make_raster(static_cast<int>(pixels.size(1)), static_cast<int>(pixels.size(0)), 3, geo::DataType::uint8);
    const torch::Tensor planes = pixels.permute({2, 0, 1}).contiguous();
    std::memcpy(painted.samples.data(), planes.const_data_ptr(), painted.samples.size());
    painted.georeference = place;
    painted.valid = valid;
    geo::write_raster(stem.string() + ".tif", painted);
    return std::string(".tif");
  };
}

}  // namespace terragen::app
