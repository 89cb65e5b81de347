// The account of a golden case's outputs: every one is compared, or the test fails. For tests only.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <format>
#include <set>
#include <string>

#include "terragen/tensor/safetensors.h"

namespace terragen::test {

// Every `bands`th channel and every `pixels`th row and column of x: [N, C, H, W], as large references are kept.
inline torch::Tensor thinned(const torch::Tensor& x, std::int64_t bands, std::int64_t pixels) {
  return x.slice(1, 0, x.size(1), bands).slice(2, 0, x.size(2), pixels).slice(3, 0, x.size(3), pixels);
}

class GoldenOutputs {
 public:
  explicit GoldenOutputs(const std::filesystem::path& folder)
      : case_(folder.filename().string()), all_(tensor::load_safetensors(folder / "outputs.safetensors").tensors) {}
  const tensor::TensorMap& all() const { return all_; }

  // Real numbers must agree to absolute + relative * |expected|, all others exactly.
  void compare(const std::string& name, const torch::Tensor& ours, double absolute = 5e-5, double relative = 5e-5) {
    compare_numbers(name, ours, absolute, relative, 0.0);
  }

  // To a thousandth of what the expected numbers spread, for networks at full size.
  void compare_spread(const std::string& name, const torch::Tensor& ours) {
    compare(name, ours, 1e-3 * all_.at(name).std().item<double>(), 1e-3);
  }

  // Where rounding grows on its way: `exact` is what the same network says in float64. The reference was rounded too,
  // in another order, so that it may be as far from the truth as ours several times over; both have to be near it.
  void compare_rounded(const std::string& name, const torch::Tensor& ours, const torch::Tensor& exact) {
    compare_numbers(name, ours, 5e-5, 5e-5, rounding(name, ours, exact));
    const auto found = all_.find(name);
    if (found == all_.end() || found->second.sizes() != ours.sizes()) return;
    const torch::Tensor theirs = found->second.to(torch::kFloat64);
    EXPECT_LE((ours - theirs).norm().item<double>(), 1e-3 * theirs.norm().item<double>()) << case_ << " " << name;
  }

  // Masks of logits above 0: they must agree wherever ours are further from 0 than rounding can reach.
  void compare_masks(const std::string& name, const torch::Tensor& logits, const torch::Tensor& exact) {
    const torch::Tensor ours = logits.gt(0);
    const torch::Tensor* expected = of_form(name, ours);
    if (expected == nullptr) return;
    const torch::Tensor differs = ours.ne(*expected);
    testing::Test::RecordProperty(case_ + ":" + name, std::format("{} pixels", differs.sum().item<std::int64_t>()));
    const torch::Tensor clear = logits.abs().gt(5e-5 + rounding(name, logits, exact));
    EXPECT_GT(clear.to(torch::kFloat64).mean().item<double>(), 0.98) << case_ << " " << name;
    EXPECT_FALSE((differs & clear).any().item<bool>()) << case_ << " " << name;
  }

  void expect_all_compared() const {
    for (const auto& [name, value] : all_)
      EXPECT_TRUE(compared_.contains(name)) << case_ << ": nothing compares " << name;
  }

 private:
  // How far apart two roundings may be.
  double rounding(const std::string& name, const torch::Tensor& ours, const torch::Tensor& exact) const {
    constexpr double kTimes = 16.0;
    const double own = (ours.to(torch::kFloat64) - exact).abs().max().item<double>();
    EXPECT_LT(own, 1e-2 * exact.abs().max().item<double>())
        << case_ << " " << name << " is too ill-conditioned to compare";
    return kTimes * own;
  }

  void compare_numbers(const std::string& name, const torch::Tensor& ours, double absolute, double relative,
                       double noise) {
    const torch::Tensor* expected = of_form(name, ours);
    if (expected == nullptr) return;
    const torch::Tensor theirs = expected->to(torch::kFloat64), difference = (ours.to(torch::kFloat64) - theirs).abs();
    if (!expected->is_floating_point()) {
      EXPECT_EQ(difference.count_nonzero().item<std::int64_t>(), 0) << case_ << " " << name;
      return;
    }
    if (difference.numel() == 0) return;
    const double worst = difference.max().item<double>();
    testing::Test::RecordProperty(
        case_ + ":" + name, noise > 0 ? std::format("{:.1e} of {:.1e}", worst, noise) : std::format("{:.1e}", worst));
    const torch::Tensor excess = difference - (absolute + noise + relative * theirs.abs());
    EXPECT_LE(excess.max().item<double>(), 0.0) << case_ << " " << name << ", worst " << worst;
  }

  const torch::Tensor* of_form(const std::string& name, const torch::Tensor& ours) {
    const auto found = all_.find(name);
    if (found == all_.end()) {
      ADD_FAILURE() << case_ << " has no output " << name;
      return nullptr;
    }
    compared_.insert(name);
    const torch::Tensor& theirs = found->second;
    EXPECT_EQ(ours.sizes(), theirs.sizes()) << case_ << " " << name;
    EXPECT_EQ(ours.scalar_type(), theirs.scalar_type()) << case_ << " " << name;
    return ours.sizes() == theirs.sizes() ? &theirs : nullptr;
  }

  std::string case_;
  tensor::TensorMap all_;
  std::set<std::string> compared_;
};

}  // namespace terragen::test
