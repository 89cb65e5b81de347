// How things came to stand in a scene, step by step.
#pragma once

#include <filesystem>
#include <vector>

#include "terragen/synthesis/object_inpainter.h"

namespace terragen::synthesis {

// A row a thing: its example, the scene with the intended outline, every variant, the one that was chosen with its
// refined outline, the result; below what was measured, and why it was dropped where it was. As PNG. The scene's trials
// must have been kept; nothing is written where it has none.
void write_thing_picture(const std::filesystem::path& png, const InpaintedScene& made,
                         const std::vector<Reference>& references);

}  // namespace terragen::synthesis
