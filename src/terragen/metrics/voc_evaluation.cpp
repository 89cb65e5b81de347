#include "terragen/metrics/voc_evaluation.h"

#include <algorithm>
#include <limits>

namespace terragen::metrics {
namespace {

double area_under_envelope(const VocResult& curve) {
  double area = 0;
  double envelope = 0;
  for (std::size_t i = curve.recall.size(); i > 0; --i) {
    envelope = std::max(envelope, curve.precision[i - 1]);
    const double before = i > 1 ? curve.recall[i - 2] : 0.0;
    area += (curve.recall[i - 1] - before) * envelope;
  }
  return area;
}

double eleven_points(const VocResult& curve) {
  double sum = 0;
  for (int k = 0; k <= 10; ++k) {
    double best = 0;
    for (std::size_t i = 0; i < curve.recall.size(); ++i) {
      if (curve.recall[i] >= k * 0.1) best = std::max(best, curve.precision[i]);
    }
    sum += best / 11.0;
  }
  return sum;
}

}  // namespace

VocResult evaluate_voc(const std::vector<VocGroup>& groups, double least) {
  struct Candidate {
    double score;
    std::size_t group, detection;
  };
  std::vector<Candidate> candidates;
  std::vector<std::vector<bool>> taken;
  double to_find = 0;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    for (std::size_t d = 0; d < groups[g].scores.size(); ++d) candidates.push_back({groups[g].scores[d], g, d});
    taken.emplace_back(groups[g].difficult.size(), false);
    to_find += static_cast<double>(std::ranges::count(groups[g].difficult, false));
  }
  std::ranges::stable_sort(candidates, std::greater<>{}, &Candidate::score);
  VocResult result;
  double right = 0;
  double wrong = 0;
  for (const Candidate& candidate : candidates) {
    const VocGroup& group = groups[candidate.group];
    double best = -std::numeric_limits<double>::infinity();
    std::size_t truth = 0;
    for (std::size_t t = 0; t < group.difficult.size(); ++t) {
      const double overlap = group.overlap(candidate.detection, t);
      if (overlap > best) best = overlap, truth = t;
    }
    if (!(best > least)) {
      wrong += 1;
    } else if (!group.difficult[truth]) {
      (taken[candidate.group][truth] ? wrong : right) += 1;
      taken[candidate.group][truth] = true;
    }
    result.recall.push_back(right / to_find);
    result.precision.push_back(right / std::max(right + wrong, std::numeric_limits<double>::epsilon()));
  }
  const bool nothing = to_find == 0;
  result.ap = nothing ? std::numeric_limits<double>::quiet_NaN() : area_under_envelope(result);
  result.ap_11_points = nothing ? std::numeric_limits<double>::quiet_NaN() : eleven_points(result);
  return result;
}

}  // namespace terragen::metrics
