#include "terragen/layout/layout.h"

#include <algorithm>
#include <format>

#include "terragen/core/blame_file.h"
#include "terragen/core/error.h"
#include "terragen/core/json_file.h"

namespace terragen::layout {
namespace {

using Json = nlohmann::json;

constexpr double kCoveringShare = 0.01;  // of a window

Json vertices_to_json(const Vertices& vertices) {
  Json json = Json::array();
  for (const Point& p : vertices) json.push_back({p.x, p.y});
  return json;
}

Vertices vertices_from_json(const Json& value, const std::string& place) {
  Vertices vertices;
  if (!value.is_array()) throw DataError(place, "a vertex list is no list");
  for (const Json& p : value) {
    if (!p.is_array() || p.size() < 2 || !p[0].is_number() || !p[1].is_number()) {
      throw DataError(place, "a vertex is not two numbers");
    }
    vertices.push_back({p[0].get<double>(), p[1].get<double>()});
  }
  return vertices;
}

}  // namespace

Json geometry_to_json(const Geometry& geometry) {
  Json json = {{"kind", kind_name(geometry.kind)}};
  for (const Polygon& part : geometry.parts) {
    Json rings = Json::array({vertices_to_json(part.exterior)});
    for (const Vertices& hole : part.holes) rings.push_back(vertices_to_json(hole));
    json["parts"].push_back(rings);
  }
  for (const Vertices& line : geometry.lines) json["lines"].push_back(vertices_to_json(line));
  if (!geometry.points.empty()) json["points"] = vertices_to_json(geometry.points);
  if (geometry.kind == GeometryKind::polyline) json["width"] = geometry.width;
  if (geometry.kind == GeometryKind::point) json["radius"] = geometry.radius;
  return json;
}

Geometry geometry_from_json(const Json& value, const std::string& place) {
  Geometry geometry;
  blame_file(place, [&] { geometry.kind = kind_from_name(json_member<std::string>(value, "kind", place)); });
  for (const Json& rings : json_member_or<Json>(value, "parts", Json::array(), place)) {
    if (!rings.is_array() || rings.empty()) throw DataError(place, "a polygon without rings");
    Polygon part{vertices_from_json(rings[0], place), {}};
    for (std::size_t i = 1; i < rings.size(); ++i) part.holes.push_back(vertices_from_json(rings[i], place));
    geometry.parts.push_back(std::move(part));
  }
  for (const Json& line : json_member_or<Json>(value, "lines", Json::array(), place)) {
    geometry.lines.push_back(vertices_from_json(line, place));
  }
  geometry.points = vertices_from_json(json_member_or<Json>(value, "points", Json::array(), place), place);
  geometry.width = json_member_or<double>(value, "width", 0, place);
  geometry.radius = json_member_or<double>(value, "radius", 0, place);
  return geometry;
}

Json layout_to_json(const Layout& layout) {
  Json json = {{"task", layout.task}, {"width", layout.width}, {"height", layout.height}};
  if (layout.gsd) json["gsd"] = *layout.gsd;
  if (!layout.place.empty()) json["place"] = layout.place;
  if (!layout.date.empty()) json["date"] = layout.date;
  if (!layout.sensor.empty()) json["sensor"] = layout.sensor;
  if (!layout.caption.empty()) json["caption"] = layout.caption;
  json["features"] = Json::array();
  for (const Feature& feature : layout.features) {
    Json item = {{"class", feature.class_index}, {"geometry", geometry_to_json(feature.geometry)}};
    if (feature.crowd) item["crowd"] = true;
    if (!feature.id.empty()) item["id"] = feature.id;
    if (feature.difficult) item["difficult"] = true;
    json["features"].push_back(std::move(item));
  }
  return json;
}

Layout layout_from_json(const Json& value, int classes, const std::string& place) {
  Layout layout;
  layout.task = json_member<std::string>(value, "task", place);
  layout.width = json_member<int>(value, "width", place);
  layout.height = json_member<int>(value, "height", place);
  if (layout.width <= 0 || layout.height <= 0) throw DataError(place, "the layout has no extent");
  if (value.contains("gsd")) layout.gsd = json_member<double>(value, "gsd", place);
  layout.place = json_member_or<std::string>(value, "place", "", place);
  layout.date = json_member_or<std::string>(value, "date", "", place);
  layout.sensor = json_member_or<std::string>(value, "sensor", "", place);
  layout.caption = json_member_or<std::string>(value, "caption", "", place);
  const Json features = json_member<Json>(value, "features", place);
  if (!features.is_array()) throw DataError(place, "\"features\" is no list");
  for (std::size_t i = 0; i < features.size(); ++i) {
    const std::string where = std::format("{}: feature {}", place, i);
    Feature feature;
    feature.class_index = json_member<int>(features[i], "class", where);
    if (feature.class_index < 0 || feature.class_index >= classes) {
      throw DataError(where, std::format("class {} is not one of the {} classes", feature.class_index, classes));
    }
    feature.geometry = geometry_from_json(json_member<Json>(features[i], "geometry", where), where);
    feature.crowd = json_member_or<bool>(features[i], "crowd", false, where);
    feature.id = json_member_or<std::string>(features[i], "id", "", where);
    feature.difficult = json_member_or<bool>(features[i], "difficult", false, where);
    layout.features.push_back(std::move(feature));
  }
  return layout;
}

namespace {

// Of a line, and of a polygon that covers much of the window, what lies outside does not matter: a road or a lake is
// one wherever it is cut.
bool is_remnant(const Geometry& kept, const Geometry& whole, double least_share, double window) {
  if (kept.kind == GeometryKind::polyline) return false;
  if (kept.kind == GeometryKind::polygon && area_of(kept) >= kCoveringShare * window) return false;
  return area_of(kept) < least_share * area_of(whole);
}

}  // namespace

Layout crop(const Layout& layout, int x, int y, int width, int height, double least_share) {
  Layout result{.task = layout.task,
                .width = width,
                .height = height,
                .gsd = layout.gsd,
                .place = layout.place,
                .date = layout.date,
                .sensor = layout.sensor,
                .caption = layout.caption};
  const Bounds window{static_cast<double>(x), static_cast<double>(y), static_cast<double>(x + width),
                      static_cast<double>(y + height)};
  for (const Feature& feature : layout.features) {
    Geometry kept = clip(feature.geometry, window);
    if (is_empty(kept)) continue;
    if (is_remnant(kept, feature.geometry, least_share, 1.0 * width * height)) continue;
    Feature moved = feature;
    moved.geometry = transform(kept, {.c = -window.x0, .f = -window.y0});
    result.features.push_back(std::move(moved));
  }
  if (layout.mask) {
    DenseMask mask{width, height, {}};
    mask.values.assign(static_cast<std::size_t>(width) * static_cast<std::size_t>(height), kUnlabelled);
    for (int row = std::max(0, -y); row < std::min(height, layout.mask->height - y); ++row) {
      for (int column = std::max(0, -x); column < std::min(width, layout.mask->width - x); ++column) {
        mask.values[static_cast<std::size_t>(row) * static_cast<std::size_t>(width) +
                    static_cast<std::size_t>(column)] = layout.mask->at(x + column, y + row);
      }
    }
    result.mask = std::move(mask);
  }
  return result;
}

}  // namespace terragen::layout
