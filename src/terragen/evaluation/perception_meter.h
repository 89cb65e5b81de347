// Counts what a segmenter or detector finds in images against what their labels say.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "terragen/core/json_file.h"
#include "terragen/metrics/boundary_iou.h"
#include "terragen/metrics/coco_evaluation.h"
#include "terragen/metrics/confusion.h"
#include "terragen/metrics/voc_evaluation.h"
#include "terragen/models/perception_inference.h"
#include "terragen/shards/sample.h"

namespace terragen::evaluation {

struct PerceptionReport {
  std::string split;
  std::string architecture;
  std::string model_hash;
  std::size_t images = 0;
  std::vector<std::string> classes;  // the model's
  // Segmenters.
  // By class; NaN where no tested image has it. The background, where there is one, comes last.
  metrics::ClassScores iou;
  double mean_iou = 0;  // over the taxonomy's classes that tested images have, the background left out
  double pixel_accuracy = 0;
  // Of the outlines, see metrics::boundary_iou, summed over the images; by class of the taxonomy, likewise.
  metrics::ClassScores boundary_iou;
  // Detectors.
  metrics::CocoSummary coco;
  // Of oriented ones, too: average precision at an overlap of 0.5 as DOTA counts it, by class.
  metrics::ClassScores dota_ap50;
  double seconds = 0;  // of the network and what follows it
  bool segmenter = true;

  // "mIoU" or "AP50".
  std::string measure() const { return segmenter ? "mIoU" : "AP50"; }
  // That measure, over the taxonomy's classes; NaN where nothing could be found.
  double score() const;
  // IoU or AP50 of a class; NaN where no tested image has it.
  double class_score(std::size_t k) const;
};

Json to_json(const PerceptionReport& report);

// Of segmenters: pixels that are not valid count for nothing.
class PerceptionMeter {
 public:
  // classes: those the samples' layouts are numbered by, joined with the judge's by name. RequestError where the judge
  // lacks one. The judge must outlive the meter.
  PerceptionMeter(const models::PerceptionInference& judge, const layout::Taxonomy& classes);
  // Lets the judge look at the image. RequestError when it is for other bands.
  void add(const shards::Sample& sample);
  // What was found in it, in the judge's numbers: the class of every pixel, [H, W] uint8 on the CPU, or objects.
  void add_classes(const shards::Sample& sample, const torch::Tensor& found);
  void add_objects(const shards::Sample& sample, const std::vector<models::Detection>& found);
  // Of all that was added; the split is left to the caller.
  PerceptionReport report() const;

 private:
  std::vector<std::uint8_t> true_classes(const shards::Sample& sample) const;
  void add_boundaries(const std::vector<std::uint8_t>& truth, std::span<const std::uint8_t> found, int width);

  const models::PerceptionInference& judge_;
  std::vector<int> numbers_;  // the judge's, by class of the samples
  metrics::ConfusionMatrix confusion_;
  std::vector<metrics::BoundaryPixels> boundaries_;  // by class
  std::vector<metrics::DetectionGroup> groups_;
  std::vector<std::vector<metrics::VocGroup>> voc_groups_;  // by class, of oriented boxes
  std::size_t images_ = 0;
  double seconds_ = 0;
};

}  // namespace terragen::evaluation
