#include "terragen/tensor/draw_image.h"

namespace terragen::tensor {

void draw_image(Canvas& canvas, const torch::Tensor& image, int left, int top) {
  const torch::Tensor shown = image.size(0) >= 3 ? image.slice(0, 0, 3) : image.slice(0, 0, 1).expand({3, -1, -1});
  const torch::Tensor bytes =
      ((shown.to(torch::kCPU, torch::kFloat32) + 1.0) * 127.5).round().clamp(0, 255).to(torch::kUInt8).contiguous();
  const auto pixel = bytes.accessor<std::uint8_t, 3>();
  for (int y = 0; y < bytes.size(1); ++y) {
    for (int x = 0; x < bytes.size(2); ++x) {
      canvas.set(left + x, top + y, {pixel[0][y][x], pixel[1][y][x], pixel[2][y][x]});
    }
  }
}

}  // namespace terragen::tensor
