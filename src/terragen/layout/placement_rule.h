// Geographic rules: where things of one class may stand in a scene, how large, how turned, and beside what.
#pragma once

#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "terragen/layout/taxonomy.h"

namespace terragen::layout {

// Which way a thing's longer axis points.
enum class PlacementDirection {
  any,
  structure,  // along what the image shows about it: furrows, kerbs, quays
};
std::string_view direction_name(PlacementDirection direction);
// RequestError for an unknown name.
PlacementDirection direction_from_name(std::string_view name);

// A thing stands within `most` and not within `least` of the nearest pixel of a class. Metres, of scenes without GSD
// pixels, as all lengths here.
struct NeighbourRule {
  int class_index = 0;
  double least = 0;
  double most = std::numeric_limits<double>::infinity();
  bool operator==(const NeighbourRule&) const = default;
};

struct PlacementRule {
  // Classes of the ground a thing may stand on, in the scene's mask or features; `unlabelled_ground`: also where
  // nothing is labelled. No class: on any ground. In JSON and TOML it is false where classes are named, unless it is
  // given.
  std::vector<int> ground;
  bool unlabelled_ground = true;
  std::vector<NeighbourRule> neighbours;
  double least_size = 0;  // of the longer side of the smallest box of any direction
  double most_size = std::numeric_limits<double>::infinity();
  double spacing = 0;  // to every other feature
  PlacementDirection direction = PlacementDirection::any;
  // Where the ground looks as it does about the examples: of their own ground's pixels, the share that looks less alike
  // than what is still accepted. 0: looks do not matter.
  double least_likeness = 0;

  bool operator==(const PlacementRule&) const = default;
  // RequestError naming what cannot be; class numbers must be below `classes`.
  void validate(int classes) const;
};

// Classes by name: {"ground": ["land"], "neighbours": [{"class": "road", "most": 30}], "least_size": 4, ...}. Unlimited
// lengths are left out.
nlohmann::json placement_rule_to_json(const PlacementRule& rule, const Taxonomy& taxonomy);
// DataError naming `place` for unknown keys, names and values that cannot be.
PlacementRule placement_rule_from_json(const nlohmann::json& value, const Taxonomy& taxonomy, const std::string& place);

}  // namespace terragen::layout
