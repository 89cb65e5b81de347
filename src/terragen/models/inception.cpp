#include "terragen/models/inception.h"

#include <string>

#include "terragen/models/model_io.h"
#include "terragen/nn/resample.h"

namespace terragen::models {

namespace tn = torch::nn;

namespace {

// The paper's kinds of block, by its figures 5, 10, 6, 10 and 7; the first keeps a 5 x 5 that the paper splits in two.
InceptionBlock block_of_squares(std::int64_t in, std::int64_t pool_out) {
  return InceptionBlock(
      in,
      std::vector<InceptionBlockImpl::Branch>{
          {{{"branch1x1", 64, 1, 1}}},
          {{{"branch5x5_1", 48, 1, 1}}, {{"branch5x5_2", 64, 5, 5}}},
          {{{"branch3x3dbl_1", 64, 1, 1}}, {{"branch3x3dbl_2", 96, 3, 3}}, {{"branch3x3dbl_3", 96, 3, 3}}}},
      InceptionPool::average, pool_out);
}

InceptionBlock block_halving_squares(std::int64_t in) {
  return InceptionBlock(
      in,
      std::vector<InceptionBlockImpl::Branch>{
          {{{"branch3x3", 384, 3, 3, 2, false}}},
          {{{"branch3x3dbl_1", 64, 1, 1}}, {{"branch3x3dbl_2", 96, 3, 3}}, {{"branch3x3dbl_3", 96, 3, 3, 2, false}}}},
      InceptionPool::halving);
}

InceptionBlock block_of_bars(std::int64_t in, std::int64_t width) {
  return InceptionBlock(
      in,
      std::vector<InceptionBlockImpl::Branch>{
          {{{"branch1x1", 192, 1, 1}}},
          {{{"branch7x7_1", width, 1, 1}}, {{"branch7x7_2", width, 1, 7}}, {{"branch7x7_3", 192, 7, 1}}},
          {{{"branch7x7dbl_1", width, 1, 1}},
           {{"branch7x7dbl_2", width, 7, 1}},
           {{"branch7x7dbl_3", width, 1, 7}},
           {{"branch7x7dbl_4", width, 7, 1}},
           {{"branch7x7dbl_5", 192, 1, 7}}}},
      InceptionPool::average, 192);
}

InceptionBlock block_halving_bars(std::int64_t in) {
  return InceptionBlock(
      in,
      std::vector<InceptionBlockImpl::Branch>{{{{"branch3x3_1", 192, 1, 1}}, {{"branch3x3_2", 320, 3, 3, 2, false}}},
                                              {{{"branch7x7x3_1", 192, 1, 1}},
                                               {{"branch7x7x3_2", 192, 1, 7}},
                                               {{"branch7x7x3_3", 192, 7, 1}},
                                               {{"branch7x7x3_4", 192, 3, 3, 2, false}}}},
      InceptionPool::halving);
}

InceptionBlock block_of_forks(std::int64_t in, InceptionPool pool) {
  return InceptionBlock(in,
                        std::vector<InceptionBlockImpl::Branch>{
                            {{{"branch1x1", 320, 1, 1}}},
                            {{{"branch3x3_1", 384, 1, 1}}, {{"branch3x3_2a", 384, 1, 3}, {"branch3x3_2b", 384, 3, 1}}},
                            {{{"branch3x3dbl_1", 448, 1, 1}},
                             {{"branch3x3dbl_2", 384, 3, 3}},
                             {{"branch3x3dbl_3a", 384, 1, 3}, {"branch3x3dbl_3b", 384, 3, 1}}}},
                        pool, 192);
}

constexpr std::size_t kLast17 = 7;  // Mixed_6e's place among the blocks, the last of 17 x 17

}  // namespace

InceptionConvImpl::InceptionConvImpl(std::int64_t in, const InceptionStep& step) {
  conv_ = register_module("conv",
                          tn::Conv2d(tn::Conv2dOptions(in, step.out, {step.height, step.width})
                                         .stride(step.stride)
                                         .padding({step.padded ? step.height / 2 : 0, step.padded ? step.width / 2 : 0})
                                         .bias(false)));
  bn_ = register_module("bn", tn::BatchNorm2d(tn::BatchNorm2dOptions(step.out).eps(1e-3)));
}

torch::Tensor InceptionConvImpl::forward(const torch::Tensor& x) { return bn_(conv_(x)).relu_(); }

InceptionBlockImpl::InceptionBlockImpl(std::int64_t in, const std::vector<Branch>& branches, InceptionPool pool,
                                       std::int64_t pool_out)
    : pool_(pool) {
  for (const Branch& branch : branches) {
    std::int64_t channels = in;
    auto& steps = branches_.emplace_back();
    for (const Fork& fork : branch) {
      auto& tines = steps.emplace_back();
      std::int64_t out = 0;
      for (const InceptionStep& step : fork) {
        tines.push_back(register_module(step.name, InceptionConv(channels, step)));
        out += step.out;
      }
      channels = out;
    }
    channels_ += channels;
  }
  if (pool != InceptionPool::halving) {
    branch_pool_ = register_module("branch_pool", InceptionConv(in, InceptionStep{"branch_pool", pool_out, 1, 1}));
  }
  channels_ += branch_pool_ ? pool_out : in;
}

torch::Tensor InceptionBlockImpl::forward(const torch::Tensor& x) {
  std::vector<torch::Tensor> outputs;
  for (auto& branch : branches_) {
    torch::Tensor h = x;
    for (auto& fork : branch) {
      std::vector<torch::Tensor> beside;
      for (InceptionConv& step : fork) beside.push_back(step(h));
      h = beside.size() == 1 ? beside[0] : torch::cat(beside, 1);
    }
    outputs.push_back(h);
  }
  switch (pool_) {
    case InceptionPool::average:
      outputs.push_back(branch_pool_(torch::avg_pool2d(x, 3, 1, 1, /*ceil_mode=*/false, /*count_include_pad=*/false)));
      break;
    case InceptionPool::maximum:
      outputs.push_back(branch_pool_(torch::max_pool2d(x, 3, 1, 1)));
      break;
    case InceptionPool::halving:
      outputs.push_back(torch::max_pool2d(x, 3, 2));
      break;
  }
  return torch::cat(outputs, 1);
}

InceptionV3Impl::InceptionV3Impl() {
  std::int64_t channels = 3;
  for (const InceptionStep& step :
       {InceptionStep{"Conv2d_1a_3x3", 32, 3, 3, 2, false}, InceptionStep{"Conv2d_2a_3x3", 32, 3, 3, 1, false},
        InceptionStep{"Conv2d_2b_3x3", 64, 3, 3}, InceptionStep{"Conv2d_3b_1x1", 80, 1, 1},
        InceptionStep{"Conv2d_4a_3x3", 192, 3, 3, 1, false}}) {
    stem_.push_back(register_module(step.name, InceptionConv(channels, step)));
    channels = step.out;
  }
  const auto add = [&](const char* name, const InceptionBlock& block) {
    mixed_.push_back(register_module(name, block));
    channels = block->channels();
  };
  add("Mixed_5b", block_of_squares(channels, 32));
  add("Mixed_5c", block_of_squares(channels, 64));
  add("Mixed_5d", block_of_squares(channels, 64));
  add("Mixed_6a", block_halving_squares(channels));
  add("Mixed_6b", block_of_bars(channels, 128));
  add("Mixed_6c", block_of_bars(channels, 160));
  add("Mixed_6d", block_of_bars(channels, 160));
  add("Mixed_6e", block_of_bars(channels, 192));
  add("Mixed_7a", block_halving_bars(channels));
  add("Mixed_7b", block_of_forks(channels, InceptionPool::average));
  add("Mixed_7c", block_of_forks(channels, InceptionPool::maximum));
}

std::vector<torch::Tensor> InceptionV3Impl::forward(const torch::Tensor& x) {
  std::vector<torch::Tensor> features;
  torch::Tensor h = stem_[2](stem_[1](stem_[0](x)));
  features.push_back(torch::max_pool2d(h, 3, 2));
  h = stem_[4](stem_[3](features.back()));
  features.push_back(torch::max_pool2d(h, 3, 2));
  h = features.back();
  for (std::size_t i = 0; i < mixed_.size(); ++i) {
    h = mixed_[i](h);
    if (i == kLast17) features.push_back(h);
  }
  features.push_back(h);
  return features;
}

InceptionV3 load_inception(const std::filesystem::path& path) {
  tensor::TensorMap tensors = tensor::load_safetensors(path).tensors;
  std::erase_if(tensors, [](const auto& item) { return item.first.starts_with("fc."); });
  InceptionV3 network;
  // The count of batches, which only training asks for, is younger than the weights, and files may go without it.
  for (const auto& [name, value] : collect_parameters(*network)) {
    if (name.ends_with("num_batches_tracked")) tensors.insert({name, value});
  }
  load_parameters(*network, tensors, path.string());
  network->eval();
  return network;
}

torch::Tensor inception_features(InceptionV3& network, const torch::Tensor& images_in_minus1_1) {
  const torch::NoGradGuard no_grad;
  return network(nn::resize_images(images_in_minus1_1, 299, 299)).back().mean({2, 3});
}

}  // namespace terragen::models
