#include "terragen/models/caption_encoder.h"

#include <format>

#include "terragen/core/error.h"

namespace terragen::models {
namespace {

// About a quarter of a megabyte each in Stable Diffusion.
constexpr std::size_t kMostKept = 1000;

}  // namespace

CaptionEncoder::CaptionEncoder(ClipTextModel model, ClipTokenizer tokenizer)
    : model_(std::move(model)), tokenizer_(std::move(tokenizer)) {
  for (torch::Tensor& parameter : model_->parameters()) parameter.set_requires_grad(false);
  model_->eval();
}

void CaptionEncoder::to(const torch::Device& device) {
  const std::scoped_lock lock(mutex_);
  if (model_->parameters().front().device() == device) return;
  model_->to(device);
  kept_.clear();
}

torch::Tensor CaptionEncoder::encode_one(const std::string& caption) {
  const auto found = kept_.find(caption);
  if (found != kept_.end()) return found->second;
  const std::int64_t length = model_->config().max_position_embeddings;
  if (const auto count = std::ssize(tokenizer_.ids(caption)); count > length - 2) {
    throw DataError("caption",
                    std::format("\"{}\" is {} tokens long, the text encoder takes {}", caption, count, length - 2));
  }
  // What is kept must not depend on who asked first, and with which precision.
  const c10::impl::ExcludeDispatchKeyGuard full_precision(c10::autocast_dispatch_keyset);
  const torch::Device device = model_->parameters().front().device();
  const torch::Tensor states = model_->forward(tokenizer_.encode({caption}, length).to(device)).last_hidden_state;
  if (kept_.size() >= kMostKept) kept_.clear();
  return kept_[caption] = states[0].to(torch::kFloat32);
}

torch::Tensor CaptionEncoder::encode(const std::vector<std::string>& captions) {
  const torch::NoGradGuard no_grad;
  const std::scoped_lock lock(mutex_);
  std::vector<torch::Tensor> states;
  states.reserve(captions.size());
  for (const std::string& caption : captions) states.push_back(encode_one(caption));
  return torch::stack(states);
}

}  // namespace terragen::models
