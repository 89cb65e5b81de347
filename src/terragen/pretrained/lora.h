// Low-rank adaptations (Hu et al. 2021, arXiv 2106.09685): small files that teach a published model a style or a thing.
#pragma once

#include <filesystem>

#include "terragen/pretrained/checkpoint.h"

namespace terragen::pretrained {

// Adds scale * alpha / rank * up * down to every weight of U-Net and text encoder that the file names (see
// read_lora_file). Gives the number of weights changed. RequestError for a scale that is no number; DataError naming
// the file and the tensor that names no weight, has no partner or is of a shape that does not fit; nothing is changed
// then.
std::size_t add_lora(Checkpoint& model, const std::filesystem::path& path, double scale);

}  // namespace terragen::pretrained
