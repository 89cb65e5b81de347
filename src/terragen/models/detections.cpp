#include "terragen/models/detections.h"

#include <cmath>
#include <format>

#include "terragen/core/error.h"
#include "terragen/metrics/box_overlap.h"

namespace terragen::models {
namespace {

metrics::Quadrilateral corners_of(const Detection& d) {
  const double ax = 0.5 * d.width * std::cos(d.angle);
  const double ay = 0.5 * d.width * std::sin(d.angle);
  const double bx = -0.5 * d.height * std::sin(d.angle);
  const double by = 0.5 * d.height * std::cos(d.angle);
  return {d.cx - ax - bx, d.cy - ay - by, d.cx + ax - bx, d.cy + ay - by,
          d.cx + ax + bx, d.cy + ay + by, d.cx - ax + bx, d.cy - ay + by};
}

double overlap_of(const Detection& one, const Detection& two, bool oriented) {
  if (one.class_index != two.class_index) return 0;
  // Boxes whose circles do not meet need no clipping.
  const double reach = (std::hypot(one.width, one.height) + std::hypot(two.width, two.height)) / 2;
  if (std::hypot(one.cx - two.cx, one.cy - two.cy) > reach) return 0;
  if (oriented) return metrics::quadrilateral_iou(corners_of(one), corners_of(two));
  const auto box = [](const Detection& d) {
    return metrics::Box{d.cx - d.width / 2, d.cy - d.height / 2, d.cx + d.width / 2, d.cy + d.height / 2};
  };
  return metrics::box_iou(box(one), box(two));
}

}  // namespace

std::vector<std::vector<Detection>> detections_of(const DetectorOutput& output, const DetectionOptions& options) {
  if (!(options.least_score >= 0 && options.most_overlap >= 0 && options.most > 0 && options.most_candidates > 0)) {
    throw RequestError("thresholds and limits of detections must not be negative");
  }
  const torch::NoGradGuard no_grad;
  const bool oriented = output.angle.defined();
  const std::int64_t classes = output.logits.size(2);
  const torch::Tensor scores =
      (output.logits.sigmoid() * output.centreness.sigmoid().unsqueeze(2)).sqrt().to(torch::kCPU);
  const torch::Tensor boxes = boxes_from_distances(output.distances, output.angle, output.centres).to(torch::kCPU);
  std::vector<std::vector<Detection>> images;
  for (std::int64_t n = 0; n < scores.size(0); ++n) {
    const torch::Tensor flat = scores[n].flatten();
    const auto [best, where] = flat.topk(std::min<std::int64_t>(options.most_candidates, flat.size(0)));
    std::vector<Detection> candidates;
    std::vector<double> ranked;
    for (std::int64_t i = 0; i < best.size(0); ++i) {
      const double score = best[i].item<double>();
      if (score < options.least_score) break;
      const std::int64_t at = where[i].item<std::int64_t>();
      const torch::Tensor box = boxes[n][at / classes];
      const auto value = [&](std::int64_t k) { return box[k].item<double>(); };
      candidates.push_back({static_cast<int>(at % classes), score, value(0), value(1), value(2), value(3), value(4)});
      ranked.push_back(score);
    }
    std::vector<Detection>& kept = images.emplace_back();
    for (const std::size_t k : metrics::suppress(ranked, options.most_overlap, [&](std::size_t a, std::size_t b) {
           return overlap_of(candidates[a], candidates[b], oriented);
         })) {
      if (std::ssize(kept) == options.most) break;
      kept.push_back(candidates[k]);
    }
  }
  return images;
}

}  // namespace terragen::models
