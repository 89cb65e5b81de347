// Confusion matrix of a segmentation and what follows from it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace terragen::metrics {

// One score a class. NaN where a class appears neither in truth nor in prediction, so that it is in no mean.
using ClassScores = std::vector<double>;

// Mean over the entries that are not NaN; NaN where there is none.
double mean_present(std::span<const double> scores);

// Counts of pixels: row the truth, column the prediction.
class ConfusionMatrix {
 public:
  explicit ConfusionMatrix(int classes);
  int classes() const { return classes_; }
  std::int64_t at(int truth, int predicted) const { return counts_[index(truth, predicted)]; }

  // Pixels whose truth is no class (255 by custom) are left out. RequestError when the sizes differ or a prediction on
  // a counted pixel is no class.
  void add(std::span<const std::uint8_t> truth, std::span<const std::uint8_t> predicted);
  void add(const ConfusionMatrix& other);
  std::int64_t total() const;
  std::int64_t row(int k) const;     // pixels that are of class k
  std::int64_t column(int k) const;  // pixels that were called k

  ClassScores iou() const;        // intersection over union (Jaccard)
  ClassScores recall() const;     // of a class's pixels, the share that was found
  ClassScores precision() const;  // of what was called a class, the share that is one
  ClassScores f1() const;         // harmonic mean of both (Dice)
  double mean_iou() const { return mean_present(iou()); }
  double pixel_accuracy() const;
  double frequency_weighted_iou() const;
  double kappa() const;  // Cohen's: agreement beyond what the margins alone would give

 private:
  std::size_t index(int truth, int predicted) const {
    return static_cast<std::size_t>(truth) * static_cast<std::size_t>(classes_) + static_cast<std::size_t>(predicted);
  }

  int classes_;
  std::vector<std::int64_t> counts_;
};

// OpenEarthMap few-shot challenge: 0.4 times the mean IoU of the base classes and 0.6 times that of the novel ones.
double few_shot_score(const ClassScores& iou, std::span<const int> base, std::span<const int> novel);

}  // namespace terragen::metrics
