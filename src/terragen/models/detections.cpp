#include "terragen/models/detections.h"

#include <cmath>
#include <format>

#include "terragen/core/error.h"

namespace terragen::models {

layout::OrientedBox object_box(const layout::Geometry& geometry, bool oriented) {
  if (oriented) return layout::minimum_oriented_box(geometry);
  const layout::Bounds b = layout::bounds_of(geometry);
  return {(b.x0 + b.x1) / 2, (b.y0 + b.y1) / 2, b.width(), b.height(), 0};
}

metrics::Quadrilateral corners_of(const layout::Geometry& geometry) {
  const bool four =
      geometry.parts.size() == 1 && geometry.parts[0].holes.empty() && geometry.parts[0].exterior.size() == 4;
  const layout::Geometry shape = four ? geometry : layout::make_oriented_box(layout::minimum_oriented_box(geometry));
  metrics::Quadrilateral corners{};
  for (std::size_t k = 0; k < 4; ++k) {
    corners[2 * k] = shape.parts[0].exterior[k].x;
    corners[2 * k + 1] = shape.parts[0].exterior[k].y;
  }
  return corners;
}

bool may_meet(const layout::OrientedBox& one, const layout::OrientedBox& other) {
  const double reach = (std::hypot(one.width, one.height) + std::hypot(other.width, other.height)) / 2;
  return std::hypot(one.cx - other.cx, one.cy - other.cy) <= reach;
}

double overlap_of(const layout::OrientedBox& detection, const layout::OrientedBox& truth, bool oriented, bool crowd) {
  if (!may_meet(detection, truth)) return 0;
  if (oriented) {
    const double iou = metrics::quadrilateral_iou(corners_of(layout::make_oriented_box(detection)),
                                                  corners_of(layout::make_oriented_box(truth)));
    if (!crowd) return iou;
    const double area = detection.width * detection.height;
    return area > 0 ? iou / (1 + iou) * (area + truth.width * truth.height) / area : 0;
  }
  const auto box = [](const layout::OrientedBox& b) {
    return metrics::Box{b.cx - b.width / 2, b.cy - b.height / 2, b.cx + b.width / 2, b.cy + b.height / 2};
  };
  return metrics::box_iou(box(detection), box(truth), crowd);
}

metrics::Box bounds_of(const Detection& detection) {
  const layout::Bounds b = layout::bounds_of(layout::make_oriented_box(detection.box));
  return {b.x0, b.y0, b.x1, b.y1};
}

std::vector<Detection> suppressed(const std::vector<Detection>& candidates, bool oriented,
                                  const DetectionOptions& options) {
  std::vector<double> scores;
  std::vector<metrics::Box> bounds;
  for (const Detection& candidate : candidates) {
    scores.push_back(candidate.score);
    bounds.push_back(bounds_of(candidate));
  }
  const auto overlap = [&](std::size_t a, std::size_t b) {
    const bool rivals = candidates[a].class_index == candidates[b].class_index;
    return rivals ? overlap_of(candidates[a].box, candidates[b].box, oriented) : 0.0;
  };
  std::vector<Detection> kept;
  for (const std::size_t k : metrics::suppress(scores, options.most_overlap, overlap, bounds)) {
    if (std::ssize(kept) == options.most) break;
    kept.push_back(candidates[k]);
  }
  return kept;
}

std::vector<std::vector<Detection>> detections_of(const DetectorOutput& output, const DetectionOptions& options) {
  if (!(options.least_score >= 0 && options.most_overlap >= 0 && options.most > 0 && options.most_candidates > 0)) {
    throw RequestError("thresholds and limits of detections must not be negative");
  }
  const torch::NoGradGuard no_grad;
  const std::int64_t classes = output.logits.size(2);
  const torch::Tensor scores =
      (output.logits.sigmoid() * output.centreness.sigmoid().unsqueeze(2)).sqrt().to(torch::kCPU, torch::kFloat32);
  const torch::Tensor boxes =
      boxes_from_distances(output.distances, output.angle, output.centres).to(torch::kCPU, torch::kFloat32);
  std::vector<std::vector<Detection>> images;
  for (std::int64_t n = 0; n < scores.size(0); ++n) {
    const torch::Tensor flat = scores[n].flatten();
    const auto [best, where] = flat.topk(std::min<std::int64_t>(options.most_candidates, flat.size(0)));
    const torch::Tensor rows = boxes[n].index_select(0, where.div(classes, "floor"));
    const auto score = best.accessor<float, 1>();
    const auto cell = where.accessor<std::int64_t, 1>();
    const auto box = rows.accessor<float, 2>();
    std::vector<Detection> candidates;
    for (std::int64_t i = 0; i < best.size(0) && static_cast<double>(score[i]) >= options.least_score; ++i) {
      const layout::OrientedBox found{box[i][0], box[i][1], box[i][2], box[i][3], box[i][4]};
      if (!std::isfinite(found.cx + found.cy + found.width + found.height + found.angle)) continue;
      candidates.push_back({static_cast<int>(cell[i] % classes), score[i], found});
    }
    images.push_back(suppressed(candidates, output.angle.defined(), options));
  }
  return images;
}

}  // namespace terragen::models
