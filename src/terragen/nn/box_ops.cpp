#include "terragen/nn/box_ops.h"

#include <numbers>
#include <vector>

namespace terragen::nn {
namespace {

torch::Tensor low(const torch::Tensor& boxes) { return boxes.slice(1, 0, 2); }
torch::Tensor high(const torch::Tensor& boxes) { return boxes.slice(1, 2, 4); }

// Width and height of the overlap and of the box around both: [N, M, 2].
torch::Tensor overlap_size(const torch::Tensor& one, const torch::Tensor& two) {
  return (torch::minimum(high(one).unsqueeze(1), high(two)) - torch::maximum(low(one).unsqueeze(1), low(two)))
      .clamp_min(0);
}

torch::Tensor enclosing_size(const torch::Tensor& one, const torch::Tensor& two) {
  return (torch::maximum(high(one).unsqueeze(1), high(two)) - torch::minimum(low(one).unsqueeze(1), low(two)))
      .clamp_min(0);
}

struct Overlap {
  torch::Tensor both, either;  // [N, M] areas
};

Overlap overlap(const torch::Tensor& one, const torch::Tensor& two) {
  const torch::Tensor both = overlap_size(one, two).prod(2);
  return {both, box_area(one).unsqueeze(1) + box_area(two) - both};
}

constexpr double kTiny = 1e-7;

}  // namespace

torch::Tensor box_area(const torch::Tensor& boxes) { return (high(boxes) - low(boxes)).prod(1); }

torch::Tensor box_iou(const torch::Tensor& one, const torch::Tensor& two) {
  const Overlap areas = overlap(one, two);
  return areas.both / areas.either;
}

torch::Tensor generalized_box_iou(const torch::Tensor& one, const torch::Tensor& two) {
  const Overlap areas = overlap(one, two);
  const torch::Tensor around = enclosing_size(one, two).prod(2);
  return areas.both / areas.either - (around - areas.either) / around;
}

torch::Tensor distance_box_iou(const torch::Tensor& one, const torch::Tensor& two) {
  const torch::Tensor diagonal = enclosing_size(one, two).square().sum(2) + kTiny;
  const torch::Tensor apart = ((low(one) + high(one)).unsqueeze(1) / 2 - (low(two) + high(two)) / 2).square().sum(2);
  return box_iou(one, two) - apart / diagonal;
}

torch::Tensor complete_box_iou(const torch::Tensor& one, const torch::Tensor& two) {
  const auto slant = [](const torch::Tensor& boxes) {
    const torch::Tensor size = high(boxes) - low(boxes);
    return torch::atan(size.select(1, 0) / size.select(1, 1));
  };
  const torch::Tensor difference =
      4.0 / (std::numbers::pi * std::numbers::pi) * (slant(one).unsqueeze(1) - slant(two)).square();
  const torch::Tensor weight = (difference / (1.0 - box_iou(one, two) + difference + kTiny)).detach();
  return distance_box_iou(one, two) - weight * difference;
}

torch::Tensor clip_boxes(const torch::Tensor& boxes, std::int64_t height, std::int64_t width) {
  const torch::Tensor most = torch::tensor({static_cast<double>(width), static_cast<double>(height)}, boxes.options());
  return torch::cat({torch::minimum(low(boxes).clamp_min(0), most), torch::minimum(high(boxes).clamp_min(0), most)}, 1);
}

torch::Tensor centre_size_from_corners(const torch::Tensor& boxes) {
  return torch::cat({(low(boxes) + high(boxes)) / 2, high(boxes) - low(boxes)}, 1);
}

torch::Tensor corners_from_centre_size(const torch::Tensor& boxes) {
  return torch::cat({low(boxes) - high(boxes) / 2, low(boxes) + high(boxes) / 2}, 1);
}

torch::Tensor large_enough(const torch::Tensor& boxes, double least) {
  return (high(boxes) - low(boxes)).ge(least).all(1).nonzero().squeeze(1);
}

torch::Tensor boxes_from_masks(const torch::Tensor& masks) {
  torch::Tensor boxes = torch::zeros({masks.size(0), 4}, torch::kFloat32);
  for (std::int64_t i = 0; i < masks.size(0); ++i) {
    const torch::Tensor at = masks[i].nonzero();  // rows of y, x
    if (at.size(0) == 0) continue;
    const torch::Tensor least = std::get<0>(at.min(0)).flip(0);
    const torch::Tensor most = std::get<0>(at.max(0)).flip(0);
    boxes[i] = torch::cat({least, most}).to(torch::kFloat32);
  }
  return boxes;
}

torch::Tensor nms(const torch::Tensor& boxes, const torch::Tensor& scores, double most) {
  const torch::Tensor order = scores.argsort(0, true);
  const torch::Tensor ranked = boxes.index_select(0, order).to(torch::kCPU, torch::kFloat32);
  const torch::Tensor too_close = box_iou(ranked, ranked).gt(most).contiguous();
  const auto close = too_close.accessor<bool, 2>();
  const std::int64_t n = ranked.size(0);
  std::vector<bool> gone(static_cast<std::size_t>(n), false);
  std::vector<std::int64_t> kept;
  for (std::int64_t i = 0; i < n; ++i) {
    if (gone[static_cast<std::size_t>(i)]) continue;
    kept.push_back(i);
    for (std::int64_t j = i + 1; j < n; ++j) {
      if (close[i][j]) gone[static_cast<std::size_t>(j)] = true;
    }
  }
  return order.index_select(0, torch::tensor(kept, torch::kInt64).to(order.device()));
}

torch::Tensor batched_nms(const torch::Tensor& boxes, const torch::Tensor& scores, const torch::Tensor& classes,
                          double most) {
  if (boxes.size(0) == 0) return torch::empty({0}, torch::kInt64);
  // Every class is moved to a place of its own, where it meets none of the others.
  const torch::Tensor away = classes.to(boxes.options()).unsqueeze(1) * (boxes.max() - boxes.min() + 1);
  return nms(boxes + away, scores, most);
}

torch::Tensor sigmoid_focal_loss(const torch::Tensor& logits, const torch::Tensor& targets, double alpha,
                                 double gamma) {
  const torch::Tensor probability = torch::sigmoid(logits);
  const torch::Tensor cross_entropy =
      at::binary_cross_entropy_with_logits(logits, targets, {}, {}, at::Reduction::None);
  const torch::Tensor right = probability * targets + (1 - probability) * (1 - targets);
  const torch::Tensor weight = alpha * targets + (1 - alpha) * (1 - targets);
  return weight * cross_entropy * (1 - right).pow(gamma);
}

}  // namespace terragen::nn
