// Average precision and recall of detections and instance masks as the COCO benchmark counts them.
//
// Lin et al. 2014, "Microsoft COCO"; the rules of matching, ignoring and averaging are those of the benchmark's own
// evaluation (all 12 figures). Whether objects are boxes or masks is known to the overlap function alone.
#pragma once

#include <array>
#include <functional>
#include <string>
#include <vector>

namespace terragen::metrics {

struct TruthObject {
  double area = 0;     // square pixels, by which small, medium and large are told apart
  bool crowd = false;  // a region of many: may match any number of detections and counts for none
};

struct DetectedObject {
  double score = 0;
  double area = 0;
};

// One image's objects of one category.
struct DetectionGroup {
  int category = 0;
  std::vector<TruthObject> truths;
  std::vector<DetectedObject> detections;
  // Overlap of detection d with truth t; for a crowd, the share of the detection that lies in it.
  std::function<double(std::size_t d, std::size_t t)> overlap;
};

// In the order in which the benchmark prints them. -1: nothing to be found, or to be counted.
inline constexpr std::array kCocoFigures{"AP",  "AP50", "AP75",  "APs", "APm", "APl",
                                         "AR1", "AR10", "AR100", "ARs", "ARm", "ARl"};

struct CocoSummary {
  std::array<double, 12> figures{};
  std::vector<double> category_ap;  // mean over thresholds 0.50:0.05:0.95, by category
  std::vector<double> category_ap50;
};

// Groups of categories 0 .. categories - 1; RequestError for others. For scores that forget the category, give every
// group of an image as one.
CocoSummary evaluate_coco(const std::vector<DetectionGroup>& groups, int categories);

}  // namespace terragen::metrics
