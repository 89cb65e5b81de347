#include "terragen/nn/group_norm.h"

#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>

#include <limits>

#include "terragen/nn/relative_error.h"

namespace terragen::nn {
namespace {

using test::relative_error;

struct Case {
  std::int64_t n, channels, groups, height, width;
};

torch::Tensor normal(const std::vector<std::int64_t>& sizes, std::uint64_t seed) {
  return torch::randn(sizes, at::detail::createCPUGenerator(seed));
}

// The library's normalisation in float64 is the reference; ours sees the same values channels-last.
void compare(const Case& shape, torch::ScalarType type, bool silu, double tolerance) {
  const std::vector<std::int64_t> sizes{shape.n, shape.channels, shape.height, shape.width};
  const torch::Tensor values = (normal(sizes, 1) * 2 + 3).to(type).to(torch::kFloat64);
  const torch::Tensor slope = normal(sizes, 2).to(type).to(torch::kFloat64);
  GroupNorm norm(shape.groups, shape.channels);
  {
    const torch::NoGradGuard no_grad;
    for (torch::Tensor& parameter : norm->parameters()) {
      parameter.copy_(normal({shape.channels}, 3 + static_cast<std::uint64_t>(parameter.dim())) + 0.5);
    }
  }
  const torch::Tensor x = values.to(type).contiguous(at::MemoryFormat::ChannelsLast).detach().requires_grad_(true);
  const torch::Tensor y = silu ? norm->silu(x) : norm(x);
  EXPECT_EQ(y.scalar_type(), type);
  EXPECT_TRUE(y.is_contiguous(at::MemoryFormat::ChannelsLast));
  y.backward(slope.to(type));

  const torch::Tensor rx = values.clone().requires_grad_(true);
  const torch::Tensor weight = norm->named_parameters()["weight"].detach().to(torch::kFloat64).requires_grad_(true);
  const torch::Tensor bias = norm->named_parameters()["bias"].detach().to(torch::kFloat64).requires_grad_(true);
  torch::Tensor ry = at::group_norm(rx, shape.groups, weight, bias, 1e-5);
  if (silu) ry = torch::silu(ry);
  ry.backward(slope);

  EXPECT_LT(relative_error(y.detach(), ry.detach()), tolerance);
  EXPECT_LT(relative_error(x.grad(), rx.grad()), tolerance);
  EXPECT_LT(relative_error(norm->named_parameters()["weight"].grad(), weight.grad()), tolerance);
  EXPECT_LT(relative_error(norm->named_parameters()["bias"].grad(), bias.grad()), tolerance);
}

TEST(GroupNorm, ValuesAndGradientsAreTheLibrarys) {
  for (const Case& shape :
       {Case{2, 64, 32, 16, 16}, Case{3, 24, 8, 5, 7}, Case{1, 320, 32, 4, 4}, Case{2, 6, 1, 3, 2}}) {
    for (const bool silu : {false, true}) {
      compare(shape, torch::kFloat32, silu, 2e-6);
      compare(shape, torch::kBFloat16, silu, 8e-3);
    }
  }
}

// One image on many threads is cut into pieces, whose sums are the same as on one.
TEST(GroupNorm, ThreadsChangeNothing) {
  const int before = at::get_num_threads();
  GroupNorm norm(4, 8);
  for (const std::int64_t images : {1, 3}) {
    const torch::Tensor x = (normal({images, 8, 70, 50}, 1) * 2 + 3).contiguous(at::MemoryFormat::ChannelsLast);
    const auto on = [&](int threads) {
      const torch::NoGradGuard no_grad;
      at::set_num_threads(threads);
      return norm->silu(x);
    };
    const torch::Tensor alone = on(1);
    EXPECT_TRUE(torch::equal(on(2), alone));
    EXPECT_TRUE(torch::equal(on(4), alone));
    EXPECT_LT(relative_error(alone, torch::silu(at::group_norm(x, 4))), 1e-6);
  }
  at::set_num_threads(before);
}

TEST(GroupNorm, SiluKeepsItsTails) {
  const torch::Tensor x = torch::tensor({-1e4F, -100.0F, -88.0F, -20.0F, 20.0F, 88.0F, 100.0F, 1e4F})
                              .view({1, 1, 2, 4})
                              .contiguous(at::MemoryFormat::ChannelsLast);
  GroupNorm norm(1, 1, 0.0, false);
  const torch::Tensor ours = norm->silu(x);
  const torch::Tensor theirs = torch::silu(norm(x));
  EXPECT_TRUE(ours.isfinite().all().item<bool>());
  EXPECT_LT((ours - theirs).abs().max().item<double>(), 1e-6);
}

TEST(GroupNorm, ANumberThatIsNoneStaysOne) {
  torch::Tensor x = torch::zeros({1, 8, 2, 2}).to(torch::kBFloat16).contiguous(at::MemoryFormat::ChannelsLast);
  x[0][3][1][1] = std::numeric_limits<float>::quiet_NaN();
  GroupNorm norm(4, 8);
  EXPECT_TRUE(norm(x)[0][3].isnan().all().item<bool>());
  EXPECT_FALSE(norm(x)[0][5].isnan().any().item<bool>());
}

TEST(GroupNorm, OtherMemoryFormatsAndShapesAgree) {
  GroupNorm norm(4, 8);
  const torch::Tensor x = normal({2, 8, 4, 4}, 1);
  const torch::Tensor last = norm->silu(x.contiguous(at::MemoryFormat::ChannelsLast));
  EXPECT_LT(relative_error(last, norm->silu(x)), 1e-6);
  EXPECT_LT(relative_error(last.reshape({2, 8, 16}), norm->silu(x.reshape({2, 8, 16}))), 1e-6);
}

}  // namespace
}  // namespace terragen::nn
