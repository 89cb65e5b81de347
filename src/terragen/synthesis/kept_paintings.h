// Paintings on disk, found again by all that decides them: what is tried with another outline, filter or judge is not
// painted again.
#pragma once

#include <torch/torch.h>

#include <filesystem>
#include <vector>

#include "terragen/synthesis/painter.h"

namespace terragen::synthesis {

// What `painter` paints of the requests, [B, h, w] each. With a folder, a file in it holds what was painted of these
// very requests together, by the model's hash, the painter's options and everything in them; it is read where it is
// there, else written. DataError naming the file where it is damaged; an empty folder keeps nothing.
std::vector<torch::Tensor> paint_or_find(Painter& painter, const std::vector<PaintRequest>& requests,
                                         const std::filesystem::path& folder);

}  // namespace terragen::synthesis
