// A picture of what was painted: a row a layout, with the layout, the real image where there is one, and the painted
// ones.
#pragma once

#include <torch/torch.h>

#include <filesystem>
#include <string>
#include <vector>

#include "terragen/layout/layout.h"

namespace terragen::synthesis {

struct SheetRow {
  std::string title;
  layout::Layout layout;
  torch::Tensor real;                  // [B, H, W] in [-1, 1] or undefined
  std::vector<torch::Tensor> painted;  // likewise
};

void write_contact_sheet(const std::filesystem::path& png, const std::vector<SheetRow>& rows,
                         const layout::Taxonomy& taxonomy);

}  // namespace terragen::synthesis
