#include "terragen/prediction/image_strips.h"

#include <algorithm>
#include <format>

#include "terragen/core/comma_list.h"
#include "terragen/core/error.h"

namespace terragen::prediction {
namespace {

void refuse_other_pixels(const geo::RasterInfo& info, const models::ImageInfo& images, const std::vector<int>& bands,
                         const std::string& place) {
  if (geo::data_type_name(info.type) != images.data_type) {
    throw RequestError(
        std::format("{} has {} pixels, the model looks at {}", place, geo::data_type_name(info.type), images.data_type),
        std::format("bring the image to the model's number type and range first, for example by "
                    "`gdal_translate -ot TYPE -scale` for {}",
                    images.data_type));
  }
  for (const int band : bands) {
    if (band < 0 || band >= info.bands) {
      throw RequestError(std::format("{} has {} bands, band {} (from 0) is not among them", place, info.bands, band));
    }
  }
  const auto offered = bands.empty() ? static_cast<std::size_t>(info.bands) : bands.size();
  if (offered == images.bands.size()) return;
  throw RequestError(bands.empty()
                         ? std::format("{} has {} bands, the model looks at {}", place, offered, images.bands.size())
                         : std::format("{} bands are named, the model looks at {}", offered, images.bands.size()),
                     std::format("the model's bands are {}: name the file's own with --bands",
                                 comma_list(images.bands, &models::BandRange::name)));
}

}  // namespace

ImageStrips::ImageStrips(std::filesystem::path path, const models::ImageInfo& images, std::vector<int> bands)
    : path_(std::move(path)), ranges_(images.bands), bands_(std::move(bands)), info_(geo::read_raster_info(path_)) {
  refuse_other_pixels(info_, images, bands_, path_.string());
  for (const models::BandRange& range : ranges_) {
    if (!(range.high > range.low)) {
      throw RequestError(std::format("the range of the model's band {} is empty", range.name));
    }
  }
}

void ImageStrips::load(int y, int rows) {
  if (y >= top_ && y + rows <= top_ + strip_.height) return;
  strip_ = geo::read_raster(path_, bands_, geo::PixelWindow{0, y, info_.width, rows});
  top_ = y;
}

bool ImageStrips::measured(int x, int y) const {
  if (strip_.valid.empty()) return true;
  const auto row = static_cast<std::size_t>(y - top_);
  return strip_.valid[row * static_cast<std::size_t>(strip_.width) + static_cast<std::size_t>(x)] != 0;
}

torch::Tensor ImageStrips::pixels(const geo::PixelWindow& window) {
  load(window.y, window.height);
  torch::Tensor image = torch::empty({std::ssize(ranges_), window.height, window.width});
  auto pixel = image.accessor<float, 3>();
  for (int b = 0; b < static_cast<int>(ranges_.size()); ++b) {
    const double low = ranges_[static_cast<std::size_t>(b)].low;
    const double scale = 2.0 / (ranges_[static_cast<std::size_t>(b)].high - low);
    for (int y = 0; y < window.height; ++y) {
      for (int x = 0; x < window.width; ++x) {
        const double value = (strip_.at(b, window.x + x, window.y - top_ + y) - low) * scale - 1.0;
        // As in training, what was not measured is the middle of the range.
        const bool known = measured(window.x + x, window.y + y);
        pixel[b][y][x] = known ? static_cast<float>(std::clamp(value, -1.0, 1.0)) : 0.0F;
      }
    }
  }
  return image;
}

torch::Tensor ImageStrips::valid(int y, int rows) {
  load(y, rows);
  torch::Tensor result = torch::ones({rows, info_.width}, torch::kBool);
  if (strip_.valid.empty()) return result;
  auto known = result.accessor<bool, 2>();
  for (int row = 0; row < rows; ++row) {
    for (int x = 0; x < info_.width; ++x) known[row][x] = measured(x, y + row);
  }
  return result;
}

bool ImageStrips::is_valid(int x, int y) {
  load(y, 1);
  return measured(x, y);
}

bool ImageStrips::any_valid(const geo::PixelWindow& window) {
  load(window.y, window.height);
  if (strip_.valid.empty()) return true;
  for (int y = window.y; y < window.y + window.height; ++y) {
    for (int x = window.x; x < window.x + window.width; ++x) {
      if (measured(x, y)) return true;
    }
  }
  return false;
}

}  // namespace terragen::prediction
