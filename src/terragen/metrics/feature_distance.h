// Distances between two sets of feature vectors, one vector an image: how alike two sets of images are to the network
// that made the features.
#pragma once

#include <torch/torch.h>

#include <cstdint>

namespace terragen::metrics {

// Mean and covariance (over n - 1) of features: [n, D]; both float64.
struct FeatureStatistics {
  torch::Tensor mean;        // [D]
  torch::Tensor covariance;  // [D, D]
};
// RequestError for fewer than two vectors or values that are not finite.
FeatureStatistics feature_statistics(const torch::Tensor& features);

// |m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2)) (Heusel et al. 2017, arXiv 1706.08500). The root's trace is taken from
// the eigenvalues of S1^(1/2) S2 S1^(1/2), which is symmetric, so that covariances without full rank do no harm.
double frechet_distance(const FeatureStatistics& one, const FeatureStatistics& two);

// Squared maximum mean discrepancy under the kernel (x.y / D + 1)^3 (Binkowski et al. 2018, arXiv 1801.01401), the
// estimate without bias within either set. one, two: [n, D], equally many.
double kernel_distance(const torch::Tensor& one, const torch::Tensor& two);

struct KernelDistance {
  double mean = 0;
  double deviation = 0;  // over the subsets
};
// Over `subsets` random subsets of `size` vectors of either set, drawn from `seed`.
KernelDistance kernel_distance(const torch::Tensor& one, const torch::Tensor& two, int subsets, std::int64_t size,
                               std::uint64_t seed);
// Over given subsets: rows of either set, [subsets, size] each.
KernelDistance kernel_distance(const torch::Tensor& one, const torch::Tensor& two, const torch::Tensor& rows_one,
                               const torch::Tensor& rows_two);

// Shares of one set that lie among the other: within the distance of some member to its k-th nearest fellow
// (Kynkaanniemi et al. 2019, arXiv 1904.06991).
struct PrecisionRecall {
  double precision = 0;  // of the made, among the real
  double recall = 0;     // of the real, among the made
};
PrecisionRecall precision_recall(const torch::Tensor& made, const torch::Tensor& real, int neighbours = 3);

// exp of the mean divergence of class probabilities from their mean (Salimans et al. 2016, arXiv 1606.03498), mean and
// deviation over `splits` equal runs of rows. logits: [n, K].
KernelDistance inception_score(const torch::Tensor& logits, int splits);

}  // namespace terragen::metrics
