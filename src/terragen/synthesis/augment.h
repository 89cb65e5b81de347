// One dataset out of another: its real images, and new ones made from them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "terragen/data/dataset.h"
#include "terragen/models/perception_inference.h"
#include "terragen/synthesis/painter.h"
#include "terragen/synthesis/variation.h"

namespace terragen::synthesis {

struct AugmentOptions {
  // "terragen": real images and layouts, varied, are painted anew; "copy-paste", "photometric", "geometric": real
  // images are altered.
  std::string method = "terragen";
  int per_image = 1;  // new images for every one of the training split
  std::uint64_t seed = 0;
  VariationOptions variation;         // of "terragen"; `size` also of the windows that "copy-paste" joins
  std::optional<double> least_score;  // new images that the judge scores lower are rejected
  double reject_share = 0;            // or: this share of them, the lowest
  bool keep_real = true;              // false: only new images are written

  void validate() const;
};

struct AugmentSummary {
  std::size_t real = 0;
  std::size_t made = 0;
  std::size_t rejected = 0;
  double threshold = 0;   // score that was asked of new images; 0: none was judged
  double mean_score = 0;  // of all that were made
  double make_seconds = 0;
  double judge_seconds = 0;
  double make_flops = 0;  // see tensor::FlopCounter
  double judge_flops = 0;
};

// New images come from the training split alone and belong to it. `painter` is needed by "terragen" only; `judge` (see
// layout_score) where images are to be rejected. RequestError when the painter or judge lacks a class or task or is for
// other bands. Operations are counted, so that no FlopCounter may be alive. A killed or interrupted run leaves
// OUTPUT.partial; the same call goes on there and ends with the same dataset, another one is refused with RequestError.
// What the summary says of cost is that of all that was made, in however many runs.
AugmentSummary augment_dataset(const data::Dataset& dataset, Painter* painter, const models::PerceptionInference* judge,
                               const AugmentOptions& options, const std::filesystem::path& output);

}  // namespace terragen::synthesis
