// Objects out of a detector's output.
#pragma once

#include <vector>

#include "terragen/layout/geometry.h"
#include "terragen/metrics/box_overlap.h"
#include "terragen/models/detector.h"

namespace terragen::models {

struct Detection {
  int class_index = 0;
  double score = 0;         // in (0, 1]
  layout::OrientedBox box;  // pixels, radians; angle 0 of an upright detector
};

struct DetectionOptions {
  double least_score = 0.05;
  double most_overlap = 0.5;   // intersection over union above which the lesser of two of one class goes
  int most_candidates = 1000;  // an image, before suppression
  int most = 300;              // an image, after it
};

// One list an image, by falling score. Score = sqrt(class probability x centreness).
std::vector<std::vector<Detection>> detections_of(const DetectorOutput& output, const DetectionOptions& options);
// By falling score, one at a time; of one class, what overlaps a better one goes.
std::vector<Detection> suppressed(const std::vector<Detection>& candidates, bool oriented,
                                  const DetectionOptions& options);

// The upright box about a detection's own.
metrics::Box bounds_of(const Detection& detection);

// The box that a detector should give for a shape: upright with angle 0, or the smallest of any direction.
layout::OrientedBox object_box(const layout::Geometry& geometry, bool oriented);
// As they are labelled where the shape has four; else those of the smallest box about it.
metrics::Quadrilateral corners_of(const layout::Geometry& geometry);
// False where the circles about the boxes are apart: such a pair needs no clipping.
bool may_meet(const layout::OrientedBox& one, const layout::OrientedBox& other);
// Intersection over union; with a crowd, over the detection alone. Upright boxes have angle 0.
double overlap_of(const layout::OrientedBox& detection, const layout::OrientedBox& truth, bool oriented,
                  bool crowd = false);

}  // namespace terragen::models
