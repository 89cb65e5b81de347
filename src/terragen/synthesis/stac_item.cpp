#include "terragen/synthesis/stac_item.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <format>

#include "terragen/geo/georeference.h"

namespace terragen::synthesis {

Json stac_item(const std::string& id, const std::string& image, int width, int height, const std::string& crs,
               const std::optional<std::array<double, 6>>& crs_from_pixel, const Provenance& provenance) {
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  Json item = {{"type", "Feature"},
               {"stac_version", "1.0.0"},
               {"id", id},
               {"geometry", nullptr},
               {"properties",
                {{"datetime", std::format("{:%FT%TZ}", now)},
                 {"terragen:synthetic", true},
                 {"terragen:model_sha256", provenance.model_hash},
                 {"terragen:seed", provenance.seed},
                 {"terragen:layout_source", provenance.layout_source},
                 {"terragen:settings", provenance.settings},
                 {"proj:shape", {height, width}}}},
               {"links", Json::array()},
               {"assets", {{"image", {{"href", image}, {"roles", {"data"}}}}}},
               {"stac_extensions", Json::array()}};
  if (crs.empty() || !crs_from_pixel) return item;
  item["stac_extensions"].push_back("https://stac-extensions.github.io/projection/v1.1.0/schema.json");
  item["properties"]["proj:epsg"] = nullptr;
  if (crs.starts_with("EPSG:")) {
    int code = 0;
    const auto told = std::from_chars(crs.data() + 5, crs.data() + crs.size(), code);
    if (told.ec == std::errc()) item["properties"]["proj:epsg"] = code;
  }
  const std::array<double, 6>& g = *crs_from_pixel;
  item["properties"]["proj:transform"] = {g[1], g[2], g[0], g[4], g[5], g[3]};
  if (!geo::is_on_earth(crs)) return item;
  const geo::CrsTransform transform(crs, "EPSG:4326");
  Json ring = Json::array();
  double west = INFINITY;
  double south = INFINITY;
  double east = -INFINITY;
  double north = -INFINITY;
  for (const auto& [x, y] : {std::pair{0, height}, {width, height}, {width, 0}, {0, 0}, {0, height}}) {
    const geo::Position corner = geo::crs_from_pixel(g, {static_cast<double>(x), static_cast<double>(y)});
    const auto lonlat = transform.apply(corner);
    if (!lonlat) return item;
    ring.push_back({lonlat->x, lonlat->y});
    west = std::min(west, lonlat->x), east = std::max(east, lonlat->x);
    south = std::min(south, lonlat->y), north = std::max(north, lonlat->y);
  }
  item["geometry"] = {{"type", "Polygon"}, {"coordinates", Json::array({ring})}};
  item["bbox"] = {west, south, east, north};
  return item;
}

}  // namespace terragen::synthesis
