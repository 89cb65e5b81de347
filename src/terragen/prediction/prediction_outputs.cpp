#include "terragen/prediction/prediction_outputs.h"

#include <cmath>
#include <cstring>

#include "terragen/core/error.h"

namespace terragen::prediction {
namespace {

// planes: [K, rows, width] of the C++ type that goes with `type`.
geo::Raster raster_of_planes(const torch::Tensor& planes, geo::DataType type) {
  const torch::Tensor whole = planes.contiguous();
  geo::Raster raster = geo::make_raster(static_cast<int>(whole.size(2)), static_cast<int>(whole.size(1)),
                                        static_cast<int>(whole.size(0)), type);
  if (whole.nbytes() != raster.samples.size()) throw InternalError("[raster_of_planes] the number types differ");
  std::memcpy(raster.samples.data(), whole.const_data_ptr(), raster.samples.size());
  return raster;
}

}  // namespace

Json class_numbers(const models::PerceptionConfig& config) {
  Json classes = Json::array();
  for (const layout::ClassInfo& entry : config.taxonomy.classes()) {
    classes.push_back(
        {{"number", classes.size()}, {"name", entry.name}, {"color", layout::color_to_text(entry.color)}});
  }
  if (config.background) {
    classes.push_back({{"number", classes.size()}, {"name", "(background)"}, {"color", "#000000"}});
  }
  return {{"classes", classes}, {"nodata", layout::kUnlabelled}};
}

geo::Raster class_rows(const torch::Tensor& probabilities, const torch::Tensor& valid) {
  const torch::Tensor classes = probabilities.argmax(0).to(torch::kUInt8);
  return raster_of_planes(classes.masked_fill_(valid.logical_not(), layout::kUnlabelled).unsqueeze(0),
                          geo::DataType::uint8);
}

geo::Raster probability_rows(const torch::Tensor& probabilities, const torch::Tensor& valid, geo::DataType type) {
  torch::Tensor values = probabilities;
  if (type == geo::DataType::uint8) values = (probabilities * kCertain).round_().clamp_(0, kCertain).to(torch::kUInt8);
  return raster_of_planes(values.masked_fill(valid.logical_not().unsqueeze(0), probability_nodata(type)), type);
}

double probability_nodata(geo::DataType type) {
  return type == geo::DataType::uint8 ? layout::kUnlabelled : std::nan("");
}

}  // namespace terragen::prediction
