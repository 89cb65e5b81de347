// Layers that Segment Anything (Kirillov et al. 2023, arXiv 2304.02643) and EfficientSAM (Xiong et al. 2023, arXiv
// 2312.00863) are made of. Both networks have the same parts, with other parameter names and activations.
#pragma once

#include <torch/torch.h>

#include <memory>
#include <string>
#include <vector>

namespace terragen::models {

enum class SamFamily { segment_anything, efficient_sam };

// Registers `part` in `root` under a path such as "neck.0"; the modules on the way hold nothing else.
void register_at(torch::nn::Module& root, const std::string& path, const std::shared_ptr<torch::nn::Module>& part);

// In float32, unless it is in float64 already: what a reduced precision computes is handed on in full.
torch::Tensor at_least_float32(const torch::Tensor& x);

// Every pixel's channels normalised among themselves. weight, bias. x: [N, C, H, W].
class ChannelNormImpl : public torch::nn::Module {
 public:
  explicit ChannelNormImpl(std::int64_t channels);
  torch::Tensor forward(const torch::Tensor& x);

 private:
  torch::Tensor weight_, bias_;
};
TORCH_MODULE(ChannelNorm);

enum class Activation { relu, gelu };

// Linear layers with an activation after all but the last.
class PerceptronImpl : public torch::nn::Module {
 public:
  // widths: of the input, between the layers, and of the output; paths: one a layer.
  PerceptronImpl(const std::vector<std::int64_t>& widths, const std::vector<std::string>& paths, Activation activation);
  torch::Tensor forward(torch::Tensor x);

 private:
  std::vector<torch::nn::Linear> layers_;
  Activation activation_;
};
TORCH_MODULE(Perceptron);

// A perceptron of so many layers as the mask decoder of a family has it: layers.0 .. layers.N, or layers.0.0 .. fc.
Perceptron decoder_perceptron(SamFamily family, std::int64_t in, std::int64_t hidden, std::int64_t out,
                              std::int64_t layers);

// Places as sines and cosines of random projections (Tancik et al. 2020, arXiv 2006.10739).
// positional_encoding_gaussian_matrix: [2, channels / 2].
class RandomFourierEncodingImpl : public torch::nn::Module {
 public:
  explicit RandomFourierEncodingImpl(std::int64_t channels);
  // places: [..., 2], x and y from 0 to 1, float32 or float64; the result is [..., channels], of the matrix's type.
  torch::Tensor forward(const torch::Tensor& places);
  // Of the centres of a square grid's cells: [1, channels, side, side].
  torch::Tensor grid(std::int64_t side);

 private:
  torch::Tensor matrix_;
};
TORCH_MODULE(RandomFourierEncoding);

}  // namespace terragen::models
