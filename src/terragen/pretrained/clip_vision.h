// CLIP's image encoder as it is published.
#pragma once

#include <filesystem>

#include "terragen/models/clip_vision_model.h"

namespace terragen::pretrained {

// A folder with config.json and the weights, of the image encoder alone or of a whole CLIP model, whose other tensors
// are passed over. DataError naming file and tensor or key.
models::ClipVisionModel load_clip_vision(const std::filesystem::path& folder);

}  // namespace terragen::pretrained
