#include "terragen/training/adversarial_game.h"

#include <algorithm>

namespace terragen::training {
namespace {

// Means over depths and cells, [N] times importance, summed: what a verdict is worth for a batch.
template <typename Value>
torch::Tensor weighed(const std::vector<torch::Tensor>& verdicts, const torch::Tensor& importance, const Value& value) {
  torch::Tensor sum;
  for (const torch::Tensor& verdict : verdicts) {
    const torch::Tensor one = (value(verdict).mean({1, 2, 3}) * importance).sum();
    sum = sum.defined() ? sum + one : one;
  }
  return sum / static_cast<double>(verdicts.size());
}

torch::Tensor softplus(const std::vector<torch::Tensor>& verdicts, const torch::Tensor& importance, double sign) {
  return weighed(verdicts, importance, [&](const torch::Tensor& verdict) { return at::softplus(sign * verdict); });
}

double mean_verdict(const std::vector<torch::Tensor>& verdicts, const torch::Tensor& importance) {
  return weighed(verdicts, importance, [](const torch::Tensor& verdict) { return verdict.detach(); }).item<double>();
}

}  // namespace

AdversarialLosses adversarial_losses(const Judge& judge, const torch::Tensor& estimate, const torch::Tensor& truth,
                                     const torch::Tensor& importance, Scalars& scalars) {
  const torch::Tensor share = importance / importance.sum().clamp_min(1e-12);
  const torch::Tensor made = estimate.detach().requires_grad_(true);
  const auto on_made = judge(made);
  const auto on_real = judge(truth);
  scalars["verdict_made"] = mean_verdict(on_made, share);
  scalars["verdict_real"] = mean_verdict(on_real, share);
  // The generator's gradient is taken at its estimate and carried on as a linear term, so that one backward pass
  // serves both players without either's gradient reaching the other.
  const torch::Tensor pull = torch::autograd::grad({softplus(on_made, share, -1.0)}, {made}, {}, true).front().detach();
  return {softplus(on_made, share, 1.0) + softplus(on_real, share, -1.0),
          scalars["verdict_real"] - scalars["verdict_made"], (pull * estimate).sum()};
}

torch::Tensor balanced(const torch::Tensor& error, const AdversarialLosses& losses, const torch::Tensor& output,
                       double weight, Scalars& scalars) {
  const auto size_at_output = [&](const torch::Tensor& loss) {
    return torch::autograd::grad({loss}, {output}, {}, true).front().to(torch::kFloat32).norm();
  };
  const torch::Tensor ratio = size_at_output(error) / size_at_output(losses.generator).clamp_min(1e-12);
  // A judge that cannot tell yet has no direction to give.
  const double trust = std::clamp(losses.margin, 0.0, 1.0);
  const torch::Tensor generator = losses.generator * (weight * trust * ratio.detach());
  scalars["loss_discriminator"] = losses.discriminator.item<double>();
  return error + losses.discriminator + (generator - generator.detach());
}

}  // namespace terragen::training
