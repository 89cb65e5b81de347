// A segmenter, detector or classifier on disk: perception.json and perception.safetensors.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "terragen/core/json_file.h"
#include "terragen/layout/layout.h"
#include "terragen/layout/taxonomy.h"
#include "terragen/models/classifier.h"
#include "terragen/models/detector.h"
#include "terragen/models/model_folder.h"
#include "terragen/models/segmenter.h"

namespace terragen::models {

// What a network is and what it was taught.
struct PerceptionConfig {
  std::string architecture;  // "segformer-b0", "unet-resnet18"; "fcos-resnet18", "fcos-resnet18-oriented"; "resnet18"
  ImageInfo images;
  layout::Taxonomy taxonomy;
  bool background = false;  // of segmenters and classifiers: a class after the taxonomy's, for what no label covers
  Json card = Json::object();

  bool is_segmenter() const;
  bool is_detector() const;
  bool is_classifier() const;
  // "segmenter", "detector" or "classifier": what `terragen train` calls it.
  std::string kind() const;
  // Of a segmenter's or classifier's output.
  int outputs() const { return taxonomy.size() + (background ? 1 : 0); }
  // What a segmenter should say of every pixel of a layout in these classes. What it leaves unlabelled is background,
  // where there is one: a class mask says itself what it does not know, but one of a single class would say nothing if
  // the rest were unknown.
  layout::DenseMask classes_of(const layout::Layout& layout) const;
};

// One of the three is there.
struct PerceptionModel {
  PerceptionConfig config;
  std::shared_ptr<Segmenter> segmenter;
  Detector detector{nullptr};
  Classifier classifier{nullptr};
  std::string hash;  // SHA-256 of the weights; set by load_perception_model

  std::shared_ptr<torch::nn::Module> network() const;
};

// Untrained. RequestError for an architecture that is not known.
PerceptionModel new_perception_model(PerceptionConfig config);
// DataError naming file and tensor when anything does not fit.
PerceptionModel load_perception_model(const std::filesystem::path& folder);
// Weights as fp16, atomically (an older folder is replaced).
void save_perception_model(const PerceptionModel& model, const std::filesystem::path& folder);

}  // namespace terragen::models
