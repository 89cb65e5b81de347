// Objects out of a detector's output.
#pragma once

#include <vector>

#include "terragen/models/detector.h"

namespace terragen::models {

struct Detection {
  int class_index = 0;
  double score = 0;                                         // in (0, 1]
  double cx = 0, cy = 0, width = 0, height = 0, angle = 0;  // pixels, radians; angle 0 of an upright detector
};

struct DetectionOptions {
  double least_score = 0.05;
  double most_overlap = 0.5;   // intersection over union above which the lesser of two of one class goes
  int most_candidates = 1000;  // an image, before suppression
  int most = 300;              // an image, after it
};

// One list an image, by falling score. Score = sqrt(class probability x centreness).
std::vector<std::vector<Detection>> detections_of(const DetectorOutput& output, const DetectionOptions& options);

}  // namespace terragen::models
