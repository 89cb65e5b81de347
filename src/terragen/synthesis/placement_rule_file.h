// Geographic rules in a TOML file: one table a class.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "terragen/layout/placement_rule.h"

namespace terragen::synthesis {

// The rule of `class_name`:
//   [boat]
//   ground = ["water"]                          # or unlabelled_ground = true
//   neighbours = [{ class = "land", most = 80 }]  # metres
//   least_size = 4
//   most_size = 20
//   spacing = 5
//   direction = "structure"
// None where the file has no such table. DataError naming file and key for anything else that is wrong.
std::optional<layout::PlacementRule> read_placement_rule(const std::filesystem::path& file,
                                                         const std::string& class_name,
                                                         const layout::Taxonomy& taxonomy);

}  // namespace terragen::synthesis
