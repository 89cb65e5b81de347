#include "terragen/metrics/feature_distance.h"

#include <cmath>
#include <format>
#include <vector>

#include "terragen/core/error.h"
#include "terragen/core/seed.h"

namespace terragen::metrics {
namespace {

torch::Tensor checked(const torch::Tensor& features, std::int64_t least) {
  if (features.dim() != 2) throw InternalError("[feature_distance] features are no matrix");
  if (features.size(0) < least) {
    throw RequestError(std::format("{} images are too few to be compared, {} are needed", features.size(0), least));
  }
  const torch::Tensor exact = features.detach().to(torch::kCPU, torch::kFloat64);
  if (!exact.isfinite().all().item<bool>()) throw RequestError("features are not finite");
  return exact;
}

void check_alike(const torch::Tensor& one, const torch::Tensor& two) {
  if (one.size(1) != two.size(1)) {
    throw RequestError(std::format("features of {} and of {} numbers cannot be compared", one.size(1), two.size(1)));
  }
}

torch::Tensor cubic_kernel(const torch::Tensor& one, const torch::Tensor& two) {
  return (one.matmul(two.t()) / static_cast<double>(one.size(1)) + 1.0).pow(3);
}

// Both of the same number of rows, float64.
double discrepancy(const torch::Tensor& one, const torch::Tensor& two) {
  const auto m = static_cast<double>(one.size(0));
  const auto within = [&](const torch::Tensor& rows) {
    const torch::Tensor kernel = cubic_kernel(rows, rows);
    return (kernel.sum() - kernel.diagonal().sum()).item<double>() / (m * (m - 1));
  };
  return within(one) + within(two) - 2 * cubic_kernel(one, two).sum().item<double>() / (m * m);
}

KernelDistance spread_of(const std::vector<double>& values) {
  const torch::Tensor all = torch::tensor(values, torch::kFloat64);
  return {all.mean().item<double>(), all.std(false).item<double>()};
}

// Distance of every row to its k-th nearest other row: [n].
torch::Tensor radii(const torch::Tensor& rows, std::int64_t k) {
  return std::get<0>(torch::cdist(rows, rows).kthvalue(k + 1, 1));
}

double share_among(const torch::Tensor& asked, const torch::Tensor& others, const torch::Tensor& radius) {
  return torch::cdist(asked, others).le(radius.unsqueeze(0)).any(1).to(torch::kFloat64).mean().item<double>();
}

}  // namespace

FeatureStatistics feature_statistics(const torch::Tensor& features) {
  const torch::Tensor rows = checked(features, 2);
  const torch::Tensor mean = rows.mean(0);
  const torch::Tensor centred = rows - mean;
  return {mean, centred.t().matmul(centred) / static_cast<double>(rows.size(0) - 1)};
}

double frechet_distance(const FeatureStatistics& one, const FeatureStatistics& two) {
  if (one.mean.size(0) != two.mean.size(0)) throw RequestError("features of different length cannot be compared");
  const auto [values, vectors] = torch::linalg_eigh(one.covariance, "L");
  const torch::Tensor root = (vectors * values.clamp_min(0).sqrt().unsqueeze(0)).matmul(vectors.t());
  const torch::Tensor product = root.matmul(two.covariance).matmul(root);
  const torch::Tensor symmetric = 0.5 * (product + product.t());
  const double trace_of_root = torch::linalg_eigvalsh(symmetric, "L").clamp_min(0).sqrt().sum().item<double>();
  return (one.mean - two.mean).square().sum().item<double>() + one.covariance.trace().item<double>() +
         two.covariance.trace().item<double>() - 2 * trace_of_root;
}

double kernel_distance(const torch::Tensor& one, const torch::Tensor& two) {
  const torch::Tensor a = checked(one, 2);
  const torch::Tensor b = checked(two, 2);
  check_alike(a, b);
  if (a.size(0) != b.size(0)) {
    throw RequestError(
        std::format("{} images against {}: the kernel distance takes equally many", a.size(0), b.size(0)));
  }
  return discrepancy(a, b);
}

KernelDistance kernel_distance(const torch::Tensor& one, const torch::Tensor& two, int subsets, std::int64_t size,
                               std::uint64_t seed) {
  if (subsets < 1) throw RequestError(std::format("{} subsets are not possible", subsets));
  Random random(seed);
  const auto draw = [&](std::int64_t n) {
    std::vector<std::int64_t> rows(static_cast<std::size_t>(n));
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<std::int64_t>(i);
    for (std::size_t i = 0; i < static_cast<std::size_t>(size); ++i) {
      std::swap(rows[i], rows[i + static_cast<std::size_t>(random.below(n - static_cast<std::int64_t>(i)))]);
    }
    rows.resize(static_cast<std::size_t>(size));
    return torch::tensor(rows);
  };
  if (size < 2 || size > one.size(0) || size > two.size(0)) {
    throw RequestError(
        std::format("subsets of {} images cannot be drawn from {} and {}", size, one.size(0), two.size(0)));
  }
  std::vector<torch::Tensor> rows_one;
  std::vector<torch::Tensor> rows_two;
  for (int i = 0; i < subsets; ++i) {
    rows_one.push_back(draw(one.size(0)));
    rows_two.push_back(draw(two.size(0)));
  }
  return kernel_distance(one, two, torch::stack(rows_one), torch::stack(rows_two));
}

KernelDistance kernel_distance(const torch::Tensor& one, const torch::Tensor& two, const torch::Tensor& rows_one,
                               const torch::Tensor& rows_two) {
  const torch::Tensor a = checked(one, 2);
  const torch::Tensor b = checked(two, 2);
  check_alike(a, b);
  std::vector<double> values;
  for (std::int64_t i = 0; i < rows_one.size(0); ++i) {
    values.push_back(discrepancy(a.index_select(0, rows_one[i]), b.index_select(0, rows_two[i])));
  }
  return spread_of(values);
}

PrecisionRecall precision_recall(const torch::Tensor& made, const torch::Tensor& real, int neighbours) {
  if (neighbours < 1) throw RequestError(std::format("{} neighbours are not possible", neighbours));
  const torch::Tensor a = checked(made, neighbours + 1);
  const torch::Tensor b = checked(real, neighbours + 1);
  check_alike(a, b);
  return {share_among(a, b, radii(b, neighbours)), share_among(b, a, radii(a, neighbours))};
}

KernelDistance inception_score(const torch::Tensor& logits, int splits) {
  const torch::Tensor rows = checked(logits, std::max(1, splits));
  if (splits < 1) throw RequestError(std::format("{} splits are not possible", splits));
  std::vector<double> values;
  const std::int64_t n = rows.size(0);
  for (std::int64_t i = 0; i < splits; ++i) {
    const torch::Tensor part = rows.slice(0, i * n / splits, (i + 1) * n / splits);
    const torch::Tensor log_probability = part.log_softmax(1);
    const torch::Tensor probability = log_probability.exp();
    const torch::Tensor log_mean = probability.mean(0, true).log();
    values.push_back(std::exp((probability * (log_probability - log_mean)).sum(1).mean().item<double>()));
  }
  return spread_of(values);
}

}  // namespace terragen::metrics
