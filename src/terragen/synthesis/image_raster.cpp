#include "terragen/synthesis/image_raster.h"

#include <algorithm>
#include <cmath>

namespace terragen::synthesis {

geo::Raster raster_from_image(const torch::Tensor& image, const std::vector<models::BandRange>& bands,
                              geo::DataType type, const geo::Georeference& georeference) {
  geo::Raster raster = geo::make_raster(static_cast<int>(image.size(2)), static_cast<int>(image.size(1)),
                                        static_cast<int>(image.size(0)), type);
  raster.georeference = georeference;
  const torch::Tensor values = image.contiguous();
  const auto pixel = values.accessor<float, 3>();
  for (int b = 0; b < raster.bands; ++b) {
    const models::BandRange& band = bands.at(static_cast<std::size_t>(b));
    for (int y = 0; y < raster.height; ++y) {
      for (int x = 0; x < raster.width; ++x) {
        raster.set(b, x, y, band_value(band, pixel[b][y][x]));
      }
    }
  }
  return raster;
}

double beside_nodata(double nodata, const models::BandRange& band, geo::DataType type) {
  const double step = type == geo::DataType::float32 ? 1e-6 * std::max(std::abs(nodata), band.high - band.low) : 1;
  return nodata < (band.low + band.high) / 2 ? nodata + step : nodata - step;
}

std::string image_extension(const geo::Raster& raster) {
  const bool located = !raster.georeference.crs.empty() && raster.georeference.crs_from_pixel;
  const bool png = !located && raster.valid.empty() && raster.type == geo::DataType::uint8 &&
                   (raster.bands == 1 || raster.bands == 3 || raster.bands == 4);
  return png ? ".png" : ".tif";
}

}  // namespace terragen::synthesis
