#include "terragen/synthesis/sam_refiner.h"

#include <algorithm>
#include <limits>

#include "terragen/core/error.h"
#include "terragen/core/sha256.h"
#include "terragen/models/sam_checkpoint.h"
#include "terragen/shards/drawn_mask.h"
#include "terragen/synthesis/pixel_distance.h"
#include "terragen/tensor/draw_image.h"

namespace terragen::synthesis {
namespace {

constexpr int kPoints = 3;

// x0, y0, x1, y1 of the pixels' centres.
torch::Tensor box_of(const torch::Tensor& mask) {
  const torch::Tensor at = mask.gt(0.5).nonzero();
  const torch::Tensor low = std::get<0>(at.min(0));
  const torch::Tensor high = std::get<0>(at.max(0));
  return torch::stack({low[1], low[0], high[1], high[0]}).to(torch::kFloat32).unsqueeze(0);
}

}  // namespace

torch::Tensor deep_points(const torch::Tensor& mask, int count) {
  const auto width = static_cast<int>(mask.size(1));
  const auto height = static_cast<int>(mask.size(0));
  const layout::Plane depth = distance_to_edge(shards::pixels_from_mask(mask), width, height);
  std::vector<std::uint8_t> taken(depth.values.size(), 0);
  std::vector<float> points;
  for (int k = 0; k < count; ++k) {
    const layout::Plane away = pixel_distance(taken, width, height);
    std::size_t best = 0;
    float most = 0;
    for (std::size_t i = 0; i < taken.size(); ++i) {
      const float score = std::min(depth.values[i], away.values[i] / 2);
      if (score > most) most = score, best = i;
    }
    if (most == 0) break;
    taken[best] = 1;
    const std::size_t row = best / static_cast<std::size_t>(width);
    points.push_back(static_cast<float>(best - row * static_cast<std::size_t>(width)));
    points.push_back(static_cast<float>(row));
  }
  if (points.empty()) throw InternalError("[deep_points] the mask is empty");
  return torch::tensor(at::ArrayRef<float>(points), torch::kFloat32).view({-1, 2});
}

SamRefiner::SamRefiner(const std::filesystem::path& weights, std::string name, tensor::ComputeOptions compute)
    : network_(models::load_promptable_segmenter(weights)),
      name_(std::move(name)),
      hash_(sha256_hex_of_file(weights)),
      compute_(std::move(compute)) {
  network_->to(tensor::parse_device(compute_.device));
  network_->eval();
}

torch::Tensor SamRefiner::refine(const torch::Tensor& image, const torch::Tensor& intended) {
  const tensor::AutocastGuard autocast(tensor::parse_device(compute_.device).type(), compute_.precision == "bf16");
  const models::EncodedImage encoded = network_->encode(tensor::rgb_bytes(image));
  models::MaskPrompts prompts;
  prompts.boxes = box_of(intended);
  prompts.points = deep_points(intended, kPoints).unsqueeze(0);
  prompts.labels = torch::ones({1, prompts.points.size(1)}, torch::kInt64);
  const models::MaskPrediction prediction = network_->predict(encoded, prompts, true);
  const auto best = prediction.iou[0].argmax().item<std::int64_t>();
  const torch::Tensor logits = network_->full_size(encoded, prediction.low_res)[0][best];
  return logits.gt(models::kMaskThreshold).to(torch::kCPU, torch::kFloat32);
}

}  // namespace terragen::synthesis
