// What is to be painted, or what a labelled image shows: one task, one extent, features and perhaps a dense mask.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "terragen/layout/geometry.h"
#include "terragen/layout/taxonomy.h"

namespace terragen::layout {

// One labelled thing. `class_index` refers to the taxonomy that goes with the layout.
struct Feature {
  int class_index = 0;
  Geometry geometry;
  bool crowd = false;      // COCO's iscrowd: a region of many, not one object
  std::string id;          // the source's own identifier, may be empty
  bool difficult = false;  // of DOTA and Pascal VOC: not to be counted, found or not
  bool operator==(const Feature&) const = default;
};

// A class number a pixel, row by row, kUnlabelled where unknown. `values.size() == width * height`.
struct DenseMask {
  int width = 0;
  int height = 0;
  std::vector<std::uint8_t> values;
  std::uint8_t at(int x, int y) const {
    return values[static_cast<std::size_t>(y) * static_cast<std::size_t>(width) + static_cast<std::size_t>(x)];
  }
  bool operator==(const DenseMask&) const = default;
};

struct Layout {
  std::string task;           // "segmentation", "building", "road", "detection", "flood", "tree", or a user's own word
  int width = 0;              // pixels
  int height = 0;             // pixels
  std::optional<double> gsd;  // ground sampling distance, metres a pixel
  std::string place;          // name of the place or empty
  std::string date;           // ISO 8601 or empty
  std::string sensor;         // name or empty
  std::string caption;        // what a user says of it in words, or empty
  std::vector<Feature> features;
  std::optional<DenseMask> mask;
  bool operator==(const Layout&) const = default;
};

// {"kind", "parts": [[exterior, hole, ...], ...], "lines", "points", "width", "radius"}: every shape without loss.
nlohmann::json geometry_to_json(const Geometry& geometry);
// DataError naming `place` when the JSON does not have that form.
Geometry geometry_from_json(const nlohmann::json& value, const std::string& place);

// Everything but the dense mask as JSON, features with GeoJSON-like coordinates in pixels; the form that shards hold.
nlohmann::json layout_to_json(const Layout& layout);
// DataError naming `place` when the JSON does not have that form or a class index is not below `classes`.
Layout layout_from_json(const nlohmann::json& value, int classes, const std::string& place);

// The part of the layout inside `window` (whole pixels), moved so that the window's corner becomes the origin.
// Features of which less than `least_share` of the area stays are dropped, but for lines, and for polygons that cover a
// hundredth of the window or more.
Layout crop(const Layout& layout, int x, int y, int width, int height, double least_share = 0.0);

}  // namespace terragen::layout
