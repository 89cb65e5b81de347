#include "terragen/nn/attention.h"

#include <ATen/autocast_mode.h>
#include <gtest/gtest.h>

#include "terragen/nn/bfloat16_weights.h"
#include "terragen/nn/relative_error.h"

namespace terragen::nn {
namespace {

using test::relative_error;

TEST(FusedAttention, IsTheDefinitionInEveryPath) {
  torch::manual_seed(1);
  for (const std::int64_t keys : {5, 100, 300, 1500}) {
    const torch::Tensor q = torch::randn({2, 3, 700, 8});
    const torch::Tensor k = torch::randn({2, 3, keys, 8});
    const torch::Tensor v = torch::randn({2, 3, keys, 8});
    for (const bool masked : {false, true}) {
      const torch::Tensor bias = torch::zeros({2, 1, 1, keys}).masked_fill(torch::rand({2, 1, 1, keys}).lt(0.3), -1e4);
      const std::optional<torch::Tensor> mask = masked ? std::optional(bias.expand({2, 1, 700, keys})) : std::nullopt;
      const auto expected_for = [&](torch::ScalarType type) {
        const auto seen = [&](const torch::Tensor& x) { return x.to(type).to(torch::kFloat64); };
        torch::Tensor scores = torch::matmul(seen(q), seen(k).transpose(2, 3)) / std::sqrt(8.0);
        if (masked) scores = scores + bias.to(torch::kFloat64);
        return torch::matmul(scores.softmax(-1), seen(v));
      };
      EXPECT_LT(relative_error(fused_attention(q, k, v, mask), expected_for(torch::kFloat32)), 1e-5) << keys;
      const auto half = [](const torch::Tensor& x) { return x.to(torch::kBFloat16); };
      EXPECT_LT(relative_error(fused_attention(half(q), half(k), half(v), mask), expected_for(torch::kBFloat16)), 1e-2)
          << keys;
    }
  }
}

TEST(FusedAttention, GivesGradientsInBfloat16) {
  torch::manual_seed(2);
  const torch::Tensor q = torch::randn({1, 2, 400, 8}, torch::kBFloat16).requires_grad_();
  const torch::Tensor k = torch::randn({1, 2, 400, 8}, torch::kBFloat16);
  fused_attention(q, k, k).sum().backward();
  EXPECT_TRUE(q.grad().defined());
}

// Autocast rounds weights at every call; kept rounded they give the same but for the order of sums.
TEST(Bfloat16Weights, SayTheSameUnderAutocast) {
  torch::manual_seed(3);
  const torch::NoGradGuard no_grad;
  Transformer2D block(TransformerOptions{.channels = 32, .heads = 2, .cross_dim = 16, .layout_dim = 8, .groups = 8});
  const torch::Tensor x = torch::randn({2, 32, 9, 7}).contiguous(at::MemoryFormat::ChannelsLast);
  const AttentionContext context{.text = torch::randn({2, 5, 16}), .layout = torch::randn({2, 3, 8})};
  at::autocast::set_autocast_enabled(torch::kCPU, true);
  const torch::Tensor before = block->forward(x, context);
  at::autocast::clear_cache();
  keep_products_in_bfloat16(*block);
  const torch::Tensor after = block->forward(x, context);
  at::autocast::set_autocast_enabled(torch::kCPU, false);
  at::autocast::clear_cache();
  EXPECT_LT(relative_error(after, before), 5e-3);
  for (const auto& item : block->named_parameters()) {
    const bool norm = item.key().find("norm") != std::string::npos;
    EXPECT_EQ(item.value().scalar_type(), norm ? torch::kFloat32 : torch::kBFloat16) << item.key();
  }
}

}  // namespace
}  // namespace terragen::nn
