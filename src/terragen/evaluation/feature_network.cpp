#include "terragen/evaluation/feature_network.h"

#include <format>
#include <vector>

#include "terragen/core/comma_list.h"
#include "terragen/core/error.h"
#include "terragen/core/sha256.h"
#include "terragen/evaluation/model_card.h"
#include "terragen/models/perception_model.h"
#include "terragen/tensor/device.h"

namespace terragen::evaluation {
namespace {

std::string datasets_of_card(const Json& card) {
  const std::vector<std::string> names = datasets_learned(card);
  return names.empty() ? "data that its card does not name" : comma_list(names);
}

}  // namespace

FeatureNetwork::FeatureNetwork(const std::filesystem::path& path, const std::string& device)
    : device_(tensor::parse_device(device)) {
  if (std::filesystem::is_directory(path)) {
    const models::PerceptionModel model = models::load_perception_model(path);
    if (!model.config.is_classifier()) {
      throw RequestError(std::format("{} holds a {}: its features say nothing of an image as a whole", path.string(),
                                     model.config.kind()),
                         "`terragen train classifier` makes what is needed");
    }
    classifier_ = model.classifier;
    classifier_->to(device_);
    bands_ = std::ssize(model.config.images.bands);
    card_ = model.config.card;
    hash_ = model.hash;
    name_ = std::format("{} trained on {}", model.config.architecture, datasets_of_card(card_));
  } else if (path.extension() == ".safetensors") {
    inception_ = models::load_inception(path);
    inception_->to(device_);
    hash_ = sha256_hex_of_file(path);
    name_ = "Inception v3 as published for FID";
  } else {
    throw RequestError(std::format("{} is no network to take features from", path.string()),
                       "name the folder of a classifier, or a .safetensors file of FID's Inception");
  }
}

torch::Tensor FeatureNetwork::features(const torch::Tensor& images) const {
  const torch::NoGradGuard no_grad;
  const torch::Tensor x = images.to(device_);
  models::InceptionV3 inception = inception_;
  models::Classifier classifier = classifier_;
  return (is_inception() ? models::inception_features(inception, x) : classifier->features(x)).to(torch::kCPU);
}

std::string FeatureNetwork::frechet_name() const {
  return is_inception() ? "FID" : std::format("Frechet distance in features of {}", name_);
}

std::string FeatureNetwork::kernel_name() const {
  return is_inception() ? "KID" : std::format("kernel distance in features of {}", name_);
}

}  // namespace terragen::evaluation
