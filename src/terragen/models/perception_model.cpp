#include "terragen/models/perception_model.h"

#include <format>

#include "terragen/core/atomic_file.h"
#include "terragen/core/error.h"
#include "terragen/core/sha256.h"
#include "terragen/layout/rasterise.h"
#include "terragen/models/model_io.h"
#include "terragen/models/segformer.h"
#include "terragen/models/segmentation_unet.h"

namespace terragen::models {
namespace {

namespace fs = std::filesystem;

constexpr const char* kIndex = "perception.json";
constexpr const char* kPerceptionWeights = "perception.safetensors";
constexpr int kPerceptionFormat = 1;

}  // namespace

bool PerceptionConfig::is_segmenter() const {
  return architecture == "segformer-b0" || architecture == "unet-resnet18";
}

bool PerceptionConfig::is_detector() const {
  return architecture == "fcos-resnet18" || architecture == "fcos-resnet18-oriented";
}

bool PerceptionConfig::is_classifier() const { return architecture == "resnet18"; }

std::string PerceptionConfig::kind() const {
  return is_segmenter() ? "segmenter" : is_detector() ? "detector" : "classifier";
}

layout::DenseMask PerceptionConfig::classes_of(const layout::Layout& layout) const {
  const bool fill = background && (!layout.mask || taxonomy.size() == 1);
  return layout::rasterise_classes(layout, fill ? static_cast<std::uint8_t>(taxonomy.size()) : layout::kUnlabelled);
}

std::shared_ptr<torch::nn::Module> PerceptionModel::network() const {
  if (segmenter) return segmenter;
  if (!detector.is_empty()) return detector.ptr();
  return classifier.ptr();
}

PerceptionModel new_perception_model(PerceptionConfig config) {
  const auto bands = static_cast<std::int64_t>(config.images.bands.size());
  PerceptionModel model;
  if (config.architecture == "segformer-b0") {
    model.segmenter = std::make_shared<SegformerImpl>(SegformerConfig{.bands = bands, .classes = config.outputs()});
  } else if (config.architecture == "unet-resnet18") {
    model.segmenter = std::make_shared<SegmentationUNetImpl>(bands, config.outputs());
  } else if (config.is_detector()) {
    model.detector = Detector(DetectorConfig{
        .bands = bands, .classes = config.taxonomy.size(), .oriented = config.architecture.ends_with("oriented")});
  } else if (config.is_classifier()) {
    model.classifier = Classifier(bands, config.outputs());
  } else {
    throw RequestError(std::format("the architecture \"{}\" is not known", config.architecture),
                       "choose segformer-b0, unet-resnet18, fcos-resnet18, fcos-resnet18-oriented or resnet18");
  }
  model.config = std::move(config);
  return model;
}

PerceptionModel load_perception_model(const fs::path& folder) {
  const fs::path index_file = folder / kIndex;
  if (!fs::exists(index_file)) {
    throw DataError(
        folder.string(), std::format("is no segmenter, detector or classifier: it holds no {}", kIndex),
        "one is a folder written by `terragen train segmenter`, `detector` or `classifier`, such as RUN/model");
  }
  const std::string place = index_file.string();
  const Json index = read_json(index_file);
  if (const int version = json_member<int>(index, "format_version", place); version != kPerceptionFormat) {
    throw DataError(place, std::format("has format version {}, this program reads {}", version, kPerceptionFormat));
  }
  PerceptionConfig config;
  config.architecture = json_member<std::string>(index, "architecture", place);
  config.images = images_from_json(json_member<Json>(index, "images", place), place);
  config.taxonomy = layout::taxonomy_from_json(json_member<Json>(index, "classes", place), place);
  config.background = json_member<bool>(index, "background", place);
  config.card = json_member_or<Json>(index, "card", Json::object(), place);
  if (!config.is_segmenter() && !config.is_detector() && !config.is_classifier()) {
    throw DataError(place, std::format("has the unknown architecture \"{}\"", config.architecture));
  }
  PerceptionModel model = new_perception_model(std::move(config));
  const fs::path weights = folder / kPerceptionWeights;
  load_parameters(*model.network(), tensor::load_safetensors(weights).tensors, weights.string());
  model.hash = sha256_hex_of_file(weights);
  model.network()->eval();
  return model;
}

void save_perception_model(const PerceptionModel& model, const fs::path& folder) {
  AtomicFolder output(folder, true);
  tensor::TensorMap halves;
  for (const auto& [name, value] : collect_parameters(*model.network())) {
    // Counters of batches seen stay whole numbers.
    halves[name] = value.is_floating_point() ? value.to(torch::kFloat16) : value;
  }
  tensor::save_safetensors(output.path() / kPerceptionWeights, halves, {{"format", "pt"}});
  write_json(output.path() / kIndex, {{"format_version", kPerceptionFormat},
                                      {"architecture", model.config.architecture},
                                      {"images", images_to_json(model.config.images)},
                                      {"classes", layout::taxonomy_to_json(model.config.taxonomy)},
                                      {"background", model.config.background},
                                      {"card", model.config.card}});
  output.commit();
}

}  // namespace terragen::models
