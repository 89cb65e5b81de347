#include "terragen/tensor/draw_image.h"

namespace terragen::tensor {

torch::Tensor rgb_bytes(const torch::Tensor& image) {
  const torch::Tensor shown = image.size(0) >= 3 ? image.slice(0, 0, 3) : image.slice(0, 0, 1).expand({3, -1, -1});
  const torch::Tensor values = ((shown.to(torch::kCPU, torch::kFloat32) + 1.0) * 127.5).round().clamp(0, 255);
  return values.to(torch::kUInt8).permute({1, 2, 0}).contiguous();
}

void draw_bytes(Canvas& canvas, const torch::Tensor& bytes, int left, int top) {
  const auto pixel = bytes.accessor<std::uint8_t, 3>();
  for (int y = 0; y < bytes.size(0); ++y) {
    for (int x = 0; x < bytes.size(1); ++x) {
      canvas.set(left + x, top + y, {pixel[y][x][0], pixel[y][x][1], pixel[y][x][2]});
    }
  }
}

void draw_image(Canvas& canvas, const torch::Tensor& image, int left, int top) {
  draw_bytes(canvas, rgb_bytes(image), left, top);
}

}  // namespace terragen::tensor
