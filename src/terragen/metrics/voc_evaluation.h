// Average precision of one class's detections as VOC and DOTA count them.
//
// Everingham et al. 2010, "The PASCAL Visual Object Classes Challenge"; DOTA (Xia et al. 2018) takes its rule over to
// oriented boxes. A detection may go to the truth it overlaps most, and only there.
#pragma once

#include <functional>
#include <vector>

namespace terragen::metrics {

// One image's objects of the class.
struct VocGroup {
  std::vector<bool> difficult;  // a truth each; a difficult one counts for nothing, found or not
  std::vector<double> scores;   // a detection each
  std::function<double(std::size_t detection, std::size_t truth)> overlap;
};

struct VocResult {
  std::vector<double> recall;     // after every detection, by falling score
  std::vector<double> precision;  // likewise
  double ap = 0;                  // area under the precision envelope; NaN where nothing is to be found
  double ap_11_points = 0;        // VOC 2007: mean of the envelope at recall 0, 0.1 .. 1
};

// A detection is right when its overlap is above `least`.
VocResult evaluate_voc(const std::vector<VocGroup>& groups, double least);

}  // namespace terragen::metrics
