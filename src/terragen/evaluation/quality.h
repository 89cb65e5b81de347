// How alike painted and real images are to a network that looks at both: distances between sets of features.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "terragen/core/canvas.h"
#include "terragen/metrics/feature_distance.h"

namespace terragen::evaluation {

struct QualityOptions {
  std::filesystem::path made;               // dataset with painted images
  std::vector<std::filesystem::path> real;  // datasets with the images they are compared with
  std::filesystem::path features;           // see FeatureNetwork
  std::string split = "test";               // of the real images
  std::string made_split = "train";
  int crop = 256;          // pixels: the middle of every image
  std::uint64_t seed = 0;  // of subsets and halves
  std::string device = "cpu";
  int threads = 0;

  void validate() const;
};

// One set of feature vectors against another (see metrics/feature_distance.h).
struct SetDistance {
  std::int64_t made = 0;  // images
  std::int64_t real = 0;
  double frechet = 0;
  metrics::KernelDistance kernel;  // over 100 random subsets, half as large as the smaller set, at most 1000
  metrics::PrecisionRecall among;  // by the third nearest neighbour
};

// made, real: [n, D]. RequestError for fewer than four vectors of either.
SetDistance set_distance(const torch::Tensor& made, const torch::Tensor& real, std::uint64_t seed);
// One random half against the other. RequestError for fewer than eight vectors.
SetDistance half_distance(const torch::Tensor& real, std::uint64_t seed);

struct QualityReport {
  std::string made;
  std::vector<std::string> real;
  std::string split, made_split;
  int crop = 0;
  std::string network, network_hash;
  std::string frechet_name, kernel_name;  // see FeatureNetwork
  bool fid = false;
  std::int64_t dimensions = 0;
  std::int64_t left_out = 0;  // images beside the painted ones in `made` that are not synthetic
  bool told = false;          // whether `made` says what painted it
  SetDistance painted;        // painted images against real ones
  SetDistance floor;          // half of the real images against the other half: what the figures are at best
  std::vector<std::pair<Canvas, std::string>> pictures;
  double seconds = 0;
  std::int64_t peak_memory = 0;  // bytes, of the process
};

// `made` gives its synthetic images, or all where none is called so; the real datasets give those that are not. Where
// the split is test, neither the network nor what painted the images (where `made` tells) may have been trained on a
// test place (see leak_check.h). RequestError for other bands, images below the crop's size, or too few.
QualityReport evaluate_quality(const QualityOptions& options);

}  // namespace terragen::evaluation
