// Whether painted images are copies of the images their model learned from.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "terragen/core/canvas.h"

namespace terragen::evaluation {

struct MemorisationOptions {
  std::filesystem::path made;               // dataset with painted images
  std::vector<std::filesystem::path> real;  // datasets the model learned from
  std::string made_split = "train";
  int crop = 128;           // pixels a side of the windows that are looked for, a multiple of 8
  std::int64_t limit = 64;  // most painted images, and most unseen ones, spread over all; 0: all
  int threads = 0;

  void validate() const;
};

// The window of one image that is most like a place of a training image.
struct Neighbour {
  std::string image;
  int x = 0, y = 0;  // upper left corner of the window
  std::string real;  // the training image
  double correlation = 0;
};

struct NeighbourSet {
  std::vector<Neighbour> neighbours;  // one an image, the most alike first
  Canvas picture{1, 1, {}};           // the windows, in this order; below each what it is like

  double highest() const;
  double median() const;
  std::int64_t at_least(double correlation) const;
};

// What a copy has at least. On values that deviate by a fifth of their range an error of 26 dB, an autoencoder's,
// leaves a correlation of (1 - 0.0025 / 0.04)^(1/2) = 0.97, and 2.4 times that error leaves this.
inline constexpr double kCopyCorrelation = 0.8;

struct MemorisationReport {
  std::string made;
  std::vector<std::string> real;
  int crop = 0;
  std::int64_t training_images = 0;
  std::vector<std::string> not_searched;  // further datasets that the painting model names as those it learned from
  bool told = false;                      // whether `made` says what painted it
  NeighbourSet painted;
  // The same of the real test images of the same datasets, which no model has seen: what chance and likeness of places
  // give. Empty where there are none.
  NeighbourSet unseen;
  double seconds = 0;
  std::int64_t peak_memory = 0;  // bytes, of the process
};

// Every window of a grid over each painted image against every place of every real training image (see
// nearest_windows.h). `made` gives its synthetic images, or all where none is called so; images inpainted into real
// ones are copies outside what was painted, and say nothing here. RequestError for other bands, images below the
// window's size, or no images.
MemorisationReport evaluate_memorisation(const MemorisationOptions& options);

}  // namespace terragen::evaluation
