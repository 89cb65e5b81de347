// What a thing looks like, from one picture of it: tokens that join those of the layout. Lets the generator paint a
// class it was never taught, as in Paint by Example (Yang et al. 2023, arXiv 2211.13227), with a small encoder of our
// own, or with CLIP's.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "terragen/core/json_file.h"
#include "terragen/models/clip_vision_model.h"
#include "terragen/models/layout_encoder.h"

namespace terragen::models {

// The class of a thing whose looks a reference tells instead of its name: one more in the layout encoder's taxonomy.
inline constexpr const char* kReferenceClass = "(reference)";

struct ReferenceEncoderConfig {
  std::int64_t bands = 3;
  std::int64_t size = 64;                                  // pixels a side of a picture
  std::vector<std::int64_t> channels = {32, 64, 96, 128};  // every level halves the picture
  std::int64_t token_dim = 160;
  // CLIP's image encoder in the place of the levels: frozen, it sees the first three bands as red, green and blue, and
  // `size` is its image_size. Its class token and its patches, averaged to 4 x 4, each with the thing's share there,
  // are projected.
  std::optional<ClipVisionConfig> vision;

  // RequestError naming the value that cannot be.
  void validate() const;
  std::int64_t tokens() const;
};
Json to_json(const ReferenceEncoderConfig& config);
// DataError naming `place`.
ReferenceEncoderConfig reference_encoder_config_from_json(const Json& value, const std::string& place);

class ReferenceEncoderImpl : public torch::nn::Module {
 public:
  explicit ReferenceEncoderImpl(ReferenceEncoderConfig config);
  // pictures: [N, bands + 1, size, size]: bands in [-1, 1], then the thing's mask in [0, 1].
  // Returns [N, tokens(), token_dim].
  torch::Tensor forward(const torch::Tensor& pictures);
  // The thing's share of what each token sees: [N, tokens()], in [0, 1].
  torch::Tensor shares(const torch::Tensor& pictures) const;
  const ReferenceEncoderConfig& config() const { return config_; }
  // Puts a network of the config's vision in its place. InternalError where there is none or it is of other sizes.
  void adopt_vision(const ClipVisionModel& vision);

 private:
  void add_levels();
  void freeze_vision();
  torch::Tensor seen_by_vision(const torch::Tensor& pictures);

  ReferenceEncoderConfig config_;
  torch::nn::Sequential levels_{nullptr};
  ClipVisionModel vision_{nullptr};
  torch::nn::Conv2d project_{nullptr};
  torch::nn::Linear project_seen_{nullptr};
  torch::nn::LayerNorm norm_{nullptr};
  torch::Tensor positions_;  // [tokens, token_dim]
};
TORCH_MODULE(ReferenceEncoder);

// The layout's tokens followed by those of references. references: [N, T, token_dim]; present: [N] bool, false where a
// sample has none: its reference tokens are masked out, so that it is what it would be without them.
LayoutEncoding with_references(LayoutEncoding layout, const torch::Tensor& references, const torch::Tensor& present);

}  // namespace terragen::models
