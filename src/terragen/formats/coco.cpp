#include "terragen/formats/coco.h"

#include <algorithm>
#include <format>
#include <map>

#include "terragen/core/blame_file.h"
#include "terragen/core/error.h"
#include "terragen/layout/rasterise.h"
#include "terragen/layout/vectorise.h"

namespace terragen::formats {
namespace {

using layout::Geometry;

constexpr const char* kOurs = "terragen";
constexpr const char* kDifficult = "difficult";  // ours too: COCO knows no such objects

std::size_t area_of_size(int width, int height) {
  return static_cast<std::size_t>(width) * static_cast<std::size_t>(height);
}

Geometry from_polygons(const Json& value, const std::string& place) {
  Geometry geometry;
  for (const Json& flat : value) {
    if (!flat.is_array() || flat.size() % 2 != 0 || flat.size() < 6 ||
        !std::ranges::all_of(flat, [](const Json& n) { return n.is_number(); })) {
      throw DataError(place, "a polygon is not a list of three or more coordinate pairs");
    }
    layout::Polygon part;
    for (std::size_t i = 0; i < flat.size(); i += 2) {
      part.exterior.push_back({flat[i].get<double>(), flat[i + 1].get<double>()});
    }
    if (part.exterior.size() > 3 && part.exterior.front() == part.exterior.back()) part.exterior.pop_back();
    geometry.parts.push_back(std::move(part));
  }
  return geometry;
}

Geometry from_rle(const Json& value, const AnnotatedImage& image, const std::string& place) {
  const auto size = json_member<std::vector<int>>(value, "size", place);
  if (size.size() != 2 || size[0] <= 0 || size[1] <= 0)
    throw DataError(place, "the run lengths' size is not two numbers");
  if (image.width > 0 && (size[1] != image.width || size[0] != image.height)) {
    throw DataError(place, std::format("the run lengths are of {}x{} pixels, the image of {}x{}", size[1], size[0],
                                       image.width, image.height));
  }
  const Json counts = json_member<Json>(value, "counts", place);
  const std::vector<std::uint32_t> runs = counts.is_string()
                                              ? rle_from_text(counts.get<std::string>(), place)
                                              : json_member<std::vector<std::uint32_t>>(value, "counts", place);
  Geometry geometry;
  geometry.parts = layout::vectorise(mask_from_rle(runs, size[1], size[0], place), size[1], size[0]);
  return geometry;
}

Geometry from_box(const Json& value, const std::string& place) {
  if (!value.is_array() || value.size() != 4 ||
      !std::ranges::all_of(value, [](const Json& n) { return n.is_number(); })) {
    throw DataError(place, "bbox is not four numbers");
  }
  const double x = value[0].get<double>();
  const double y = value[1].get<double>();
  const auto width = value[2].get<double>();
  const auto height = value[3].get<double>();
  if (width < 0 || height < 0) throw DataError(place, "a box of negative size");
  return layout::make_box({x, y, x + width, y + height});
}

Geometry geometry_of(const Json& annotation, const AnnotatedImage& image, const std::string& place) {
  if (annotation.contains(kOurs)) return layout::geometry_from_json(annotation.at(kOurs), place);
  if (annotation.contains("segmentation")) {
    const Json& shape = annotation.at("segmentation");
    if (shape.is_object()) return from_rle(shape, image, place);
    if (shape.is_array() && !shape.empty()) return from_polygons(shape, place);
  }
  return from_box(json_member<Json>(annotation, "bbox", place), place);
}

// COCO has no holes: a shape with holes goes out as run lengths.
Json segmentation_of(const Geometry& geometry, const AnnotatedImage& image) {
  const std::vector<layout::Polygon> polygons = layout::as_polygons(geometry);
  const bool holes = std::ranges::any_of(polygons, [](const layout::Polygon& p) { return !p.holes.empty(); });
  if (holes && image.width > 0) {
    const std::vector<std::uint8_t> mask = layout::rasterise(geometry, image.width, image.height);
    return {{"size", {image.height, image.width}}, {"counts", rle_from_mask(mask, image.width, image.height)}};
  }
  Json parts = Json::array();
  for (const layout::Polygon& polygon : polygons) {
    Json flat = Json::array();
    for (const layout::Point& p : polygon.exterior) flat.push_back(p.x), flat.push_back(p.y);
    parts.push_back(std::move(flat));
  }
  return parts;
}

// What of the shape lies in the image, as polygons where anything was cut off.
Geometry inside(const Geometry& geometry, const AnnotatedImage& image) {
  const layout::Bounds whole{0, 0, static_cast<double>(image.width), static_cast<double>(image.height)};
  const layout::Bounds b = layout::bounds_of(geometry);
  if (b.x0 >= whole.x0 && b.y0 >= whole.y0 && b.x1 <= whole.x1 && b.y1 <= whole.y1) return geometry;
  Geometry shape = layout::make_polygon({});
  shape.parts = layout::as_polygons(geometry);
  shape = layout::clip(shape, whole);
  return layout::is_empty(shape) ? geometry : shape;
}

}  // namespace

std::vector<std::uint8_t> mask_from_rle(const std::vector<std::uint32_t>& counts, int width, int height,
                                        const std::string& place) {
  std::vector<std::uint8_t> mask(area_of_size(width, height), 0);
  std::uint64_t at = 0;
  bool on = false;
  for (const std::uint32_t run : counts) {
    if (at + run > mask.size()) {
      throw DataError(place, std::format("the run lengths sum to more than the image's {} pixels", mask.size()));
    }
    if (on) {
      for (std::uint64_t i = at; i < at + run; ++i) {
        const std::uint64_t column = i / static_cast<std::uint64_t>(height);
        const std::uint64_t row = i % static_cast<std::uint64_t>(height);
        mask[row * static_cast<std::uint64_t>(width) + column] = 1;
      }
    }
    at += run;
    on = !on;
  }
  if (at != mask.size()) {
    throw DataError(place, std::format("the run lengths sum to {}, the image has {} pixels", at, mask.size()));
  }
  return mask;
}

std::vector<std::uint32_t> rle_from_mask(const std::vector<std::uint8_t>& mask, int width, int height) {
  std::vector<std::uint32_t> counts;
  std::uint8_t current = 0;
  std::uint32_t run = 0;
  for (int x = 0; x < width; ++x) {
    for (int y = 0; y < height; ++y) {
      const std::uint8_t value = mask[area_of_size(width, y) + static_cast<std::size_t>(x)] != 0 ? 1 : 0;
      if (value != current) {
        counts.push_back(run);
        run = 0;
        current = value;
      }
      ++run;
    }
  }
  counts.push_back(run);
  return counts;
}

std::vector<std::uint32_t> rle_from_text(const std::string& text, const std::string& place) {
  std::vector<std::uint32_t> counts;
  std::size_t at = 0;
  while (at < text.size()) {
    std::int64_t value = 0;
    unsigned shift = 0;
    bool more = true;
    while (more) {
      if (at >= text.size() || text[at] < 48 || text[at] > 111 || shift > 30) {
        throw DataError(place, "the compressed run lengths are damaged");
      }
      const std::int64_t digit = text[at++] - 48;
      value |= (digit & 0x1F) << shift;
      more = (digit & 0x20) != 0;
      shift += 5;
      if (!more && (digit & 0x10) != 0) value |= -(std::int64_t{1} << shift);
    }
    if (counts.size() > 2) value += counts[counts.size() - 2];
    if (value < 0 || value > 0xFFFFFFFFLL) throw DataError(place, "the compressed run lengths are damaged");
    counts.push_back(static_cast<std::uint32_t>(value));
  }
  return counts;
}

AnnotationSet coco_from_json(const Json& json, const std::string& place) {
  AnnotationSet set;
  std::map<std::int64_t, int> class_of;
  std::vector<layout::ClassInfo> classes;
  for (const Json& category : json_member<Json>(json, "categories", place)) {
    const auto id = json_member<std::int64_t>(category, "id", place);
    if (!class_of.emplace(id, static_cast<int>(classes.size())).second) {
      throw DataError(place, std::format("category {} is listed twice", id));
    }
    const int index = static_cast<int>(classes.size());
    const auto color = json_member_or<std::string>(category, "color", "", place);
    classes.push_back({json_member<std::string>(category, "name", place),
                       color.empty() ? layout::default_color(index) : layout::color_from_text(color, place)});
  }
  blame_file(place, [&] { set.taxonomy = layout::Taxonomy(std::move(classes)); });
  std::map<std::int64_t, std::size_t> image_of;
  for (const Json& item : json_member<Json>(json, "images", place)) {
    const auto id = json_member<std::int64_t>(item, "id", place);
    if (!image_of.emplace(id, set.images.size()).second)
      throw DataError(place, std::format("image {} is listed twice", id));
    set.images.push_back({json_member<std::string>(item, "file_name", place),
                          json_member_or<int>(item, "width", 0, place),
                          json_member_or<int>(item, "height", 0, place),
                          {}});
  }
  const Json annotations = json_member_or<Json>(json, "annotations", Json::array(), place);
  if (!annotations.is_array()) throw DataError(place, "\"annotations\" is no list");
  for (std::size_t i = 0; i < annotations.size(); ++i) {
    const Json& item = annotations[i];
    const std::string where =
        std::format("{}: annotation {}", place,
                    item.is_object() && item.contains("id") ? item["id"].dump() : std::format("number {}", i));
    const auto image = image_of.find(json_member<std::int64_t>(item, "image_id", where));
    if (image == image_of.end()) throw DataError(where, "belongs to an image that is not listed");
    const auto category = class_of.find(json_member<std::int64_t>(item, "category_id", where));
    if (category == class_of.end()) {
      throw DataError(where, std::format("has category {}, which is not listed", item["category_id"].dump()));
    }
    AnnotatedImage& owner = set.images[image->second];
    layout::Feature feature{category->second, geometry_of(item, owner, where), false, {}};
    if (item.contains("iscrowd")) feature.crowd = item["iscrowd"] == 1 || item["iscrowd"] == true;
    if (item.contains("id")) feature.id = item["id"].is_string() ? item["id"].get<std::string>() : item["id"].dump();
    feature.difficult = json_member_or<bool>(item, kDifficult, false, where);
    const std::string problem = layout::problem_of(feature.geometry);
    if (problem.starts_with("a coordinate") || problem.find("negative") != std::string::npos)
      throw DataError(where, problem);
    if (problem == "no area" || problem == "no vertices") {
      set.problems.push_back({where, problem + ": dropped"});
      continue;
    }
    if (!problem.empty()) set.problems.push_back({where, problem + ": kept"});
    owner.features.push_back(std::move(feature));
  }
  return set;
}

AnnotationSet read_coco(const std::filesystem::path& path) { return coco_from_json(read_json(path), path.string()); }

Json coco_json(const AnnotationSet& set, bool cut) {
  Json json = {{"images", Json::array()}, {"annotations", Json::array()}, {"categories", Json::array()}};
  for (int k = 0; k < set.taxonomy.size(); ++k) {
    const layout::ClassInfo& info = set.taxonomy.at(k);
    json["categories"].push_back({{"id", k + 1}, {"name", info.name}, {"color", layout::color_to_text(info.color)}});
  }
  std::int64_t annotation_id = 0;
  for (std::size_t i = 0; i < set.images.size(); ++i) {
    const AnnotatedImage& image = set.images[i];
    json["images"].push_back(
        {{"id", i + 1}, {"file_name", image.file_name}, {"width", image.width}, {"height", image.height}});
    for (const layout::Feature& feature : image.features) {
      const Geometry shape = cut ? inside(feature.geometry, image) : feature.geometry;
      const layout::Bounds b = layout::bounds_of(shape);
      json["annotations"].push_back({{"id", ++annotation_id},
                                     {"image_id", i + 1},
                                     {"category_id", feature.class_index + 1},
                                     {"bbox", {b.x0, b.y0, b.width(), b.height()}},
                                     {"area", layout::area_of(shape)},
                                     {"iscrowd", feature.crowd ? 1 : 0},
                                     {"segmentation", segmentation_of(shape, image)},
                                     {kOurs, layout::geometry_to_json(feature.geometry)}});
      if (feature.difficult) json["annotations"].back()[kDifficult] = true;
    }
  }
  return json;
}

void write_coco(const AnnotationSet& set, const std::filesystem::path& path, bool cut) {
  write_json(path, coco_json(set, cut));
}

}  // namespace terragen::formats
