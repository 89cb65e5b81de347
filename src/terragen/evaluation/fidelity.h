// How well painted images show what their layouts say: what a judge trained on real images finds of the layouts in
// painted images, against what it finds in the real images of the same layouts.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "terragen/core/canvas.h"
#include "terragen/evaluation/accuracy_score.h"
#include "terragen/evaluation/perception_meter.h"
#include "terragen/synthesis/painter.h"

namespace terragen::evaluation {

struct FidelityOptions {
  std::vector<std::filesystem::path> datasets;
  std::filesystem::path model;  // generator
  std::filesystem::path judge;  // segmenter or detector
  std::string split = "test";
  int size = 256;  // pixels: the middle of every image
  int limit = 0;   // most images of a dataset, spread over its split; 0: all. Of the training images, too
  std::uint64_t seed = 0;
  std::int64_t cas_steps = 0;  // of the classification accuracy score's classifiers (see accuracy_score.h); 0: left out
  synthesis::PaintOptions paint;

  void validate() const;
};

// Of one dataset, and so of one task.
struct FidelityScore {
  std::string dataset;
  std::string task;
  PerceptionReport real;     // of the real crops
  PerceptionReport painted;  // of crops painted from the same layouts
  std::optional<AccuracyScore> accuracy;
};

struct FidelityReport {
  std::string split;
  int size = 0;
  std::uint64_t seed = 0;
  std::string model_hash, judge_hash, judge_architecture;
  synthesis::PaintOptions painting;
  std::vector<FidelityScore> scores;                     // in the order of the datasets
  std::vector<std::pair<Canvas, std::string>> pictures;  // layouts over real over painted images, one a dataset
  double seconds = 0;
  std::int64_t peak_memory = 0;  // bytes, of the process
  // Of painting and of the judge's looking, at the painted and the real images.
  std::size_t painted = 0;
  double painting_seconds = 0;
  double painting_flops = 0;  // see tensor::FlopCounter
};

// painted / real; NaN where the real figure is none or 0.
double fidelity_ratio(double painted, double real);

// Synthetic images of the datasets are left out. Where the split is test, neither generator nor judge may have been
// trained on a test place (see leak_check.h). RequestError, before anything is painted, where a class, task, band or
// size does not fit the generator or the judge.
FidelityReport evaluate_fidelity(const FidelityOptions& options);

}  // namespace terragen::evaluation
