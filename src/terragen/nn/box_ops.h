// Arithmetic on many boxes at once, as torchvision defines it. boxes: [N, 4], x0, y0, x1, y1 in pixels.
#pragma once

#include <torch/torch.h>

#include <cstdint>

namespace terragen::nn {

torch::Tensor box_area(const torch::Tensor& boxes);  // [N]
// Every box of one set against every box of the other: [N, M].
torch::Tensor box_iou(const torch::Tensor& one, const torch::Tensor& two);
// IoU less the share of the smallest enclosing box that neither fills (Rezatofighi et al. 2019, arXiv 1902.09630).
torch::Tensor generalized_box_iou(const torch::Tensor& one, const torch::Tensor& two);
// IoU less the squared distance of the centres over that box's squared diagonal, and with a term for the difference of
// the aspect ratios (Zheng et al. 2020, arXiv 1911.08287).
torch::Tensor distance_box_iou(const torch::Tensor& one, const torch::Tensor& two);
torch::Tensor complete_box_iou(const torch::Tensor& one, const torch::Tensor& two);

torch::Tensor clip_boxes(const torch::Tensor& boxes, std::int64_t height, std::int64_t width);
torch::Tensor centre_size_from_corners(const torch::Tensor& boxes);  // to cx, cy, width, height
torch::Tensor corners_from_centre_size(const torch::Tensor& boxes);
// Indices of the boxes at least `least` wide and high.
torch::Tensor large_enough(const torch::Tensor& boxes, double least);
// The tightest box around every mask, last pixel inclusive; [N, H, W] bool to [N, 4]. Empty masks: all 0.
torch::Tensor boxes_from_masks(const torch::Tensor& masks);

// Greedy suppression of what overlaps a better box by more than `most`: indices kept, by falling score.
torch::Tensor nms(const torch::Tensor& boxes, const torch::Tensor& scores, double most);
// Within every class for itself. classes: [N].
torch::Tensor batched_nms(const torch::Tensor& boxes, const torch::Tensor& scores, const torch::Tensor& classes,
                          double most);

// Binary cross entropy that counts what is right already for little (Lin et al. 2017, arXiv 1708.02002), without
// reduction. alpha: weight of the positive class.
torch::Tensor sigmoid_focal_loss(const torch::Tensor& logits, const torch::Tensor& targets, double alpha = 0.25,
                                 double gamma = 2.0);

}  // namespace terragen::nn
