// The network in whose features the Frechet Inception Distance is measured (Heusel et al. 2017, arXiv 1706.08500):
// Inception v3 (Szegedy et al. 2016, arXiv 1512.00567) as it was published for TensorFlow on 2015-12-05, with the
// parameter names of its conversion for PyTorch, "Conv2d_1a_3x3.conv.weight", "Mixed_5b.branch1x1.bn.running_var".
//
// It is not torchvision's network of that name: its average pools leave the padding out of the count, and the last
// block pools by maximum. Distances between features of different networks cannot be compared.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <filesystem>
#include <vector>

namespace terragen::models {

// One convolution of the network, by its name in the published file.
struct InceptionStep {
  const char* name;
  std::int64_t out, height, width;  // channels; kernel
  std::int64_t stride = 1;
  bool padded = true;  // so that at stride 1 the size remains
};

// conv (without bias), bn, ReLU.
class InceptionConvImpl : public torch::nn::Module {
 public:
  InceptionConvImpl(std::int64_t in, const InceptionStep& step);
  torch::Tensor forward(const torch::Tensor& x);

 private:
  torch::nn::Conv2d conv_{nullptr};
  torch::nn::BatchNorm2d bn_{nullptr};
};
TORCH_MODULE(InceptionConv);

enum class InceptionPool { average, maximum, halving };  // 3 x 3 all; halving: a maximum with stride 2

// Branches over the same input whose channels stand one after the other, the pool's last.
class InceptionBlockImpl : public torch::nn::Module {
 public:
  using Fork = std::vector<InceptionStep>;  // convolutions of one input, side by side
  using Branch = std::vector<Fork>;         // one after the other

  // pool_out: channels of the convolution behind the pool, branch_pool; a halving pool has none and keeps its input's.
  InceptionBlockImpl(std::int64_t in, const std::vector<Branch>& branches, InceptionPool pool,
                     std::int64_t pool_out = 0);
  torch::Tensor forward(const torch::Tensor& x);
  std::int64_t channels() const { return channels_; }

 private:
  std::vector<std::vector<std::vector<InceptionConv>>> branches_;
  InceptionPool pool_;
  InceptionConv branch_pool_{nullptr};
  std::int64_t channels_ = 0;
};
TORCH_MODULE(InceptionBlock);

// Everything but the classifier.
class InceptionV3Impl : public torch::nn::Module {
 public:
  InceptionV3Impl();
  // x: [N, 3, H, W], red, green, blue in [-1, 1], meant for 299 x 299. Features after the first and the second pool,
  // Mixed_6e and Mixed_7c: 64, 192, 768 and 2048 channels, of 73, 35, 17 and 8 pixels a side.
  std::vector<torch::Tensor> forward(const torch::Tensor& x);

 private:
  std::vector<InceptionConv> stem_;
  std::vector<InceptionBlock> mixed_;
};
TORCH_MODULE(InceptionV3);

// The published weights as a safetensors file, ready for use. What the file has for the classifier ("fc.") is left out.
// DataError where anything else is missing, unknown or of another shape.
InceptionV3 load_inception(const std::filesystem::path& path);

// images: [N, 3, H, W] in [-1, 1], any size; resized to 299 x 299 bilinearly, without antialiasing, as the distance is
// defined. The result is [N, 2048], the means of the last features, without gradients.
torch::Tensor inception_features(InceptionV3& network, const torch::Tensor& images_in_minus1_1);

}  // namespace terragen::models
