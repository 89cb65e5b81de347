#include "terragen/data/label_source.h"

#include <algorithm>
#include <cmath>
#include <format>

#include "terragen/core/error.h"
#include "terragen/data/path_match.h"
#include "terragen/formats/coco.h"
#include "terragen/formats/dota.h"
#include "terragen/formats/points_csv.h"
#include "terragen/formats/voc.h"
#include "terragen/formats/yolo.h"
#include "terragen/geo/raster_io.h"

namespace terragen::data {
namespace {

namespace fs = std::filesystem;

bool is_mask_format(const std::string& format) { return format == "color-masks" || format == "index-masks"; }
bool is_file_an_image(const std::string& format) {
  return is_mask_format(format) || format.starts_with("yolo") || format == "points-csv" || format == "dota" ||
         format == "voc";
}

layout::Geometry moved(const layout::Geometry& geometry, const geo::CrsTransform* transform,
                       const geo::GeoTransform& g) {
  layout::Geometry result = geometry;
  const auto move = [&](layout::Vertices& vertices) {
    for (layout::Point& p : vertices) {
      geo::Position at{p.x, p.y};
      if (transform != nullptr) at = transform->apply(at).value_or(geo::Position{NAN, NAN});
      const geo::Position pixel = geo::pixel_from_crs(g, at);
      p = {pixel.x, pixel.y};
    }
  };
  for (layout::Polygon& part : result.parts) {
    move(part.exterior);
    for (layout::Vertices& hole : part.holes) move(hole);
  }
  for (layout::Vertices& line : result.lines) move(line);
  move(result.points);
  return result;
}

// Metres that the recipe gives to all, or else a feature to itself.
double metres_of(const formats::GeoFeature& feature, const char* key, double of_all) {
  const auto own = feature.properties.find(key);
  return of_all <= 0 && own != feature.properties.end() && own->is_number() ? own->get<double>() : of_all;
}

}  // namespace

// One GeoJSON file, with the extents of its features for a quick look.
struct LabelSource::GeoLayer {
  std::string place;
  std::string folder;  // only images below it may carry its features; empty: all
  formats::GeoFile file;
  std::vector<layout::Bounds> bounds;
  std::string transform_to;
  std::unique_ptr<geo::CrsTransform> to_image;
  std::unique_ptr<geo::CrsTransform> from_image;
};

LabelSource::~LabelSource() = default;

LabelSource::LabelSource(const Recipe& recipe, fs::path images_root, fs::path labels_root,
                         const layout::Taxonomy& taxonomy)
    : recipe_(recipe), images_root_(std::move(images_root)), labels_root_(std::move(labels_root)), taxonomy_(taxonomy) {
  const std::string& format = recipe.labels_format;
  if (format == "none") return;
  const std::vector<std::string> files = glob_files(labels_root_, recipe.labels_path);
  if (files.empty()) {
    throw DataError(labels_root_.string(), std::format("holds no labels: nothing matches \"{}\"", recipe.labels_path),
                    "labels.path is a glob relative to the labels' root");
  }
  if (is_file_an_image(format)) {
    for (const std::string& file : files) list_file(file);
    for (const std::string& image : glob_files(images_root_, recipe.images_path)) {
      images_.emplace(fs::path(image).stem().string(), image);
    }
  } else if (format == "coco") {
    for (const std::string& file : files) read_coco_file(file);
    for (const std::string& image : glob_files(images_root_, recipe.images_path)) {
      images_.emplace(fs::path(image).filename().string(), image);
    }
  } else if (format == "geojson") {
    if (recipe.class_property.empty() && recipe.classes.size() > 1) {
      throw DataError(recipe.name,
                      "has several classes, and labels.class_property does not say where features name theirs");
    }
    const std::vector<std::string> images = glob_files(images_root_, recipe.images_path);
    for (const std::string& file : files) read_geojson_layer(file, images);
  } else {
    throw InternalError(std::format("[LabelSource] labels.format \"{}\" passed the recipe's check", format));
  }
}

void LabelSource::list_file(const std::string& file) {
  const std::string key =
      recipe_.match.empty() ? fs::path(file).stem().string() : captured(recipe_.match, file, "labels.match");
  if (key.empty()) return;
  const auto [first, last] = files_.equal_range(key);
  for (auto other = first; other != last; ++other) {
    // The same name in different folders is told apart by the image's folder.
    if (recipe_.match.empty() && fs::path(other->second).parent_path() != fs::path(file).parent_path()) continue;
    throw DataError((labels_root_ / file).string(),
                    std::format("and {} are both the labels of \"{}\"", other->second, key),
                    "make labels.match tell them apart");
  }
  files_.emplace(key, file);
}

void LabelSource::read_geojson_layer(const std::string& file, const std::vector<std::string>& images) {
  auto layer = std::make_unique<GeoLayer>();
  layer->place = (labels_root_ / file).string();
  layer->file = formats::read_geojson(labels_root_ / file);
  const std::string folder = fs::path(file).parent_path().generic_string() + "/";
  // A file of labels in images' own folder speaks for that folder alone; one elsewhere for all.
  if (std::ranges::any_of(images, [&](const std::string& image) { return image.starts_with(folder); })) {
    layer->folder = folder;
  }
  for (const formats::GeoFeature& feature : layer->file.features)
    layer->bounds.push_back(layout::bounds_of(feature.geometry));
  layers_.push_back(std::move(layer));
}

void LabelSource::read_coco_file(const std::string& file) {
  formats::AnnotationSet set = formats::read_coco(labels_root_ / file);
  std::vector<int> classes;
  for (const layout::ClassInfo& info : set.taxonomy.classes())
    classes.push_back(class_of(info.name, (labels_root_ / file).string()));
  for (formats::AnnotatedImage& image : set.images) {
    std::erase_if(image.features, [&](layout::Feature& feature) {
      feature.class_index = classes[static_cast<std::size_t>(feature.class_index)];
      return feature.class_index < 0;
    });
    const std::string name = fs::path(image.file_name).filename().string();
    coco_images_.emplace(name, CocoEntry{file, std::move(image)});
  }
  problems_.insert(problems_.end(), set.problems.begin(), set.problems.end());
}

bool LabelSource::is_dense() const { return is_mask_format(recipe_.labels_format); }

void LabelSource::tell_of_unused(const std::vector<std::string>& labels, const char* what) {
  if (labels.empty()) return;
  const std::string more = labels.size() == 1 ? "" : std::format(", and so do {} more", labels.size() - 1);
  problems_.push_back({labels.front(), std::format("{} belongs to no image{}: left out", what, more)});
}

void LabelSource::finish() {
  formats::refuse_unknown(unknown_);
  std::vector<std::string> files, entries;
  for (const auto& [key, file] : files_) {
    const bool names = fs::path(file).filename() == "classes.txt";  // labelImg's list, beside the labels
    if (!names && !used_files_.contains(file)) files.push_back(file);
  }
  for (const auto& [name, entry] : coco_images_) {
    if (!used_entries_.contains(&entry)) entries.push_back(std::format("{}: {}", entry.file, entry.image.file_name));
  }
  tell_of_unused(files, "the label file");
  tell_of_unused(entries, "the entry");
}

int LabelSource::class_of(const std::string& name, const std::string& place) const {
  for (std::size_t k = 0; k < recipe_.classes.size(); ++k) {
    const Recipe::Class& entry = recipe_.classes[k];
    if (entry.name == name || std::ranges::find(entry.aliases, name) != entry.aliases.end()) return static_cast<int>(k);
  }
  if (std::ranges::find(recipe_.ignore_names, name) != recipe_.ignore_names.end()) return -1;
  throw DataError(place, std::format("holds the class \"{}\", which the recipe does not know", name),
                  "give it to a class with `alias`, or name it under `ignore` in [labels]");
}

double LabelSource::pixels_from_metres(double metres, const char* key, const SourceImage& image) const {
  if (!(metres > 0)) {
    throw DataError(image.path,
                    std::format("has labels without extent: neither they nor labels.{} in the recipe say it", key));
  }
  if (!image.gsd) {
    throw DataError(image.path, std::format("labels.{} is in metres, and the image's GSD is not known", key),
                    "set images.gsd");
  }
  return metres / *image.gsd;
}

// Of images of one name in several folders a label is the nearest one's: another, whose own is missing, must not take
// it.
bool LabelSource::is_anothers(const std::string& file, const std::string& image) const {
  const auto [first, last] = images_.equal_range(fs::path(file).stem().string());
  const auto mine = nearness(image, file);
  return std::any_of(first, last, [&](const auto& entry) { return nearness(entry.second, file) > mine; });
}

std::string LabelSource::label_file_of(const SourceImage& image) {
  const std::string file = nearest_file(image);
  if (recipe_.match.empty() && is_anothers(file, image.path)) return "";
  used_files_.insert(file);
  return file;
}

std::string LabelSource::nearest_file(const SourceImage& image) const {
  const std::string key = recipe_.match.empty() ? fs::path(image.path).stem().string()
                                                : captured(recipe_.match, image.path, "labels.match");
  const auto [first, last] = files_.equal_range(key);
  if (first == last) return "";
  auto best = first;
  auto rival = last;
  auto fit = nearness(image.path, first->second);
  for (auto other = std::next(first); other != last; ++other) {
    const auto others = nearness(image.path, other->second);
    if (others < fit) continue;
    if (others == fit) {
      rival = other;
    } else {
      best = other, fit = others, rival = last;
    }
  }
  if (rival == last) return best->second;
  throw DataError((images_root_ / image.path).string(),
                  std::format("may be labelled by {} or by {}", best->second, rival->second),
                  "make labels.match tell them apart");
}

ImageLabels LabelSource::from_mask(const SourceImage& image, const std::string& file) {
  const std::string place = (labels_root_ / file).string();
  const geo::Raster raster = recipe_.labels_format == "index-masks" ? geo::read_index_raster(labels_root_ / file)
                                                                    : geo::read_raster(labels_root_ / file);
  if (raster.width != image.width || raster.height != image.height) {
    throw DataError(place, std::format("has {}x{} pixels, its image {}x{}", raster.width, raster.height, image.width,
                                       image.height));
  }
  ImageLabels labels;
  if (recipe_.labels_format == "color-masks") {
    formats::ColorClasses classes;
    for (const auto& color : recipe_.ignore_colors) classes[color] = layout::kUnlabelled;
    for (std::size_t k = 0; k < recipe_.classes.size(); ++k) {
      for (const auto& color : recipe_.classes[k].colors) classes[color] = static_cast<std::uint8_t>(k);
    }
    labels.mask = formats::mask_from_colors(raster, classes, place, unknown_);
  } else {
    formats::IndexClasses classes;
    for (const int id : recipe_.ignore_ids) classes[id] = layout::kUnlabelled;
    for (std::size_t k = 0; k < recipe_.classes.size(); ++k) {
      for (const int id : recipe_.classes[k].ids) classes[id] = static_cast<std::uint8_t>(k);
    }
    labels.mask = formats::mask_from_indexes(raster, classes, place, unknown_);
  }
  return labels;
}

std::optional<ImageLabels> LabelSource::from_coco(const SourceImage& image) {
  const auto [first, last] = coco_images_.equal_range(fs::path(image.path).filename().string());
  // Of one name several times, the path that ends the image's, then the folder nearest to it.
  const auto fit_of = [&](const CocoEntry& entry, const std::string& path) {
    const bool has_path = entry.image.file_name.find('/') != std::string::npos;
    const bool ends = has_path && ("/" + path).ends_with("/" + entry.image.file_name);
    return std::pair(ends, nearness(path, (fs::path(entry.file).parent_path() / entry.image.file_name).string()));
  };
  const CocoEntry* best = nullptr;
  const CocoEntry* rival = nullptr;
  for (auto found = first; found != last; ++found) {
    const auto fit = fit_of(found->second, image.path);
    if (best != nullptr && fit == fit_of(*best, image.path)) rival = &found->second;
    if (best != nullptr && fit <= fit_of(*best, image.path)) continue;
    best = &found->second;
    rival = nullptr;
  }
  if (rival != nullptr) {
    throw DataError((images_root_ / image.path).string(),
                    std::format("may be {} of {} or {} of {}", best->image.file_name, best->file,
                                rival->image.file_name, rival->file),
                    "give file_name with its folder");
  }
  // Of images of one name in several folders an entry is that of the image it fits best.
  const auto [mine, end] = images_.equal_range(fs::path(image.path).filename().string());
  const bool is_listed = best != nullptr && std::none_of(mine, end, [&](const auto& other) {
                           return fit_of(*best, other.second) > fit_of(*best, image.path);
                         });
  if (!is_listed) return without_labels(image, "is not listed in the COCO file");
  used_entries_.insert(best);
  const formats::AnnotatedImage& entry = best->image;
  if (entry.width > 0 && (entry.width != image.width || entry.height != image.height)) {
    throw DataError((images_root_ / image.path).string(),
                    std::format("has {}x{} pixels, the COCO file says {}x{}", image.width, image.height, entry.width,
                                entry.height));
  }
  return ImageLabels{entry.features, {}};
}

ImageLabels LabelSource::from_yolo(const SourceImage& image, const std::string& file) {
  const formats::YoloShape shape = recipe_.labels_format == "yolo"       ? formats::YoloShape::boxes
                                   : recipe_.labels_format == "yolo-obb" ? formats::YoloShape::oriented
                                                                         : formats::YoloShape::polygons;
  // Numbers are the classes' ids where the recipe gives some, else their order.
  std::vector<int> classes;
  for (std::size_t k = 0; k < recipe_.classes.size(); ++k) {
    for (const int id : recipe_.classes[k].ids) {
      if (id < 0) throw DataError(recipe_.name, std::format("the class id {} cannot be one of YOLO's", id));
      classes.resize(std::max(classes.size(), static_cast<std::size_t>(id) + 1), -2);
      classes[static_cast<std::size_t>(id)] = static_cast<int>(k);
    }
  }
  if (classes.empty()) {
    for (int k = 0; k < taxonomy_.size(); ++k) classes.push_back(k);
  }
  for (const int id : recipe_.ignore_ids) {
    if (id < 0) continue;
    classes.resize(std::max(classes.size(), static_cast<std::size_t>(id) + 1), -2);
    classes[static_cast<std::size_t>(id)] = -1;
  }
  ImageLabels labels;
  for (layout::Feature& feature : formats::read_yolo(labels_root_ / file, shape, static_cast<int>(classes.size()),
                                                     image.width, image.height, problems_)) {
    const int k = classes[static_cast<std::size_t>(feature.class_index)];
    if (k == -2) {
      throw DataError((labels_root_ / file).string(),
                      std::format("holds class {}, which the recipe does not know", feature.class_index));
    }
    if (k < 0) continue;
    feature.class_index = k;
    labels.features.push_back(std::move(feature));
  }
  return labels;
}

ImageLabels LabelSource::from_named_objects(const SourceImage& image, const std::string& file) {
  std::vector<formats::NamedObject> objects;
  if (recipe_.labels_format == "dota") {
    objects = formats::read_dota(labels_root_ / file, problems_);
  } else {
    formats::VocFile voc = formats::read_voc(labels_root_ / file, problems_);
    if (voc.width > 0 && (voc.width != image.width || voc.height != image.height)) {
      throw DataError((labels_root_ / file).string(), std::format("says {}x{} pixels, its image has {}x{}", voc.width,
                                                                  voc.height, image.width, image.height));
    }
    objects = std::move(voc.objects);
  }
  ImageLabels labels;
  const layout::Bounds whole{0, 0, static_cast<double>(image.width), static_cast<double>(image.height)};
  for (const formats::NamedObject& object : objects) {
    const int k = class_of(object.class_name, object.place);
    if (k < 0) continue;
    layout::Feature feature{k, layout::clip(object.geometry, whole), false, {}, object.difficult};
    if (layout::is_empty(feature.geometry)) {
      problems_.push_back({object.place, "the object lies outside the image: dropped"});
      continue;
    }
    labels.features.push_back(std::move(feature));
  }
  return labels;
}

ImageLabels LabelSource::from_points(const SourceImage& image, const std::string& file) const {
  ImageLabels labels;
  const std::string place = (labels_root_ / file).string();
  const double radius = pixels_from_metres(recipe_.radius, "radius", image);
  for (const formats::CsvPoint& point : formats::read_points_csv(labels_root_ / file)) {
    if (point.class_name.empty() && recipe_.classes.size() > 1) {
      throw DataError(place, "has a point that names no class, and the recipe has several");
    }
    const int k = point.class_name.empty() ? 0 : class_of(point.class_name, place);
    if (k >= 0) labels.features.push_back({k, layout::make_point(point.position, radius), false, {}});
  }
  return labels;
}

ImageLabels LabelSource::from_geojson(const SourceImage& image) {
  ImageLabels labels;
  if (image.georeference.crs.empty() || !image.georeference.crs_from_pixel) {
    throw DataError((images_root_ / image.path).string(), "has no georeference, which GeoJSON labels need",
                    "see images.georeference in the recipe");
  }
  const geo::GeoTransform& g = *image.georeference.crs_from_pixel;
  const std::string name = fs::path(image.path).filename().string();
  for (const auto& layer : layers_) {
    if (layers_.size() > 1 && !image.path.starts_with(layer->folder)) continue;
    if (layer->transform_to != image.georeference.crs) {
      layer->transform_to = image.georeference.crs;
      const bool same = layer->file.crs == image.georeference.crs;
      layer->to_image = same ? nullptr : std::make_unique<geo::CrsTransform>(layer->file.crs, image.georeference.crs);
      layer->from_image = same ? nullptr : std::make_unique<geo::CrsTransform>(image.georeference.crs, layer->file.crs);
    }
    // The image's extent in the file's coordinates, grown a little: lines have a width, and edges bend.
    layout::Bounds extent{INFINITY, INFINITY, -INFINITY, -INFINITY};
    for (const auto& [fx, fy] : {std::pair{0.0, 0.0}, {1.0, 0.0}, {0.0, 1.0}, {1.0, 1.0}, {0.5, 0.5}}) {
      geo::Position at = geo::crs_from_pixel(g, {fx * image.width, fy * image.height});
      if (layer->from_image) at = layer->from_image->apply(at).value_or(at);
      extent = {std::min(extent.x0, at.x), std::min(extent.y0, at.y), std::max(extent.x1, at.x),
                std::max(extent.y1, at.y)};
    }
    const double grow = 0.1 * std::max(extent.width(), extent.height());
    for (std::size_t i = 0; i < layer->bounds.size(); ++i) {
      const layout::Bounds& b = layer->bounds[i];
      if (b.x1 < extent.x0 - grow || b.x0 > extent.x1 + grow || b.y1 < extent.y0 - grow || b.y0 > extent.y1 + grow)
        continue;
      const formats::GeoFeature& source = layer->file.features[i];
      const std::string place = std::format("{}: feature {}", layer->place, i);
      if (!recipe_.image_property.empty() &&
          json_member<std::string>(source.properties, recipe_.image_property, place) != name) {
        continue;
      }
      layout::Feature feature{0, moved(source.geometry, layer->to_image.get(), g), false, {}};
      if (!recipe_.class_property.empty()) {
        const auto property = source.properties.find(recipe_.class_property);
        if (property == source.properties.end())
          throw DataError(place, std::format("has no property \"{}\"", recipe_.class_property));
        feature.class_index = class_of(property->is_string() ? property->get<std::string>() : property->dump(), place);
        if (feature.class_index < 0) continue;
      }
      if (feature.geometry.kind == layout::GeometryKind::polyline) {
        feature.geometry.width = pixels_from_metres(metres_of(source, "width", recipe_.width), "width", image);
      }
      if (feature.geometry.kind == layout::GeometryKind::point) {
        feature.geometry.radius = pixels_from_metres(metres_of(source, "radius", recipe_.radius), "radius", image);
      }
      const auto flagged = [&](const char* flag) {
        const auto found = source.properties.find(flag);
        return found != source.properties.end() && *found == true;
      };
      feature.crowd = flagged("crowd");
      feature.difficult = flagged("difficult");
      const std::string problem = layout::problem_of(feature.geometry);
      if (!problem.empty()) {
        problems_.push_back({place, problem + (problem.starts_with("a ring crosses") ? ": kept" : ": dropped")});
        if (problem.find("crosses") == std::string::npos) continue;
      }
      labels.features.push_back(std::move(feature));
    }
  }
  return labels;
}

std::optional<ImageLabels> LabelSource::without_labels(const SourceImage& image, const std::string& problem) {
  if (recipe_.missing == "refuse") {
    throw DataError((images_root_ / image.path).string(), problem,
                    "see labels.path and labels.match; labels.missing = \"skip\" or \"empty\" says what to do then");
  }
  problems_.push_back({image.path, problem + (recipe_.missing == "skip" ? ": left out" : ": taken as empty")});
  return recipe_.missing == "skip" ? std::nullopt : std::optional(ImageLabels{});
}

std::optional<ImageLabels> LabelSource::labels_of(const SourceImage& image) {
  const std::string& format = recipe_.labels_format;
  if (format == "coco") return from_coco(image);
  if (format == "geojson") return from_geojson(image);
  if (format == "none") return ImageLabels{};
  const std::string file = label_file_of(image);
  if (file.empty()) return without_labels(image, "has no label file");
  if (is_mask_format(format)) return from_mask(image, file);
  if (format == "points-csv") return from_points(image, file);
  return format.starts_with("yolo") ? from_yolo(image, file) : from_named_objects(image, file);
}

}  // namespace terragen::data
