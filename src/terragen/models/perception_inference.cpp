#include "terragen/models/perception_inference.h"

#include "terragen/core/error.h"

namespace terragen::models {
namespace {

constexpr std::int64_t kSideMultiple = 32;

// [1, B, H', W'] with sides that are multiples of 32.
torch::Tensor padded(const torch::Tensor& image) {
  const auto missing = [](std::int64_t size) { return (kSideMultiple - size % kSideMultiple) % kSideMultiple; };
  const std::int64_t right = missing(image.size(2));
  const std::int64_t bottom = missing(image.size(1));
  if (right == 0 && bottom == 0) return image.unsqueeze(0);
  // Mirroring needs more image than it adds.
  const bool mirror = right < image.size(2) && bottom < image.size(1);
  const std::vector<std::int64_t> sides{0, right, 0, bottom};
  return mirror ? at::reflection_pad2d(image.unsqueeze(0), sides) : at::replication_pad2d(image.unsqueeze(0), sides);
}

}  // namespace

PerceptionInference::PerceptionInference(PerceptionModel model, tensor::ComputeOptions compute)
    : model_(std::move(model)), compute_(std::move(compute)), device_(tensor::parse_device(compute_.device)) {
  compute_.validate();
  if (model_.config.is_classifier()) {
    throw RequestError("a classifier says nothing of single pixels or objects", "name a segmenter or detector");
  }
  model_.network()->to(device_);
  model_.network()->eval();
}

torch::Tensor PerceptionInference::prepared(const torch::Tensor& image) const {
  if (image.size(0) != std::ssize(model_.config.images.bands)) {
    throw InternalError("[PerceptionInference] the image's bands are not the model's");
  }
  return padded(image).to(device_).contiguous(at::MemoryFormat::ChannelsLast);
}

torch::Tensor PerceptionInference::logits(const torch::Tensor& image) const {
  if (!model_.segmenter) throw InternalError("[PerceptionInference] a detector has no classes of pixels");
  const torch::NoGradGuard no_grad;
  const tensor::AutocastGuard autocast(device_.type(), compute_.precision == "bf16");
  return model_.segmenter->forward(prepared(image))[0].slice(1, 0, image.size(1)).slice(2, 0, image.size(2));
}

torch::Tensor PerceptionInference::class_probabilities(const torch::Tensor& image) const {
  return logits(image).to(torch::kFloat32).softmax(0).to(torch::kCPU);
}

torch::Tensor PerceptionInference::classes(const torch::Tensor& image) const {
  return logits(image).argmax(0).to(torch::kCPU, torch::kUInt8).contiguous();
}

std::vector<Detection> PerceptionInference::detections(const torch::Tensor& image,
                                                       const DetectionOptions& options) const {
  if (model_.detector.is_empty()) throw InternalError("[PerceptionInference] a segmenter finds no objects");
  const torch::NoGradGuard no_grad;
  const tensor::AutocastGuard autocast(device_.type(), compute_.precision == "bf16");
  Detector detector = model_.detector;
  std::vector<Detection> found = detections_of(detector->forward(prepared(image)), options).front();
  // What is seen in the mirrored margin is not there.
  std::erase_if(found, [&](const Detection& object) {
    return object.box.cx < 0 || object.box.cy < 0 || object.box.cx >= static_cast<double>(image.size(2)) ||
           object.box.cy >= static_cast<double>(image.size(1));
  });
  return found;
}

}  // namespace terragen::models
