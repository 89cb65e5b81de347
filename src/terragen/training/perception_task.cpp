#include "terragen/training/perception_task.h"

#include <cmath>
#include <format>

#include "terragen/core/error.h"
#include "terragen/core/seed.h"
#include "terragen/models/detections.h"
#include "terragen/training/colour_jitter.h"
#include "terragen/training/detection_loss.h"
#include "terragen/training/random_blur.h"
#include "terragen/training/sample_grid.h"

namespace terragen::training {
namespace {

// Beside the streams that colour_jittered draws from the same seed.
constexpr std::uint64_t kBlurSeed = 2;

// Mean over the classes that appear of 1 - Dice, over known pixels (Milletari et al. 2016, arXiv 1606.04797).
torch::Tensor dice_loss(const torch::Tensor& logits, const torch::Tensor& target) {
  const torch::Tensor known = target.ne(layout::kUnlabelled);
  const torch::Tensor truth = torch::one_hot(target.masked_fill(known.logical_not(), 0), logits.size(1))
                                  .permute({0, 3, 1, 2})
                                  .to(torch::kFloat32) *
                              known.unsqueeze(1);
  const torch::Tensor said = logits.softmax(1) * known.unsqueeze(1);
  const torch::Tensor both = (said * truth).sum({0, 2, 3});
  const torch::Tensor all = (said + truth).sum({0, 2, 3});
  const torch::Tensor appears = truth.sum({0, 2, 3}).gt(0).to(torch::kFloat32);
  return ((1 - 2 * both / all.clamp_min(1.0)) * appears).sum() / appears.sum().clamp_min(1.0);
}

}  // namespace

void PerceptionTaskOptions::validate() const {
  if (!(colour_jitter >= 0 && colour_jitter < 1))
    throw RequestError(std::format("colour_jitter is {}, not in [0, 1)", colour_jitter));
  if (!(blur >= 0 && blur <= 10)) throw RequestError(std::format("blur is {} pixels, not in [0, 10]", blur));
  if (!(dice_weight >= 0)) throw RequestError(std::format("dice_weight is {}, it must not be negative", dice_weight));
}

torch::Tensor class_targets(const std::vector<layout::Layout>& layouts, const torch::Tensor& valid,
                            const models::PerceptionConfig& config) {
  std::vector<torch::Tensor> masks;
  for (const layout::Layout& layout : layouts) {
    layout::DenseMask mask = config.classes_of(layout);
    masks.push_back(torch::from_blob(mask.values.data(), {mask.height, mask.width}, torch::kUInt8).to(torch::kInt64));
  }
  return torch::stack(masks).masked_fill(valid.squeeze(1).cpu().eq(0), layout::kUnlabelled);
}

PerceptionTask::PerceptionTask(models::PerceptionModel model, shards::Batch shown, PerceptionTaskOptions options)
    : model_(std::move(model)), shown_(std::move(shown)), options_(options) {
  options_.validate();
}

torch::Tensor PerceptionTask::segmentation_loss(const torch::Tensor& images, const shards::Batch& batch,
                                                Scalars& scalars) {
  const torch::Tensor target = class_targets(batch.layouts, batch.valid, model_.config).to(images.device());
  const torch::Tensor logits = model_.segmenter->forward(images).to(torch::kFloat32);
  const torch::Tensor known = target.ne(layout::kUnlabelled);
  // A mean over no pixel would not be a number.
  const torch::Tensor cross_entropy =
      torch::cross_entropy_loss(logits, target, {}, at::Reduction::Sum, layout::kUnlabelled) /
      known.sum().clamp_min(1).to(torch::kFloat32);
  const torch::Tensor right = logits.detach().argmax(1).eq(target).logical_and(known);
  scalars["pixel_accuracy"] = right.sum().item<double>() / std::max<double>(1, known.sum().item<double>());
  if (options_.dice_weight == 0) return cross_entropy;
  return cross_entropy + options_.dice_weight * dice_loss(logits, target);
}

torch::Tensor PerceptionTask::loss(const shards::Batch& batch, std::uint64_t seed, Scalars& scalars) {
  const torch::Device device = model_.network()->parameters().front().device();
  const torch::Tensor images = randomly_blurred(colour_jittered(batch.images.to(device), options_.colour_jitter, seed),
                                                options_.blur, derive_seed(seed, kBlurSeed))
                                   .contiguous(at::MemoryFormat::ChannelsLast);
  if (model_.segmenter) return segmentation_loss(images, batch, scalars);
  const models::DetectorOutput output = model_.detector->forward(images);
  std::vector<DetectionTruth> truth;
  for (const layout::Layout& layout : batch.layouts) {
    truth.push_back(detection_truth(layout, model_.detector->config().oriented));
  }
  DetectionTargets targets = detection_targets(truth, output.centres.cpu(), output.strides.cpu());
  for (torch::Tensor* part : {&targets.classes, &targets.distances, &targets.angle, &targets.centreness}) {
    *part = part->to(device);
  }
  return detection_loss(output, targets, scalars);
}

void PerceptionTask::write_preview(const std::filesystem::path& png) {
  const torch::Device device = model_.network()->parameters().front().device();
  const torch::Tensor images = shown_.images.to(device).contiguous(at::MemoryFormat::ChannelsLast);
  std::vector<layout::Layout> said = shown_.layouts;
  if (model_.segmenter) {
    const torch::Tensor classes =
        model_.segmenter->forward(images).argmax(1).to(torch::kCPU, torch::kUInt8).contiguous();
    for (std::size_t i = 0; i < said.size(); ++i) {
      const auto* first = classes[static_cast<std::int64_t>(i)].const_data_ptr<std::uint8_t>();
      layout::DenseMask mask{said[i].width, said[i].height, {}};
      mask.values.assign(first, first + static_cast<std::ptrdiff_t>(said[i].width) * said[i].height);
      for (std::uint8_t& value : mask.values) {
        if (value >= model_.config.taxonomy.size()) value = layout::kUnlabelled;  // background
      }
      said[i].features.clear();
      said[i].mask = std::move(mask);
    }
  } else {
    const auto found = models::detections_of(model_.detector->forward(images), {.least_score = 0.3});
    for (std::size_t i = 0; i < said.size(); ++i) {
      said[i].features.clear();
      for (const models::Detection& d : found[i]) {
        said[i].features.push_back({d.class_index, layout::make_oriented_box(d.box), false, {}});
      }
    }
  }
  write_sample_grid(png, {{"real", shown_.images},
                          {"label", layout_pictures(shown_.layouts, model_.config.taxonomy)},
                          {"found", layout_pictures(said, model_.config.taxonomy)}});
}

void PerceptionTask::save(const std::filesystem::path& folder) { models::save_perception_model(model_, folder); }

Json PerceptionTask::settings() const {
  return {{"task", model_.config.architecture},
          {"classes", layout::taxonomy_to_json(model_.config.taxonomy)},
          {"background", model_.config.background},
          {"colour_jitter", options_.colour_jitter},
          {"blur", options_.blur},
          {"dice_weight", options_.dice_weight}};
}

}  // namespace terragen::training
