#include "terragen/synthesis/augmented_dataset.h"

#include <algorithm>
#include <format>

#include "terragen/core/error.h"
#include "terragen/data/labelled_image.h"
#include "terragen/geo/raster_io.h"
#include "terragen/synthesis/image_raster.h"

namespace terragen::synthesis {

namespace fs = std::filesystem;

ImageStems::ImageStems(const data::Dataset& dataset) {
  for (const data::ImageRecord& image : dataset.images) taken_.insert(fs::path(image.file_name).stem().string());
}

std::string ImageStems::free(const std::string& stem) const {
  std::string name = stem;
  for (int k = 2; taken_.contains(name); ++k) name = std::format("{}_{}", stem, k);
  return name;
}

AugmentedDataset::AugmentedDataset(const data::Dataset& real, bool keep_real, const fs::path& output)
    : folder_(output), dataset_(real) {
  for (const char* part : {"images", "masks"}) fs::create_directory(folder_.path() / part);
  for (const data::BandInfo& band : real.bands) bands_.push_back({band.name, band.low, band.high});
  dataset_.name = output.filename().string();
  if (!keep_real) {
    dataset_.images.clear();
    dataset_.problems.clear();
    return;
  }
  for (const data::ImageRecord& image : real.images) names_.insert(image.file_name);
  for (const data::ImageRecord& image : real.images) {
    copy(real.folder, fs::path("images") / image.file_name);
    if (image.mask_name) copy(real.folder, fs::path("masks") / *image.mask_name);
  }
}

void AugmentedDataset::copy(const fs::path& from, const fs::path& name) const {
  std::error_code error;
  fs::create_directories((folder_.path() / name).parent_path(), error);
  fs::copy_file(from / name, folder_.path() / name, error);
  if (error) throw DataError((from / name).string(), std::format("cannot be copied ({})", error.message()));
}

void AugmentedDataset::list(data::ImageRecord record) {
  if (!names_.insert(record.file_name).second) {
    throw InternalError("[AugmentedDataset] there is an image " + record.file_name);
  }
  dataset_.images.push_back(std::move(record));
}

void AugmentedDataset::add(const std::string& stem, const shards::Sample& sample) {
  geo::Raster raster =
      raster_from_image(sample.image, bands_, geo::data_type_from_name(dataset_.data_type, dataset_.name), {});
  const auto valid = sample.valid.accessor<float, 2>();
  const auto is_valid = [&](int x, int y) { return valid[y][x] != 0.0F; };
  const bool whole = sample.valid.min().item<float>() != 0.0F;
  if (!whole) {
    raster.nodata = dataset_.nodata;
    raster.valid.assign(raster.pixels(), 1);
    std::size_t i = 0;
    for (int y = 0; y < raster.height; ++y) {
      for (int x = 0; x < raster.width; ++x, ++i) {
        if (!is_valid(x, y)) raster.valid[i] = 0;
        for (int b = 0; b < raster.bands && dataset_.nodata; ++b) {
          if (!is_valid(x, y)) {
            raster.set(b, x, y, *dataset_.nodata);
          } else if (raster.at(b, x, y) == *dataset_.nodata) {
            raster.set(b, x, y, beside_nodata(*dataset_.nodata, bands_[static_cast<std::size_t>(b)], raster.type));
          }
        }
      }
    }
  }
  data::ImageRecord record;
  record.file_name = stem + image_extension(raster);
  record.split = data::Split::train;
  record.place = sample.layout.place;
  record.gsd = sample.layout.gsd;
  record.caption = sample.layout.caption;
  record.source = sample.source;
  record.synthetic = true;
  record.features = sample.layout.features;
  std::optional<layout::DenseMask> mask = sample.layout.mask;
  if (mask && !whole) {
    for (int y = 0; y < mask->height; ++y) {
      for (int x = 0; x < mask->width; ++x) {
        if (!is_valid(x, y)) {
          mask->values[static_cast<std::size_t>(y) * static_cast<std::size_t>(mask->width) +
                       static_cast<std::size_t>(x)] = layout::kUnlabelled;
        }
      }
    }
  }
  data::write_labelled_image(folder_.path(), raster, mask, record);
  list(std::move(record));
}

void AugmentedDataset::add_over(const std::string& stem, const data::ImageRecord& real, const shards::Sample& sample,
                                const torch::Tensor& changed) {
  geo::Raster raster = geo::read_raster(dataset_.folder / "images" / real.file_name);
  if (raster.width != sample.image.size(2) || raster.height != sample.image.size(1)) {
    throw InternalError("[AugmentedDataset] the sample is not the whole image " + real.file_name);
  }
  const torch::Tensor values = sample.image.contiguous();
  const auto pixel = values.accessor<float, 3>();
  const torch::Tensor differs = changed.contiguous();
  const auto is_changed = differs.accessor<float, 2>();
  for (int b = 0; b < raster.bands; ++b) {
    const models::BandRange& band = bands_.at(static_cast<std::size_t>(b));
    for (int y = 0; y < raster.height; ++y) {
      for (int x = 0; x < raster.width; ++x) {
        if (is_changed[y][x] == 0.0F) continue;
        raster.set(b, x, y, band_value(band, pixel[b][y][x]));
        if (raster.nodata && raster.at(b, x, y) == *raster.nodata) {
          raster.set(b, x, y, beside_nodata(*raster.nodata, band, raster.type));
        }
      }
    }
  }
  data::ImageRecord record = real;
  record.file_name = stem + image_extension(raster);
  record.source = sample.source;
  record.synthetic = true;
  record.features = sample.layout.features;
  data::write_labelled_image(folder_.path(), raster, sample.layout.mask, record);
  list(std::move(record));
}

void AugmentedDataset::adopt(const data::Dataset& other) {
  if (!(other.taxonomy == dataset_.taxonomy))
    throw InternalError("[AugmentedDataset] " + other.name + " has other classes");
  for (const data::ImageRecord& image : other.images) {
    copy(other.folder, fs::path("images") / image.file_name);
    if (image.mask_name) copy(other.folder, fs::path("masks") / *image.mask_name);
    list(image);
  }
}

void AugmentedDataset::remove(const std::set<std::string>& stems) {
  const auto gone = std::erase_if(dataset_.images, [&](const data::ImageRecord& image) {
    if (!image.synthetic || !stems.contains(fs::path(image.file_name).stem().string())) return false;
    fs::remove(folder_.path() / "images" / image.file_name);
    if (image.mask_name) fs::remove(folder_.path() / "masks" / *image.mask_name);
    names_.erase(image.file_name);
    return true;
  });
  if (gone != stems.size()) throw InternalError("[AugmentedDataset] an image to be taken back is not there");
}

void AugmentedDataset::finish(const nlohmann::json& provenance) {
  nlohmann::json all = {{"augmented", provenance}};
  if (!dataset_.provenance.is_null()) all["real"] = dataset_.provenance;
  dataset_.provenance = std::move(all);
  data::write_dataset(dataset_, folder_.path());
  folder_.commit();
}

}  // namespace terragen::synthesis
