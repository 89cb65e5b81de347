#include "terragen/data/example_windows.h"

#include <algorithm>
#include <cmath>
#include <format>

#include "terragen/core/atomic_file.h"
#include "terragen/core/error.h"
#include "terragen/data/labelled_image.h"
#include "terragen/geo/raster_io.h"
#include "terragen/layout/rasterise.h"

namespace terragen::data {
namespace {

namespace fs = std::filesystem;

// The layout with nothing of the class but the thing.
layout::Layout only_marked(layout::Layout layout, int class_index, const layout::Geometry& thing) {
  std::erase_if(layout.features, [&](const layout::Feature& feature) {
    return feature.class_index == class_index && feature.geometry != thing;
  });
  if (layout.mask) {
    const std::vector<std::uint8_t> marked = layout::rasterise(thing, layout.width, layout.height);
    for (std::size_t i = 0; i < marked.size(); ++i) {
      if (layout.mask->values[i] == class_index && marked[i] == 0) layout.mask->values[i] = layout::kUnlabelled;
    }
  }
  return layout;
}

// About the thing, as far as the image goes.
geo::PixelWindow window_about(const layout::Geometry& thing, int size, int width, int height) {
  const layout::Bounds bounds = layout::bounds_of(thing);
  geo::PixelWindow window{.width = std::min(size, width), .height = std::min(size, height)};
  const auto start = [](double middle, int side, int most) {
    return std::clamp(static_cast<int>(std::lround(middle - side / 2.0)), 0, most - side);
  };
  window.x = start((bounds.x0 + bounds.x1) / 2, window.width, width);
  window.y = start((bounds.y0 + bounds.y1) / 2, window.height, height);
  return window;
}

}  // namespace

void write_example_windows(const Dataset& dataset, const std::string& class_name,
                           const std::vector<MarkedThing>& marked, int size, const fs::path& output) {
  const int shown = dataset.taxonomy.find(class_name);
  if (shown < 0) throw RequestError(std::format("{} has no class \"{}\"", dataset.name, class_name));
  if (!dataset.dense) {
    throw RequestError(
        std::format("{} has no dense masks: what is not marked there would count as background", dataset.name));
  }
  if (size < 1) throw RequestError(std::format("windows of {} pixels are too small", size));
  AtomicFolder folder(output);
  for (const char* part : {"images", "masks"}) fs::create_directories(folder.path() / part);
  Dataset result = dataset;
  result.images.clear();
  for (std::size_t i = 0; i < marked.size(); ++i) {
    ImageRecord image = dataset.images.at(marked[i].image);
    const geo::PixelWindow window = window_about(marked[i].thing, size, image.width, image.height);
    geo::Raster raster = geo::read_raster(dataset.folder / "images" / image.file_name, {}, window);
    raster.georeference = geo::window_of({image.crs, image.crs_from_pixel}, window.x, window.y);
    const layout::Layout part = layout::crop(only_marked(layout_of(dataset, image), shown, marked[i].thing), window.x,
                                             window.y, window.width, window.height, 0.1);
    const fs::path from = image.file_name;
    image.source = std::format("{} [{}, {}, {}, {}]", image.file_name, window.x, window.y, window.width, window.height);
    image.file_name = std::format("{:02}_{}", i, from.filename().string());
    image.crs_from_pixel = raster.georeference.crs_from_pixel;
    image.features = part.features;
    write_labelled_image(folder.path(), raster, part.mask, image);
    result.images.push_back(std::move(image));
  }
  write_dataset(result, folder.path());
  folder.commit();
}

}  // namespace terragen::data
