// The classification accuracy score of a generator (Ravuri & Vinyals 2019, arXiv 1905.10887): what a classifier that
// has seen painted images alone is worth on real ones.
#pragma once

#include <cstdint>
#include <string>

#include "terragen/core/json_file.h"
#include "terragen/data/dataset.h"
#include "terragen/evaluation/classification.h"
#include "terragen/synthesis/painter.h"

namespace terragen::evaluation {

struct AccuracyScoreOptions {
  std::int64_t steps = 300;    // of either classifier
  int size = 256;              // pixels of the training images
  std::uint64_t seed = 0;      // of painting and training
  std::string split = "test";  // of the images both are tested on
  tensor::ComputeOptions compute;

  void validate() const;
};

struct AccuracyScore {
  std::int64_t steps = 0;
  std::size_t training_images = 0;
  ClassificationReport real;     // trained on the real training images
  ClassificationReport painted;  // trained on images painted from the same layouts
  double paint_seconds = 0;
  double train_seconds = 0;  // of both
};

// RequestError where the dataset has no training images, one below `size`, or nothing to tell apart.
void check_accuracy_score(const data::Dataset& dataset, const AccuracyScoreOptions& options);

// Two classifiers (see training/classification_task.h) with equal steps, draws and augmentation: one sees the middle of
// every training image of `dataset`, the other what `painter` makes of its layout, both as 8-bit images. Both are
// tested on the whole real images of the split. RequestError where the dataset does not fit (see above), or not the
// painter (see repainting.h).
AccuracyScore classification_accuracy_score(const data::Dataset& dataset, synthesis::Painter& painter,
                                            const AccuracyScoreOptions& options);
Json to_json(const AccuracyScore& score);

}  // namespace terragen::evaluation
