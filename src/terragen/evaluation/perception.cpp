#include "terragen/evaluation/perception.h"

#include <format>

#include "terragen/core/error.h"
#include "terragen/core/interrupt.h"
#include "terragen/core/progress.h"

namespace terragen::evaluation {

PerceptionReport evaluate_perception(const models::PerceptionModel& model, const shards::ShardReader& reader,
                                     const std::string& split, const tensor::ComputeOptions& compute) {
  tensor::set_threads(compute.threads);
  if (reader.set().bands.size() != model.config.images.bands.size()) {
    throw RequestError(std::format("the model is for {} bands, the data have {}", model.config.images.bands.size(),
                                   reader.set().bands.size()));
  }
  const models::PerceptionInference inference(model, compute);
  PerceptionMeter meter(inference, reader.set().taxonomy);
  Progress progress("looking", static_cast<std::int64_t>(reader.size()));
  for (std::size_t i = 0; i < reader.size(); ++i) {
    if (interrupt_requested()) throw Interrupted("stopped; nothing was written");
    meter.add(reader.get(i));
    progress.advance();
  }
  PerceptionReport report = meter.report();
  report.split = split;
  return report;
}

}  // namespace terragen::evaluation
