// The network in whose features sets of images are compared, and what the distances there may be called.
#pragma once

#include <torch/torch.h>

#include <filesystem>
#include <string>

#include "terragen/core/json_file.h"
#include "terragen/models/classifier.h"
#include "terragen/models/inception.h"

namespace terragen::evaluation {

class FeatureNetwork {
 public:
  // path: folder of a classifier (`terragen train classifier`), or a .safetensors file with the published weights of
  // the Inception network of the Frechet Inception Distance. device: "cpu" or "cuda". RequestError for anything else,
  // DataError where the files are damaged.
  FeatureNetwork(const std::filesystem::path& path, const std::string& device);

  // images: [N, B, H, W] in [-1, 1], B = bands(). The pooled last features, [N, dimensions()] float32 on the CPU,
  // computed in float32 whatever the machine, so that distances can be compared.
  torch::Tensor features(const torch::Tensor& images) const;

  bool is_inception() const { return !inception_.is_empty(); }
  std::int64_t bands() const { return bands_; }
  std::int64_t dimensions() const { return is_inception() ? 2048 : 512; }
  // "resnet18 trained on oam_buildings"; of Inception its name.
  const std::string& name() const { return name_; }
  // Only distances in Inception's features are FID and KID; others cannot be compared with them.
  std::string frechet_name() const;
  std::string kernel_name() const;
  // SHA-256 of the weights.
  const std::string& hash() const { return hash_; }
  // Of a classifier: what it was trained on. Inception's is null.
  const Json& card() const { return card_; }

 private:
  models::Classifier classifier_{nullptr};
  models::InceptionV3 inception_{nullptr};
  torch::Device device_;
  std::int64_t bands_ = 3;
  std::string name_, hash_;
  Json card_;
};

}  // namespace terragen::evaluation
