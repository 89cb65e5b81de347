// Layouts to paint, read from GeoJSON, COCO or a dataset, in the classes of a model.
#pragma once

#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "terragen/data/dataset.h"
#include "terragen/layout/layout.h"

namespace terragen::synthesis {

// A layout and where on Earth it lies.
struct PlacedLayout {
  layout::Layout layout;                                // classes numbered as in the model's taxonomy
  std::string name;                                     // for file names: letters, digits, '.', '_', '-'
  std::string source;                                   // file and image in it
  std::string crs;                                      // empty: none
  std::optional<std::array<double, 6>> crs_from_pixel;  // GDAL geotransform
  std::filesystem::path real_image;                     // the real image with this layout, where known
  data::Split split = data::Split::train;               // of the real image: what is painted from it stays there
  std::optional<std::array<int, 2>> cut_from;           // width and height of the layout before it was cut
  std::size_t objects_outside = 0;                      // of the layout, in what was cut away
};

struct LayoutSourceOptions {
  std::string task;           // for files that do not say; empty: the model's task where it has only one
  std::optional<double> gsd;  // metres a pixel, for files that do not say
  // Pixels, a multiple of size_step, for files that do not say; of larger layouts the top left is painted. 0: layouts
  // are painted whole.
  int size = 256;
  std::string class_property = "class";
  std::string split;   // of a dataset; empty: all
  int limit = 0;       // most layouts a file; 0: all
  int size_step = 32;  // sizes are cut down to a multiple of this many pixels

  void validate() const;
};

// GeoJSON: a FeatureCollection; its member "terragen" may hold task, width, height, gsd, crs, crs_from_pixel, and
// "coordinates": "pixel" when the coordinates are pixels. Without it coordinates are longitude and latitude (or the
// file's `crs`), and the window of `size` pixels at `gsd` lies around the features' centre, in the UTM zone there.
// Line features may carry "width" and points "radius", in metres (pixels for pixel coordinates).
// COCO: one layout an image; features beyond boxes and polygons come from the extra key "terragen". A dataset's
// folder: its images' layouts with georeference and dense masks.
// RequestError for a class or task the model does not have or a layout none of whose objects would be painted,
// DataError for a file that is damaged.
std::vector<PlacedLayout> read_layouts(const std::filesystem::path& path, const layout::Taxonomy& taxonomy,
                                       const std::vector<std::string>& tasks, const LayoutSourceOptions& options);

}  // namespace terragen::synthesis
