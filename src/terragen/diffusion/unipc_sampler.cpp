#include "terragen/diffusion/unipc_sampler.h"

#include <algorithm>
#include <cmath>

namespace terragen::diffusion {
namespace {

// Solves sum_k nodes[k]^i w_k = right[i], i = 0 .. n - 1 (n at most 3).
std::vector<double> vandermonde_weights(const std::vector<double>& nodes, const std::vector<double>& right) {
  const auto n = static_cast<std::int64_t>(nodes.size());
  const torch::Tensor row = torch::tensor(nodes, torch::kFloat64).unsqueeze(0);
  const torch::Tensor power = torch::arange(n, torch::kFloat64).unsqueeze(1);
  const torch::Tensor solved = at::linalg_solve(torch::pow(row, power), torch::tensor(right, torch::kFloat64));
  return {solved.const_data_ptr<double>(), solved.const_data_ptr<double>() + n};
}

}  // namespace

UniPcSampler::UniPcSampler(const SchedulerConfig& config, std::int64_t steps) : SolverSampler(config, steps) {}

torch::Tensor UniPcSampler::update(const torch::Tensor& x, std::size_t from, std::int64_t order,
                                   const torch::Tensor& corrected) const {
  const Place t = place(from + 1);
  const Place s = place(from);
  const double h = t.lambda - s.lambda;
  const double hh = config_.predict_x0 ? -h : h;
  const torch::Tensor& m0 = outputs_[0];
  std::vector<double> nodes;
  std::vector<torch::Tensor> differences;
  for (std::int64_t j = 1; j < order; ++j) {
    const auto back = static_cast<std::size_t>(j);
    nodes.push_back((place(from - back).lambda - s.lambda) / h);
    differences.push_back((outputs_[back] - m0) / nodes.back());
  }
  if (corrected.defined()) {
    nodes.push_back(1.0);
    differences.push_back(corrected - m0);
  }
  const double phi_1 = std::expm1(hh);
  const double scale = config_.solver_type == "bh1" ? hh : phi_1;
  std::vector<double> right;
  double phi = phi_1 / hh - 1.0;
  double factorial = 1.0;
  for (std::size_t i = 1; i <= nodes.size(); ++i) {
    right.push_back(phi * factorial / scale);
    factorial *= static_cast<double>(i + 1);
    phi = phi / hh - 1.0 / factorial;
  }
  // With one difference the paper takes one half, whatever the step's length.
  const std::vector<double> weights =
      nodes.size() <= 1 ? std::vector<double>(nodes.size(), 0.5) : vandermonde_weights(nodes, right);
  const double from_sample = config_.predict_x0 ? t.sigma / s.sigma : t.alpha / s.alpha;
  const double reach = config_.predict_x0 ? t.alpha : t.sigma;
  torch::Tensor result = from_sample * x - reach * phi_1 * m0;
  for (std::size_t k = 0; k < differences.size(); ++k) result = result - reach * scale * weights[k] * differences[k];
  return result;
}

torch::Tensor UniPcSampler::step(const torch::Tensor& model_output, std::size_t index, const torch::Tensor& sample,
                                 const torch::Tensor&) {
  const torch::Tensor output = converted(model_output, sample, index, config_.predict_x0);
  // The corrector uses what the network says at the predicted place to arrive there once more.
  const bool corrects =
      index > 0 && std::ranges::find(config_.disable_corrector, static_cast<std::int64_t>(index) - 1) ==
                       config_.disable_corrector.end();
  const torch::Tensor x = corrects ? update(last_sample_, index - 1, order_, output) : sample;
  outputs_.push_front(output);
  if (static_cast<std::int64_t>(outputs_.size()) > config_.solver_order) outputs_.pop_back();
  order_ = std::min(config_.solver_order, static_cast<std::int64_t>(outputs_.size()));
  if (config_.lower_order_final) order_ = std::min(order_, static_cast<std::int64_t>(timesteps().size() - index));
  last_sample_ = x;
  return update(x, index, order_, {});
}

}  // namespace terragen::diffusion
