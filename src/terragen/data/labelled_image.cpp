#include "terragen/data/labelled_image.h"

#include "terragen/formats/masks.h"
#include "terragen/geo/raster_io.h"

namespace terragen::data {

void write_labelled_image(const std::filesystem::path& folder, const geo::Raster& raster,
                          const std::optional<layout::DenseMask>& mask, ImageRecord& image) {
  image.width = raster.width;
  image.height = raster.height;
  image.mask_name.reset();
  geo::write_raster(folder / "images" / image.file_name, raster);
  if (!mask) return;
  image.mask_name = std::filesystem::path(image.file_name).replace_extension(".png").string();
  geo::write_raster(folder / "masks" / *image.mask_name, formats::raster_from_mask(*mask));
}

}  // namespace terragen::data
