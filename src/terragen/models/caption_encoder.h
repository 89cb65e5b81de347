// Captions as the tokens that a U-Net made from a published model hears: CLIP's tokenizer and text encoder, frozen.
#pragma once

#include <torch/torch.h>

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "terragen/models/clip_text_model.h"
#include "terragen/models/clip_tokenizer.h"

namespace terragen::models {

class CaptionEncoder {
 public:
  CaptionEncoder(ClipTextModel model, ClipTokenizer tokenizer);
  // [N, T, hidden_size], float32, on the device of the text encoder; T is all the tokens it takes. What was encoded is
  // kept. DataError for a caption of more tokens. May be called from several threads at once.
  torch::Tensor encode(const std::vector<std::string>& captions);
  void to(const torch::Device& device);

  const ClipTextModel& model() const { return model_; }
  const ClipTokenizer& tokenizer() const { return tokenizer_; }

 private:
  torch::Tensor encode_one(const std::string& caption);

  ClipTextModel model_;
  ClipTokenizer tokenizer_;
  std::map<std::string, torch::Tensor> kept_;  // [T, hidden_size]
  std::mutex mutex_;
};

}  // namespace terragen::models
