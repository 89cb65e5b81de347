#include "terragen/prediction/predict_options.h"

#include <format>

#include "terragen/core/error.h"

namespace terragen::prediction {

void PredictOptions::validate(const models::PerceptionConfig& config) const {
  tiles.validate();
  if (!probabilities.empty() && probabilities != "uint8" && probabilities != "float32") {
    throw RequestError(std::format("probabilities of type \"{}\" are not offered", probabilities),
                       "choose uint8 or float32");
  }
  if (least_pixels < 1) throw RequestError(std::format("regions of {} pixels are not possible", least_pixels));
  if (least_pixels > 1 && !polygons) throw RequestError("least pixels of regions are of no use without polygons");
  if (least_score && !(*least_score >= 0 && *least_score <= 1)) {
    throw RequestError(std::format("the least score is {}, it must lie between 0 and 1", *least_score));
  }
  if (config.is_segmenter() && least_score) throw RequestError("a segmenter gives no scores to choose by");
  if (config.is_detector() && (polygons || !probabilities.empty())) {
    throw RequestError("a detector gives boxes, no probabilities or polygons of classes",
                       "leave these options out, or use a segmenter");
  }
  if (config.outputs() > layout::kUnlabelled) {
    throw RequestError(std::format("{} classes are more than a mask of bytes can number", config.outputs()));
  }
}

}  // namespace terragen::prediction
