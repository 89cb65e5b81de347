#include "terragen/models/layout_fusion.h"

#include <cmath>

#include "terragen/nn/attention.h"

namespace terragen::models {

namespace tn = torch::nn;

LayoutFusionImpl::LayoutFusionImpl(std::int64_t channels, std::int64_t token_dim, std::int64_t heads)
    : heads_(heads), inner_(32 * heads) {
  norm_ = register_module("norm", nn::GroupNorm(8, channels));
  to_q_ = register_module("to_q", tn::Linear(tn::LinearOptions(channels, inner_).bias(false)));
  to_k_ = register_module("to_k", tn::Linear(tn::LinearOptions(token_dim, inner_).bias(false)));
  to_v_ = register_module("to_v", tn::Linear(tn::LinearOptions(token_dim, inner_).bias(false)));
  to_out_ = register_module("to_out", tn::Linear(inner_, channels));
  // At 20 an object half an image away has lost e^-10 of its voice.
  log_alpha_ = register_parameter("log_alpha", torch::full({heads}, std::log(20.0)));
  const torch::NoGradGuard no_grad;
  to_out_->weight.zero_();
  to_out_->bias.zero_();
}

torch::Tensor LayoutFusionImpl::forward(const torch::Tensor& planes, const torch::Tensor& tokens,
                                        const torch::Tensor& mask, const torch::Tensor& distance) {
  const std::int64_t n = planes.size(0);
  const std::int64_t c = planes.size(1);
  const std::int64_t h = planes.size(2);
  const std::int64_t w = planes.size(3);
  const std::int64_t m = tokens.size(1);
  const auto split = [&](const torch::Tensor& x) { return x.view({n, -1, heads_, inner_ / heads_}).transpose(1, 2); };
  const torch::Tensor pixels = norm_(planes).permute({0, 2, 3, 1}).reshape({n, h * w, c});
  const torch::Tensor q = split(to_q_(pixels));
  const torch::Tensor k = split(to_k_(tokens));
  const torch::Tensor v = split(to_v_(tokens));
  const torch::Tensor alpha = log_alpha_.exp().view({1, heads_, 1, 1});
  torch::Tensor prior = -alpha * distance.view({n, m, h * w}).transpose(1, 2).unsqueeze(1);
  prior = prior.masked_fill(mask.logical_not().view({n, 1, 1, m}), -1e4);
  const torch::Tensor mixed = nn::fused_attention(q, k, v, prior);
  const torch::Tensor out = to_out_(mixed.transpose(1, 2).reshape({n, h * w, inner_}));
  return planes + out.view({n, h, w, c}).permute({0, 3, 1, 2});
}

}  // namespace terragen::models
