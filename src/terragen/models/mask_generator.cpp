#include "terragen/models/mask_generator.h"

#include <algorithm>
#include <cmath>

#include "terragen/core/error.h"
#include "terragen/models/mask_run_lengths.h"
#include "terragen/nn/box_ops.h"

namespace terragen::models {
namespace {

std::int64_t points_of_layer(const MaskGeneratorConfig& config, std::int64_t layer) {
  const double divisor = std::pow(static_cast<double>(config.crop_points_divisor), static_cast<double>(layer));
  return static_cast<std::int64_t>(static_cast<double>(config.points_per_side) / divisor);
}

// What a batch of points gives in one part of an image.
std::vector<GeneratedMask> masks_of_points(PromptableSegmenter& segmenter, const EncodedImage& encoded,
                                           const torch::Tensor& points, const ImageWindow& crop, const ImageSize& image,
                                           const MaskGeneratorConfig& config) {
  const MaskPrompts prompts{.points = points.unsqueeze(1), .labels = torch::ones({points.size(0), 1}, torch::kInt64)};
  const MaskPrediction prediction = segmenter.predict(encoded, prompts, /*multimask=*/true);
  torch::Tensor iou = prediction.iou.flatten().cpu();
  // Which prediction every mask that is still there comes from.
  torch::Tensor from = torch::arange(iou.size(0));
  if (config.least_iou > 0) from = iou.gt(config.least_iou).nonzero().squeeze(1);
  if (from.size(0) == 0) return {};
  const torch::Tensor low_res = prediction.low_res.flatten(0, 1);
  torch::Tensor logits =
      segmenter.full_size(encoded, low_res.index_select(0, from.to(low_res.device())).unsqueeze(1)).squeeze(1);
  torch::Tensor stability = stability_score(logits, kMaskThreshold, config.stability_offset).cpu();
  torch::Tensor masks = logits.gt(kMaskThreshold);

  const auto keep = [&](const torch::Tensor& which) {
    const torch::Tensor kept = which.cpu().nonzero().squeeze(1);
    from = from.index_select(0, kept);
    stability = stability.index_select(0, kept);
    masks = masks.index_select(0, kept.to(masks.device()));
  };
  if (config.least_stability > 0) keep(stability.ge(config.least_stability));
  torch::Tensor boxes = nn::boxes_from_masks(masks);
  const torch::Tensor whole = near_crop_edge(boxes, crop, image).logical_not();
  keep(whole);
  boxes = boxes.index_select(0, whole.nonzero().squeeze(1));

  const std::int64_t masks_a_point = prediction.iou.size(1);
  std::vector<metrics::RunLengths> runs = run_lengths(uncrop_masks(masks, crop, image));
  std::vector<GeneratedMask> result;
  for (std::int64_t i = 0; i < from.size(0); ++i) {
    const auto source = from[i].item<std::int64_t>();
    const auto corner = [&](int axis) { return boxes[i][axis].item<double>(); };
    const auto x0 = static_cast<double>(crop.x0), y0 = static_cast<double>(crop.y0);
    GeneratedMask mask{.runs = std::move(runs[static_cast<std::size_t>(i)]),
                       .box = {corner(0) + x0, corner(1) + y0, corner(2) + x0, corner(3) + y0},
                       .iou = iou[source].item<double>(),
                       .stability = stability[i].item<double>(),
                       .point_x = points[source / masks_a_point][0].item<double>() + x0,
                       .point_y = points[source / masks_a_point][1].item<double>() + y0,
                       .crop = crop};
    mask.area = metrics::run_length_area(mask.runs);
    result.push_back(std::move(mask));
  }
  return result;
}

// By falling score, without those whose box overlaps a better one's.
std::vector<GeneratedMask> without_repetitions(std::vector<GeneratedMask> masks, const std::vector<double>& scores,
                                               double most) {
  if (masks.empty()) return masks;
  torch::Tensor boxes = torch::empty({std::ssize(masks), 4});
  for (std::size_t i = 0; i < masks.size(); ++i) {
    const metrics::Box& box = masks[i].box;
    boxes[static_cast<std::int64_t>(i)] = torch::tensor({box.x0, box.y0, box.x1, box.y1});
  }
  const torch::Tensor kept = nn::nms(boxes, torch::tensor(scores, torch::kFloat32), most);
  std::vector<GeneratedMask> result;
  for (std::int64_t i = 0; i < kept.size(0); ++i)
    result.push_back(std::move(masks[static_cast<std::size_t>(kept[i].item<std::int64_t>())]));
  return result;
}

}  // namespace

void MaskGeneratorConfig::validate() const {
  if (points_per_side < 1 || points_per_batch < 1 || crop_points_divisor < 1) {
    throw RequestError("mask generator: numbers of points must be positive");
  }
  if (crop_layers > 0 && points_of_layer(*this, crop_layers) < 1) {
    throw RequestError("mask generator: the last layer of parts is left without points");
  }
}

std::vector<GeneratedMask> generate_masks(PromptableSegmenter& segmenter, const torch::Tensor& image,
                                          const MaskGeneratorConfig& config) {
  config.validate();
  if (image.dim() != 3) throw RequestError("masks are generated for an image [H, W, 3]");
  const ImageSize size{image.size(0), image.size(1)};
  const std::vector<CropWindow> crops = crop_windows(size, config.crop_layers, config.crop_overlap);
  std::vector<GeneratedMask> all;
  for (const auto& [window, layer] : crops) {
    const torch::Tensor part = image.slice(0, window.y0, window.y1).slice(1, window.x0, window.x1);
    const EncodedImage encoded = segmenter.encode(part);
    const torch::Tensor extent =
        torch::tensor({static_cast<double>(part.size(1)), static_cast<double>(part.size(0))}, torch::kFloat64);
    const torch::Tensor points = point_grid(points_of_layer(config, layer)) * extent;
    std::vector<GeneratedMask> masks;
    for (const torch::Tensor& batch : points.split(config.points_per_batch)) {
      std::ranges::move(masks_of_points(segmenter, encoded, batch, window, size, config), std::back_inserter(masks));
    }
    std::vector<double> scores;
    for (const GeneratedMask& mask : masks) scores.push_back(mask.iou);
    std::ranges::move(without_repetitions(std::move(masks), scores, config.most_overlap), std::back_inserter(all));
  }
  if (crops.size() == 1) return all;
  std::vector<double> scores;
  for (const GeneratedMask& mask : all) {
    const ImageSize part = mask.crop.size();
    scores.push_back(1.0 / static_cast<double>(part.height * part.width));
  }
  return without_repetitions(std::move(all), scores, config.crop_most_overlap);
}

}  // namespace terragen::models
