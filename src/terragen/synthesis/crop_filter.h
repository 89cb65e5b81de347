// Whether what was painted looks like the examples, and more so than like anything else in the scenes.
#pragma once

#include <torch/torch.h>

#include <vector>

#include "terragen/models/reference_encoder.h"
#include "terragen/synthesis/reference_set.h"

namespace terragen::synthesis {

// Compares masked crops by the features of a reference encoder: a bare likeness to the examples hardly tells anything,
// so that what counts is the margin over the likeness to things of other classes.
class CropFilter {
 public:
  // references: of the class. others: of all other classes, may be empty. The threshold is learned on the examples: the
  // quantile `reject_share` of the margin of each, compared with the rest of them; a single example gives none, and all
  // is accepted.
  CropFilter(models::ReferenceEncoder encoder, const std::vector<Reference>& references,
             const std::vector<Reference>& others, double reject_share);

  // The highest cosine to an example less the highest to another thing. picture: see shards::reference_picture.
  double margin(const torch::Tensor& picture) const;
  double threshold() const { return threshold_; }
  bool accepts(double margin) const { return margin >= threshold_; }

 private:
  torch::Tensor features_of(const std::vector<torch::Tensor>& pictures) const;
  torch::Tensor directions_of(const torch::Tensor& features) const;
  double margin_of(const torch::Tensor& feature, std::int64_t without) const;

  mutable models::ReferenceEncoder encoder_;
  torch::Tensor common_;    // [1, D], in the middle between the examples and the others
  torch::Tensor examples_;  // [R, D], from there, of length 1
  torch::Tensor others_;    // [O, D]
  double threshold_;
};

}  // namespace terragen::synthesis
