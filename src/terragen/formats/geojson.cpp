#include "terragen/formats/geojson.h"

#include <cmath>
#include <format>

#include "terragen/core/error.h"

namespace terragen::formats {
namespace {

layout::Point position(const Json& value, const std::string& place) {
  if (!value.is_array() || value.size() < 2 || !value[0].is_number() || !value[1].is_number()) {
    throw DataError(place, "a position is not two numbers");
  }
  return {value[0].get<double>(), value[1].get<double>()};
}

layout::Vertices line(const Json& value, std::size_t least, const std::string& place) {
  if (!value.is_array()) throw DataError(place, "a line is no list of positions");
  layout::Vertices vertices;
  for (const Json& item : value) vertices.push_back(position(item, place));
  if (vertices.size() < least)
    throw DataError(place, std::format("{} positions, at least {} are needed", vertices.size(), least));
  return vertices;
}

layout::Vertices ring(const Json& value, const std::string& place) {
  layout::Vertices vertices = line(value, 4, place);
  if (!(vertices.front() == vertices.back())) throw DataError(place, "a ring is not closed");
  vertices.pop_back();
  return vertices;
}

layout::Polygon polygon(const Json& value, const std::string& place) {
  if (!value.is_array() || value.empty()) throw DataError(place, "a polygon has no rings");
  layout::Polygon result{ring(value[0], place), {}};
  for (std::size_t i = 1; i < value.size(); ++i) result.holes.push_back(ring(value[i], place));
  return result;
}

layout::Geometry geometry(const Json& value, const std::string& place) {
  const auto type = json_member<std::string>(value, "type", place);
  const Json coordinates = json_member<Json>(value, "coordinates", place);
  if (!coordinates.is_array()) throw DataError(place, "coordinates is no list");
  layout::Geometry result;
  if (type == "Polygon") {
    result.parts.push_back(polygon(coordinates, place));
  } else if (type == "MultiPolygon") {
    for (const Json& item : coordinates) result.parts.push_back(polygon(item, place));
  } else if (type == "LineString" || type == "MultiLineString") {
    result.kind = layout::GeometryKind::polyline;
    if (type == "LineString") {
      result.lines.push_back(line(coordinates, 2, place));
    } else {
      for (const Json& item : coordinates) result.lines.push_back(line(item, 2, place));
    }
  } else if (type == "Point" || type == "MultiPoint") {
    result.kind = layout::GeometryKind::point;
    if (type == "Point") {
      result.points.push_back(position(coordinates, place));
    } else {
      result.points = line(coordinates, 0, place);
    }
  } else {
    throw DataError(place, std::format("geometries of type \"{}\" are not offered", type));
  }
  return result;
}

Json positions(const layout::Vertices& vertices, bool closed) {
  Json json = Json::array();
  for (const layout::Point& p : vertices) json.push_back({p.x, p.y});
  if (closed && !vertices.empty()) json.push_back({vertices.front().x, vertices.front().y});
  return json;
}

Json rings(const layout::Polygon& part) {
  Json json = Json::array({positions(part.exterior, true)});
  for (const layout::Vertices& hole : part.holes) json.push_back(positions(hole, true));
  return json;
}

Json geometry_json(const layout::Geometry& geometry) {
  if (geometry.kind == layout::GeometryKind::polyline) {
    if (geometry.lines.size() == 1)
      return {{"type", "LineString"}, {"coordinates", positions(geometry.lines[0], false)}};
    Json lines = Json::array();
    for (const layout::Vertices& vertices : geometry.lines) lines.push_back(positions(vertices, false));
    return {{"type", "MultiLineString"}, {"coordinates", lines}};
  }
  if (geometry.kind == layout::GeometryKind::point) {
    if (geometry.points.size() == 1) return {{"type", "Point"}, {"coordinates", positions(geometry.points, false)[0]}};
    return {{"type", "MultiPoint"}, {"coordinates", positions(geometry.points, false)}};
  }
  if (geometry.parts.size() == 1) return {{"type", "Polygon"}, {"coordinates", rings(geometry.parts[0])}};
  Json parts = Json::array();
  for (const layout::Polygon& part : geometry.parts) parts.push_back(rings(part));
  return {{"type", "MultiPolygon"}, {"coordinates", parts}};
}

// "urn:ogc:def:crs:OGC:1.3:CRS84", "urn:ogc:def:crs:EPSG::32611", "EPSG:32611"
std::string crs_of(const Json& file, const std::string& place) {
  const auto name = json_member<std::string>(json_member<Json>(file.at("crs"), "properties", place), "name", place);
  if (name.ends_with("CRS84")) return "EPSG:4326";
  if (name.starts_with("EPSG:")) return name;
  const std::size_t colon = name.rfind(':');
  if (name.find("EPSG") != std::string::npos && colon != std::string::npos) return "EPSG:" + name.substr(colon + 1);
  throw DataError(place, std::format("names the coordinate reference system \"{}\", which is not understood", name));
}

}  // namespace

GeoFile read_geojson(const std::filesystem::path& path) {
  const std::string place = path.string();
  const Json json = read_json(path);
  GeoFile file;
  if (json.is_object() && json.contains("crs") && !json["crs"].is_null()) file.crs = crs_of(json, place);
  const auto type = json_member<std::string>(json, "type", place);
  const Json features = type == "FeatureCollection" ? json_member<Json>(json, "features", place)
                        : type == "Feature"         ? Json::array({json})
                                                    : Json::array({{{"type", "Feature"}, {"geometry", json}}});
  if (!features.is_array()) throw DataError(place, "features is no list");
  for (std::size_t i = 0; i < features.size(); ++i) {
    const std::string where = std::format("{}: feature {}", place, i);
    const Json shape = json_member<Json>(features[i], "geometry", where);
    if (shape.is_null()) continue;  // RFC 7946: an unlocated feature
    GeoFeature feature{geometry(shape, where), Json::object()};
    if (features[i].contains("properties") && features[i]["properties"].is_object()) {
      feature.properties = features[i]["properties"];
    }
    file.features.push_back(std::move(feature));
  }
  for (const auto& [key, value] : json.items()) {
    if (key != "type" && key != "features" && key != "crs" && type == "FeatureCollection") file.members[key] = value;
  }
  return file;
}

void write_geojson(const GeoFile& file, const std::filesystem::path& path) {
  Json json = file.members;
  json["type"] = "FeatureCollection";
  if (file.crs != "EPSG:4326") {
    json["crs"] = {{"type", "name"}, {"properties", {{"name", file.crs}}}};
  }
  json["features"] = Json::array();
  for (const GeoFeature& feature : file.features) {
    json["features"].push_back(
        {{"type", "Feature"}, {"properties", feature.properties}, {"geometry", geometry_json(feature.geometry)}});
  }
  write_json(path, json);
}

}  // namespace terragen::formats
