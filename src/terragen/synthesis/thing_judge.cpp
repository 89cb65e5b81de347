#include "terragen/synthesis/thing_judge.h"

#include "terragen/core/error.h"
#include "terragen/synthesis/layout_score.h"

namespace terragen::synthesis {
namespace {

double mean_within(const torch::Tensor& values, const torch::Tensor& mask) {
  return ((values * mask).sum() / mask.sum()).item<double>();
}

}  // namespace

ThingJudge::ThingJudge(const models::PerceptionInference& judge, int class_index,
                       const std::vector<Reference>& references, double reject_share)
    : judge_(judge), class_index_(class_index) {
  const models::PerceptionConfig& config = judge.model().config;
  if (!config.is_segmenter()) throw RequestError("the judge of painted things must be a segmenter");
  if (references.empty()) throw InternalError("[ThingJudge] there are no references");
  if (std::ssize(config.images.bands) != references.front().image.size(0)) {
    throw RequestError("the judge is for another number of bands than the examples have");
  }
  std::vector<double> scores;
  torch::Tensor image;
  torch::Tensor probability;
  for (const Reference& reference : references) {
    // Things of one example follow one another.
    if (!image.defined() || !reference.image.is_same(image)) probability = probability_of(reference.image);
    image = reference.image;
    scores.push_back(mean_within(probability, reference.mask));
  }
  threshold_ = 0.5 * rejection_threshold(std::move(scores), reject_share);
}

double ThingJudge::score(const torch::Tensor& image, const torch::Tensor& mask) const {
  return mean_within(probability_of(image), mask);
}

torch::Tensor ThingJudge::probability_of(const torch::Tensor& image) const {
  return judge_.class_probabilities(image)[class_index_];
}

}  // namespace terragen::synthesis
