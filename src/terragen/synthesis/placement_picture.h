// Why things were placed where they are: the score map over its scene.
#pragma once

#include <filesystem>
#include <vector>

#include "terragen/synthesis/placement.h"

namespace terragen::synthesis {

// Left the scene, right the same darkened where nothing may stand and coloured by score from blue to yellow for a thing
// `width` pixels wide; both with the outlines of what was placed. As PNG.
void write_placement_picture(const std::filesystem::path& png, const shards::Sample& scene, const PlacementMap& map,
                             double width, const std::vector<Placement>& placed);

}  // namespace terragen::synthesis
