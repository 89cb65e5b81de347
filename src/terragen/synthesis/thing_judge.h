// Whether a frozen segmenter sees the class where a thing of it was painted.
#pragma once

#include <torch/torch.h>

#include <vector>

#include "terragen/models/perception_inference.h"
#include "terragen/synthesis/reference_set.h"

namespace terragen::synthesis {

class ThingJudge {
 public:
  // judge: a segmenter that knows the class as number `class_index`; kept by reference. The threshold is half the
  // quantile `reject_share` of what it finds of the references: it may have learned those by heart. RequestError for a
  // detector and for other bands.
  ThingJudge(const models::PerceptionInference& judge, int class_index, const std::vector<Reference>& references,
             double reject_share);

  // Mean probability of the class over the mask's pixels, in [0, 1]. image: [B, H, W]; mask: [H, W], 1 where the thing
  // is.
  double score(const torch::Tensor& image, const torch::Tensor& mask) const;
  double threshold() const { return threshold_; }
  bool accepts(double score) const { return score >= threshold_; }

 private:
  torch::Tensor probability_of(const torch::Tensor& image) const;  // [H, W]

  const models::PerceptionInference& judge_;
  int class_index_;
  double threshold_ = 0;
};

}  // namespace terragen::synthesis
