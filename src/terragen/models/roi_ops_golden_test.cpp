// torchvision's pooling of regions.
#include <gtest/gtest.h>

#include <algorithm>
#include <format>
#include <functional>

#include "terragen/core/test_paths.h"
#include "terragen/nn/box_ops.h"
#include "terragen/nn/roi_ops.h"
#include "terragen/tensor/safetensors.h"

namespace terragen::nn {
namespace {

double roi_difference(const torch::Tensor& ours, const torch::Tensor& theirs) {
  if (ours.sizes() != theirs.sizes()) return 1e9;
  return (ours.to(torch::kFloat64) - theirs.to(torch::kFloat64)).abs().max().item<double>();
}

// What a name such as roi_align_7_al1_sr-1 asks for; undefined where it asks for nothing known.
torch::Tensor pooled_by_name(const std::string& name, const tensor::TensorMap& in, std::int64_t count) {
  constexpr double kScale = 0.25;
  const torch::Tensor regions = in.at("rois").slice(0, 0, count);  // where there are fewer results, of the first ones
  if (const std::string form = "roi_align_"; name.starts_with(form)) {
    const std::size_t aligned = name.rfind("_al"), samples = name.rfind("_sr");
    if (aligned == std::string::npos || samples == std::string::npos) return {};
    const std::int64_t size = std::stoll(name.substr(form.size()));
    return roi_align(in.at("feat"), regions,
                     {.height = size,
                      .width = size,
                      .scale = kScale,
                      .samples = std::max(0LL, std::stoll(name.substr(samples + 3))),
                      .aligned = name.at(aligned + 3) == '1'});
  }
  if (const std::string form = "roi_pool_"; name.starts_with(form)) {
    const std::int64_t size = std::stoll(name.substr(form.size()));
    return roi_pool(in.at("feat"), regions, size, size, kScale);
  }
  return {};
}

TEST(GoldenRoiOps, AreTorchvisions) {
  const auto cases = test::golden_cases("12_tvops");
  if (cases.empty()) GTEST_SKIP() << "no reference tensors in " << test::golden_folder();
  for (const auto& folder : cases) {
    const auto in = tensor::load_safetensors(folder / "inputs.safetensors").tensors;
    for (const auto& [name, expected] : tensor::load_safetensors(folder / "outputs.safetensors").tensors) {
      if (!name.starts_with("roi_")) continue;
      const torch::Tensor ours = pooled_by_name(name, in, expected.size(0));
      ASSERT_TRUE(ours.defined()) << name;
      const double worst = roi_difference(ours, expected);
      RecordProperty(name, std::format("{:.1e}", worst));
      EXPECT_LT(worst, 1e-6) << name;
    }
  }
}

TEST(GoldenRoiOps, ClippedBoxesAreTorchvisions) {
  const auto cases = test::golden_cases("12_tvops");
  if (cases.empty()) GTEST_SKIP() << "no reference tensors in " << test::golden_folder();
  for (const auto& folder : cases) {
    const auto in = tensor::load_safetensors(folder / "inputs.safetensors").tensors;
    const auto out = tensor::load_safetensors(folder / "outputs.safetensors").tensors;
    EXPECT_TRUE(torch::equal(clip_boxes(in.at("boxes"), 70, 90), out.at("clip")));
  }
}

TEST(RoiOps, GradientsAreThoseOfDifferences) {
  torch::manual_seed(3);
  const torch::Tensor features = torch::randn({2, 1, 5, 6}, torch::kFloat64).requires_grad_();
  const torch::Tensor regions = torch::tensor({{1.0, 2.0, 1.0, 9.5, 8.0}, {0.0, -3.0, 2.5, 6.0, 20.0}});
  const torch::Tensor weights = torch::randn({2, 1, 2, 3}, torch::kFloat64);
  const RoiAlignOptions options{.height = 2, .width = 3, .scale = 0.5};
  const std::function<torch::Tensor()> aligned = [&] {
    return (roi_align(features, regions, options) * weights).sum();
  };
  const std::function<torch::Tensor()> pooled = [&] {
    return (roi_pool(features, regions, 2, 3, 0.5) * weights).sum();
  };
  for (const auto& loss : {aligned, pooled}) {
    features.mutable_grad() = torch::Tensor();
    loss().backward();
    const torch::Tensor gradient = features.grad().flatten();
    const torch::NoGradGuard no_grad;
    const torch::Tensor values = features.view({-1});
    constexpr double kStep = 1e-6;
    for (std::int64_t i = 0; i < values.size(0); ++i) {
      values[i].add_(kStep);
      const double above = loss().item<double>();
      values[i].sub_(2 * kStep);
      const double below = loss().item<double>();
      values[i].add_(kStep);
      EXPECT_NEAR(gradient[i].item<double>(), (above - below) / (2 * kStep), 1e-6) << i;
    }
  }
}

TEST(RoiOps, NoRegionsAndRegionsOfNoImage) {
  const torch::Tensor features = torch::ones({2, 3, 8, 8});
  EXPECT_EQ(roi_align(features, torch::empty({0, 5}), {}).sizes(), (std::vector<std::int64_t>{0, 3, 7, 7}));
  EXPECT_EQ(roi_pool(features, torch::empty({0, 5}), 2, 4, 1.0).sizes(), (std::vector<std::int64_t>{0, 3, 2, 4}));
  EXPECT_THROW(roi_align(features, torch::tensor({{2.0, 0.0, 0.0, 4.0, 4.0}}), {}), c10::IndexError);
}

}  // namespace
}  // namespace terragen::nn
