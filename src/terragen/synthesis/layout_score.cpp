#include "terragen/synthesis/layout_score.h"

#include <algorithm>
#include <numeric>

#include "terragen/metrics/confusion.h"

namespace terragen::synthesis {
namespace {

constexpr double kCertain = 0.3;
constexpr double kMatch = 0.5;

double mask_score(const models::PerceptionInference& judge, const torch::Tensor& image, const layout::Layout& layout) {
  const models::PerceptionConfig& config = judge.model().config;
  const int classes = config.taxonomy.size();
  const layout::DenseMask drawn = config.classes_of(layout);
  const torch::Tensor found = judge.classes(image);
  const auto* first = found.const_data_ptr<std::uint8_t>();
  metrics::ConfusionMatrix confusion(config.outputs());
  confusion.add(drawn.values, std::span(first, drawn.values.size()));
  const metrics::ClassScores iou = confusion.iou();
  double sum = 0;
  int present = 0;
  for (int k = 0; k < classes; ++k) {
    if (confusion.row(k) == 0) continue;
    sum += iou[static_cast<std::size_t>(k)];
    ++present;
  }
  if (present > 0) return sum / present;
  // Nothing but background, or nothing labelled at all, where nothing can be wrong.
  return confusion.total() > 0 ? confusion.pixel_accuracy() : 1.0;
}

double box_score(const models::PerceptionInference& judge, const torch::Tensor& image, const layout::Layout& layout) {
  const bool oriented = judge.model().config.architecture.ends_with("oriented");
  std::vector<bool> found(layout.features.size(), false);
  double right = 0;
  double wrong = 0;
  for (const models::Detection& detection : judge.detections(image, {.least_score = kCertain})) {
    double best = kMatch;
    std::size_t match = found.size();
    for (std::size_t i = 0; i < found.size(); ++i) {
      const layout::Feature& feature = layout.features[i];
      if (found[i] || feature.class_index != detection.class_index) continue;
      const double overlap =
          models::overlap_of(detection.box, models::object_box(feature.geometry, oriented), oriented, feature.crowd);
      if (overlap >= best) best = overlap, match = i;
    }
    if (match < found.size()) {
      // A crowd may be found any number of times and counts for none.
      if (layout.features[match].crowd) continue;
      found[match] = true;
      ++right;
    } else {
      ++wrong;
    }
  }
  double missed = 0;
  for (std::size_t i = 0; i < found.size(); ++i) missed += !found[i] && !layout.features[i].crowd ? 1 : 0;
  const double all = 2 * right + wrong + missed;
  return all > 0 ? 2 * right / all : 1;
}

}  // namespace

double layout_score(const models::PerceptionInference& judge, const torch::Tensor& image,
                    const layout::Layout& layout) {
  return judge.model().config.is_segmenter() ? mask_score(judge, image, layout) : box_score(judge, image, layout);
}

std::vector<std::size_t> lowest_share(const std::vector<double>& scores, double share) {
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, {}, [&](std::size_t i) { return scores[i]; });
  order.resize(static_cast<std::size_t>(share * static_cast<double>(scores.size())));
  return order;
}

double rejection_threshold(std::vector<double> scores, double share) {
  std::ranges::sort(scores);
  return scores.at(static_cast<std::size_t>(share * static_cast<double>(scores.size())));
}

}  // namespace terragen::synthesis
