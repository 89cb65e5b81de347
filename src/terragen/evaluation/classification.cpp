#include "terragen/evaluation/classification.h"

#include <cmath>
#include <format>

#include "terragen/core/error.h"
#include "terragen/core/interrupt.h"
#include "terragen/core/progress.h"
#include "terragen/core/seed.h"
#include "terragen/core/stopwatch.h"
#include "terragen/shards/object_windows.h"
#include "terragen/synthesis/painting_condition.h"

namespace terragen::evaluation {
namespace {

constexpr std::uint64_t kTestWindows = 0x7E57;

std::vector<std::uint8_t> likeliest_classes(const torch::Tensor& logits) {
  const torch::Tensor said = logits.argmax(1).to(torch::kCPU, torch::kUInt8).contiguous();
  const auto* first = said.const_data_ptr<std::uint8_t>();
  return {first, first + said.numel()};
}

}  // namespace

ClassificationReport evaluate_classification(const models::PerceptionModel& model, const shards::ShardReader& reader,
                                             const std::string& split, const tensor::ComputeOptions& compute) {
  compute.validate();
  tensor::set_threads(compute.threads);
  const models::PerceptionConfig& config = model.config;
  if (!config.is_classifier()) throw RequestError(std::format("a {} is no classifier", config.architecture));
  if (reader.set().bands.size() != config.images.bands.size()) {
    throw RequestError(std::format("the model is for {} bands, the data have {}", config.images.bands.size(),
                                   reader.set().bands.size()));
  }
  const std::vector<int> numbers = synthesis::class_numbers(reader.set().taxonomy, config.taxonomy, "the classifier");
  const torch::Device device = tensor::parse_device(compute.device);
  models::Classifier classifier = model.classifier;
  classifier->to(device);
  classifier->eval();
  const torch::NoGradGuard no_grad;
  const tensor::AutocastGuard autocast(device.type(), compute.precision == "bf16");
  const int background = config.background ? config.taxonomy.size() : -1;
  metrics::ConfusionMatrix confusion(config.outputs());
  Progress progress("looking", static_cast<std::int64_t>(reader.size()));
  const Stopwatch watch;
  for (std::size_t i = 0; i < reader.size(); ++i) {
    if (interrupt_requested()) throw Interrupted("stopped; nothing was written");
    const shards::Sample sample = reader.get(i);
    const auto windows = shards::object_windows(synthesis::renumbered(sample.layout, numbers), sample.valid,
                                                {.background = background}, derive_seed(kTestWindows, i));
    progress.advance();
    if (windows.empty()) continue;
    std::vector<std::uint8_t> truth;
    for (const shards::ObjectWindow& window : windows) truth.push_back(static_cast<std::uint8_t>(window.label));
    const torch::Tensor images = shards::window_images(sample.image, windows).to(device);
    confusion.add(truth, likeliest_classes(classifier->forward(images.contiguous(at::MemoryFormat::ChannelsLast))));
  }
  ClassificationReport report{.split = split, .architecture = config.architecture, .model_hash = model.hash};
  report.images = reader.size();
  report.windows = confusion.total();
  if (report.windows == 0) {
    throw RequestError(std::format("no window of the split {} shows a class that is known", split));
  }
  for (const layout::ClassInfo& entry : config.taxonomy.classes()) report.classes.push_back(entry.name);
  if (config.background) report.classes.emplace_back("(background)");
  for (int k = 0; k < confusion.classes(); ++k) report.class_windows.push_back(confusion.row(k));
  report.class_accuracy = confusion.recall();
  report.accuracy = confusion.pixel_accuracy();
  report.balanced_accuracy = metrics::mean_present(report.class_accuracy);
  report.seconds = watch.seconds();
  return report;
}

Json to_json(const ClassificationReport& report) {
  Json json{{"split", report.split},
            {"architecture", report.architecture},
            {"model_sha256", report.model_hash},
            {"images", report.images},
            {"windows", report.windows},
            {"accuracy", report.accuracy},
            {"balanced_accuracy", report.balanced_accuracy},
            {"seconds", report.seconds},
            {"classes", Json::object()}};
  for (std::size_t k = 0; k < report.classes.size(); ++k) {
    const double accuracy = report.class_accuracy[k];
    json["classes"][report.classes[k]] = {{"windows", report.class_windows[k]}, {"accuracy", number_or_null(accuracy)}};
  }
  return json;
}

}  // namespace terragen::evaluation
