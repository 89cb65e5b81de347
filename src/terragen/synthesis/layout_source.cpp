#include "terragen/synthesis/layout_source.h"

#include <algorithm>
#include <cmath>
#include <format>
#include <memory>

#include "terragen/core/blame_file.h"
#include "terragen/core/comma_list.h"
#include "terragen/core/error.h"
#include "terragen/data/dataset.h"
#include "terragen/formats/coco.h"
#include "terragen/formats/geojson.h"
#include "terragen/geo/georeference.h"

namespace terragen::synthesis {
namespace {

namespace fs = std::filesystem;

std::string task_of(const std::string& wanted, const std::string& said, const std::vector<std::string>& tasks,
                    const std::string& place) {
  std::string task = said.empty() ? wanted : said;
  if (task.empty() && tasks.size() == 1) task = tasks.front();
  if (task.empty()) throw RequestError(std::format("{} does not say its task", place), "name one with --task");
  if (std::ranges::find(tasks, task) == tasks.end()) {
    throw RequestError(std::format("{}: the model does not know the task \"{}\"", place, task),
                       "it knows " + comma_list(tasks));
  }
  return task;
}

int class_of(const layout::Taxonomy& taxonomy, const std::string& name, const std::string& place) {
  const int index = taxonomy.find(name);
  if (index < 0) {
    throw RequestError(std::format("{}: the model does not know the class \"{}\"", place, name),
                       "`terragen info MODEL` lists its classes");
  }
  return index;
}

int fitted(int size, int step) { return size / step * step; }

// Moves vertices from the file's coordinates into the layout's pixels.
void move(layout::Geometry& geometry, const geo::CrsTransform* transform, const geo::GeoTransform& g,
          const std::string& place) {
  const auto each = [&](layout::Vertices& vertices) {
    for (layout::Point& p : vertices) {
      geo::Position at{p.x, p.y};
      if (transform != nullptr) {
        const auto moved = transform->apply(at);
        if (!moved) throw DataError(place, "a position has no image in the layout's coordinate reference system");
        at = *moved;
      }
      const geo::Position pixel = geo::pixel_from_crs(g, at);
      p = {pixel.x, pixel.y};
    }
  };
  for (layout::Polygon& part : geometry.parts) {
    each(part.exterior);
    for (layout::Vertices& hole : part.holes) each(hole);
  }
  for (layout::Vertices& line : geometry.lines) each(line);
  each(geometry.points);
}

std::vector<PlacedLayout> from_geojson(const fs::path& path, const layout::Taxonomy& taxonomy,
                                       const std::vector<std::string>& tasks, const LayoutSourceOptions& options) {
  const std::string place = path.string();
  const formats::GeoFile file = formats::read_geojson(path);
  const Json ours = file.members.contains("terragen") ? file.members.at("terragen") : Json::object();
  PlacedLayout placed;
  placed.name = path.stem().string();
  placed.source = path.filename().string();
  layout::Layout& layout = placed.layout;
  layout.task = task_of(options.task, json_member_or<std::string>(ours, "task", "", place), tasks, place);
  layout.width = json_member_or<int>(ours, "width", options.size, place);
  layout.height = json_member_or<int>(ours, "height", options.size, place);
  if (ours.contains("gsd")) {
    layout.gsd = json_member<double>(ours, "gsd", place);
    if (!(*layout.gsd > 0) || !std::isfinite(*layout.gsd)) {
      throw DataError(place, std::format("\"gsd\" is {}, and metres a pixel are positive", *layout.gsd));
    }
  }
  layout.caption = json_member_or<std::string>(ours, "caption", "", place);
  placed.crs = json_member_or<std::string>(ours, "crs", "", place);
  if (ours.contains("crs_from_pixel")) {
    placed.crs_from_pixel = json_member<std::array<double, 6>>(ours, "crs_from_pixel", place);
    if (!geo::is_invertible(*placed.crs_from_pixel)) throw DataError(place, "crs_from_pixel cannot be inverted");
  }
  const bool in_pixels = json_member_or<std::string>(ours, "coordinates", "map", place) == "pixel";
  if (!in_pixels && placed.crs_from_pixel && placed.crs.empty()) {
    throw DataError(place, "has a \"crs_from_pixel\" and does not say of which \"crs\"");
  }
  if (!layout.gsd && placed.crs_from_pixel && !placed.crs.empty()) {
    layout.gsd = blame_file(place, [&] {
      return geo::ground_sampling_distance({placed.crs, placed.crs_from_pixel}, layout.width, layout.height);
    });
  }
  if (!layout.gsd) layout.gsd = options.gsd;
  if (!in_pixels && !placed.crs_from_pixel) {
    if (!layout.gsd)
      throw RequestError(std::format("{} does not say its ground sampling distance", place),
                         "give metres a pixel with --gsd");
    layout::Bounds all{INFINITY, INFINITY, -INFINITY, -INFINITY};
    for (const formats::GeoFeature& feature : file.features) {
      const layout::Bounds b = layout::bounds_of(feature.geometry);
      all = {std::min(all.x0, b.x0), std::min(all.y0, b.y0), std::max(all.x1, b.x1), std::max(all.y1, b.y1)};
    }
    if (file.features.empty()) throw DataError(place, "holds no features, so that nothing says where it lies");
    const geo::Position centre{(all.x0 + all.x1) / 2, (all.y0 + all.y1) / 2};
    const auto lonlat = blame_file(place, [&] { return geo::CrsTransform(file.crs, "EPSG:4326").apply(centre); });
    if (!lonlat) throw DataError(place, "does not lie on Earth");
    placed.crs = geo::utm_crs(lonlat->x, lonlat->y);
    const auto middle = geo::CrsTransform(file.crs, placed.crs).apply(centre);
    if (!middle) throw DataError(place, "has no image in its UTM zone");
    placed.crs_from_pixel = {middle->x - *layout.gsd * layout.width / 2,  *layout.gsd, 0,
                             middle->y + *layout.gsd * layout.height / 2, 0,           -*layout.gsd};
  }
  std::unique_ptr<geo::CrsTransform> transform;
  if (!in_pixels && file.crs != placed.crs) {
    transform = blame_file(place, [&] { return std::make_unique<geo::CrsTransform>(file.crs, placed.crs); });
  }
  const double pixels_a_unit = in_pixels ? 1.0 : 1.0 / layout.gsd.value_or(1.0);
  for (std::size_t i = 0; i < file.features.size(); ++i) {
    const std::string where = std::format("{}: feature {}", place, i);
    const formats::GeoFeature& source = file.features[i];
    const auto name = json_member<std::string>(source.properties, options.class_property, where);
    layout::Feature feature{class_of(taxonomy, name, where), source.geometry, false, {}};
    if (!in_pixels) move(feature.geometry, transform.get(), *placed.crs_from_pixel, where);
    if (feature.geometry.kind == layout::GeometryKind::polyline) {
      feature.geometry.width = json_member<double>(source.properties, "width", where) * pixels_a_unit;
    } else if (feature.geometry.kind == layout::GeometryKind::point) {
      feature.geometry.radius = json_member<double>(source.properties, "radius", where) * pixels_a_unit;
    }
    if (const std::string problem = layout::problem_of(feature.geometry); !problem.empty())
      throw DataError(where, problem);
    layout.features.push_back(std::move(feature));
  }
  return {placed};
}

std::vector<PlacedLayout> from_coco(const fs::path& path, const layout::Taxonomy& taxonomy,
                                    const std::vector<std::string>& tasks, const LayoutSourceOptions& options) {
  const formats::AnnotationSet set = formats::read_coco(path);
  std::vector<PlacedLayout> result;
  for (const formats::AnnotatedImage& image : set.images) {
    const std::string place = std::format("{}: image {}", path.string(), image.file_name);
    if (image.width <= 0 || image.height <= 0) throw DataError(place, "has no width and height");
    PlacedLayout placed;
    placed.name = fs::path(image.file_name).stem().string();
    placed.source = path.filename().string() + "/" + image.file_name;
    placed.layout.task = task_of(options.task, "", tasks, place);
    placed.layout.width = image.width;
    placed.layout.height = image.height;
    placed.layout.gsd = options.gsd;
    for (layout::Feature feature : image.features) {
      feature.class_index = class_of(taxonomy, set.taxonomy.at(feature.class_index).name, place);
      placed.layout.features.push_back(std::move(feature));
    }
    result.push_back(std::move(placed));
  }
  return result;
}

std::vector<PlacedLayout> from_dataset(const fs::path& path, const layout::Taxonomy& taxonomy,
                                       const std::vector<std::string>& tasks, const LayoutSourceOptions& options) {
  const data::Dataset dataset = data::read_dataset(path);
  std::vector<const data::ImageRecord*> chosen;
  for (const data::ImageRecord& image : dataset.images) {
    if (options.split.empty() || data::split_name(image.split) == options.split) chosen.push_back(&image);
  }
  // A limit takes images from all over the dataset, those with labels first.
  std::ranges::stable_partition(chosen, [](const auto* image) { return !image->features.empty() || image->mask_name; });
  if (options.limit > 0 && std::ssize(chosen) > options.limit) {
    std::vector<const data::ImageRecord*> spread;
    for (int i = 0; i < options.limit; ++i) {
      spread.push_back(chosen[static_cast<std::size_t>(i) * chosen.size() / static_cast<std::size_t>(options.limit)]);
    }
    chosen = std::move(spread);
  }
  std::vector<PlacedLayout> result;
  for (const data::ImageRecord* image : chosen) {
    PlacedLayout placed;
    placed.layout = data::layout_of(dataset, *image);
    if (!placed.layout.gsd) placed.layout.gsd = options.gsd;
    const std::string place = (path / image->file_name).string();
    placed.layout.task = task_of(options.task, dataset.task, tasks, place);
    for (layout::Feature& feature : placed.layout.features) {
      feature.class_index = class_of(taxonomy, dataset.taxonomy.at(feature.class_index).name, place);
    }
    if (placed.layout.mask) {
      for (std::uint8_t& value : placed.layout.mask->values) {
        if (value != layout::kUnlabelled) {
          value = static_cast<std::uint8_t>(class_of(taxonomy, dataset.taxonomy.at(value).name, place));
        }
      }
    }
    placed.name = fs::path(image->file_name).stem().string();
    placed.source = dataset.name + "/" + image->file_name;
    placed.crs = image->crs;
    placed.crs_from_pixel = image->crs_from_pixel;
    placed.real_image = path / "images" / image->file_name;
    placed.split = image->split;
    result.push_back(std::move(placed));
  }
  return result;
}

// Sizes down to what the model can paint, from the top left corner, so that the georeference stays.
void fit(PlacedLayout& placed, int size_step, int limit) {
  layout::Layout& layout = placed.layout;
  int width = fitted(layout.width, size_step);
  int height = fitted(layout.height, size_step);
  if (limit > 0) width = std::min(width, fitted(limit, size_step)), height = std::min(height, fitted(limit, size_step));
  if (width <= 0 || height <= 0) {
    throw RequestError(
        std::format("{}: a layout of {}x{} pixels cannot be painted", placed.source, layout.width, layout.height),
        std::format("at least {} pixels each way are needed", size_step));
  }
  if (width != layout.width || height != layout.height) placed.cut_from = std::array{layout.width, layout.height};
  const std::size_t shown = layout.features.size();
  layout = layout::crop(layout, 0, 0, width, height, 0.1);
  placed.objects_outside = shown - layout.features.size();
}

}  // namespace

void LayoutSourceOptions::validate() const {
  if (gsd && !(*gsd > 0)) throw RequestError(std::format("{} metres a pixel are not possible", *gsd));
  if (size < 0) throw RequestError(std::format("layouts of {} pixels are not possible", size));
  if (size % size_step != 0) {
    throw RequestError(std::format("layouts of {} pixels cannot be painted", size),
                       std::format("choose a multiple of {}", size_step));
  }
  if (limit < 0) throw RequestError(std::format("{} layouts cannot be read", limit));
  if (!split.empty() && split != "train" && split != "val" && split != "test") {
    throw RequestError(std::format("the split \"{}\" is not known", split), "choose train, val or test");
  }
}

std::vector<PlacedLayout> read_layouts(const fs::path& path, const layout::Taxonomy& taxonomy,
                                       const std::vector<std::string>& tasks, const LayoutSourceOptions& options) {
  options.validate();
  std::vector<PlacedLayout> result;
  if (fs::is_directory(path)) {
    if (!fs::exists(path / "dataset.json")) {
      throw RequestError(std::format("{} is a folder and no dataset", path.string()),
                         "name layout files one by one, as in FOLDER/*.geojson");
    }
    result = from_dataset(path, taxonomy, tasks, options);
  } else {
    if (!options.split.empty()) {
      throw RequestError(std::format("{} knows no splits", path.string()), "--split is for dataset folders");
    }
    const Json json = read_json(path);
    const bool coco = json.is_object() && json.contains("images") && json.contains("categories");
    result = coco ? from_coco(path, taxonomy, tasks, options) : from_geojson(path, taxonomy, tasks, options);
  }
  if (result.empty()) throw DataError(path.string(), "holds no layouts");
  if (options.limit > 0 && std::ssize(result) > options.limit) result.resize(static_cast<std::size_t>(options.limit));
  std::size_t shown = 0, outside = 0;
  for (PlacedLayout& placed : result) {
    shown += placed.layout.features.size() + (placed.layout.mask ? 1 : 0);
    fit(placed, options.size_step, options.size);
    outside += placed.objects_outside;
  }
  if (shown > 0 && outside == shown) {
    throw RequestError(std::format("{}: none of its objects lies within the pixels that are painted", path.string()),
                       "paint more of them: see --size");
  }
  return result;
}

}  // namespace terragen::synthesis
