#include "terragen/pretrained/prepared_image.h"

namespace terragen::pretrained {

torch::Tensor to_signed(const torch::Tensor& pixels) {
  const torch::Tensor batch = pixels.dim() == 3 ? pixels.unsqueeze(0) : pixels;
  return batch.permute({0, 3, 1, 2}).to(torch::kFloat32).contiguous() / 255.0 * 2.0 - 1.0;
}

torch::Tensor to_repaint(const torch::Tensor& mask) {
  return mask.ge(128).to(torch::kFloat32).view({1, 1, mask.size(0), mask.size(1)});
}

}  // namespace terragen::pretrained
