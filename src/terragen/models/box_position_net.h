// What each box says to the image (GLIGEN, Li et al. 2023, arXiv 2301.07093, equation 5), with diffusers' names.
#pragma once

#include <torch/torch.h>

namespace terragen::models {

// Named boxes. Undefined tensors: none.
struct BoxCondition {
  torch::Tensor boxes;       // [N, O, 4]: left, top, right, bottom as shares of width and height, in [0, 1]
  torch::Tensor mask;        // [N, O] float32, 1 where there is a box, 0 where its place is empty
  torch::Tensor embeddings;  // [N, O, text_dim]: the text encoder's pooled state of each box's phrase
};

// A model knows how many boxes it was trained with: the others' places are empty, and the attention sees them so.
// RequestError for more boxes than `places`.
BoxCondition with_empty_places(const BoxCondition& condition, std::int64_t places);

// linears.0, linears.2, linears.4, null_positive_feature, null_position_feature.
class BoxPositionNetImpl : public torch::nn::Module {
 public:
  explicit BoxPositionNetImpl(std::int64_t text_dim);
  // One token a box: [N, O, text_dim].
  torch::Tensor forward(const BoxCondition& condition);

 private:
  torch::nn::Sequential linears_{nullptr};
  torch::Tensor null_positive_, null_position_;
};
TORCH_MODULE(BoxPositionNet);

// Sine and cosine of the coordinates at 8 frequencies 100^(i/8), ordered by frequency, then sine and cosine, then
// coordinate. boxes: [N, O, 4]; result: [N, O, 64].
torch::Tensor box_waves(const torch::Tensor& boxes);

}  // namespace terragen::models
