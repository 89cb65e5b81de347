// The outline of what was really painted: a label must follow the image, not the intention.
#pragma once

#include <torch/torch.h>

#include <string>

#include "terragen/layout/geometry.h"

namespace terragen::synthesis {

// What refines a mask. One thread at a time uses a refiner.
class MaskRefiner {
 public:
  MaskRefiner() = default;
  MaskRefiner(const MaskRefiner&) = delete;
  MaskRefiner& operator=(const MaskRefiner&) = delete;
  virtual ~MaskRefiner() = default;
  // "none", "grabcut", "sam", "efficientsam"
  virtual std::string name() const = 0;
  // SHA-256 of its weights; empty where it has none.
  virtual std::string hash() const { return {}; }
  // image: [B, H, W], float32 in [-1, 1]; intended: [H, W], float32, 1 where the thing was to be, not empty. Returns
  // [H, W], float32, 1 where it is; it may be empty.
  virtual torch::Tensor refine(const torch::Tensor& image, const torch::Tensor& intended) = 0;
};

// The intended mask itself.
class NoRefiner : public MaskRefiner {
 public:
  std::string name() const override { return "none"; }
  torch::Tensor refine(const torch::Tensor&, const torch::Tensor& intended) override { return intended; }
};

// GrabCut (Rother et al. 2004) of OpenCV, for those who have no weights: what lies well inside the intended mask is the
// thing, what lies well outside is not, the band between is decided by colours and edges. Of images with fewer than
// three bands the first serves for all.
class GrabCutRefiner : public MaskRefiner {
 public:
  // Half the band's width is a share of the thing's radius, at least 2 pixels.
  explicit GrabCutRefiner(double band_share = 0.35, int iterations = 4);
  std::string name() const override { return "grabcut"; }
  torch::Tensor refine(const torch::Tensor& image, const torch::Tensor& intended) override;

 private:
  double band_share_;
  int iterations_;
};

struct MaskPolicy {
  double fill_share = 0.05;    // holes below this share of the thing are filled
  double part_share = 0.15;    // parts below this share of it go
  double least_overlap = 0.5;  // intersection over union with the intended mask; below it the thing is dropped

  void validate() const;
};

struct RefinedMask {
  torch::Tensor mask;  // [H, W], float32
  double overlap = 0;  // with the intended mask
  bool kept = false;
};

// Holes and parts by the policy, then the test against the intention.
RefinedMask tidied(const torch::Tensor& refined, const torch::Tensor& intended, const MaskPolicy& policy);

}  // namespace terragen::synthesis
