// Where a thing may stand in a real scene, by geographic rules and without training (after PDA++: distance transform,
// structure tensor and scale erosion; hard tests of footprint and occupancy).
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "terragen/core/seed.h"
#include "terragen/layout/placement_rule.h"
#include "terragen/layout/rasterise.h"
#include "terragen/shards/sample.h"
#include "terragen/synthesis/ground_likeness.h"
#include "terragen/synthesis/structure_tensor.h"

namespace terragen::synthesis {

// A thing to be placed, in pixels of the image it comes from.
struct Footprint {
  layout::Geometry geometry;
  std::optional<double> gsd;  // metres a pixel of that image
};

struct Placement {
  std::size_t footprint = 0;            // its number
  layout::Affine scene_from_footprint;  // pixels to pixels
  layout::Geometry geometry;            // in the scene
  double score = 0;
};

struct PlacementOptions {
  int most = 3;               // things in a scene
  double least_score = 0.05;  // where the best place left is worse, nothing more is placed
  double size_jitter = 1.15;  // things are resized by up to this factor either way, within the rule's sizes
  bool anywhere = false;      // for comparison: no rule, inside the image and over nothing that was placed before

  void validate() const;
};

// One scene under one rule.
class PlacementMap {
 public:
  // `likeness` is needed where the rule asks for it, else it may be null.
  PlacementMap(const shards::Sample& scene, const layout::PlacementRule& rule, const GroundLikeness* likeness);

  // 1 where a thing may stand at all, row by row.
  const std::vector<std::uint8_t>& allowed() const { return allowed_; }
  // A_geo A_scale in [0, 1] for a thing whose shorter side is `width` pixels: the distance to what is not allowed, over
  // its maximum, times the weighted share of discs of 0.5, 1 and 1.5 times its radius that fit.
  layout::Plane score(double width) const;
  // max(0, cos 2 (direction - that of the image's lines)) times their coherence; 1 where the rule does not ask for it.
  double along(double direction, int x, int y) const;
  const layout::PlacementRule& rule() const { return rule_; }

  // Places up to options.most of the footprints, drawn by `random`, one after another: the place by the score, the
  // direction by the structure or at random; the whole footprint must lie on allowed ground and miss what is occupied
  // by the rule's spacing. What was placed is occupied. Deterministic in `random`.
  std::vector<Placement> place(const std::vector<Footprint>& footprints, const PlacementOptions& options,
                               Random& random);

 private:
  // A class that has to be within `most` pixels of a thing's nearest pixel.
  struct Near {
    double most = 0;
    layout::Plane distance;
  };

  struct Place {
    Placement placement;
    std::vector<std::uint8_t> drawn;  // its pixels
  };

  void find_allowed(const GroundLikeness* likeness);
  void keep_neighbours();
  bool fits(const std::vector<std::uint8_t>& drawn, bool anywhere) const;
  bool is_in_reach(std::size_t pixel, double length) const;
  std::optional<Place> place_one(const Footprint& footprint, const PlacementOptions& options, Random& random) const;
  double pixels_from_metres(double metres) const;

  const shards::Sample& scene_;
  layout::PlacementRule rule_;
  std::vector<std::uint8_t> allowed_, occupied_;
  std::vector<std::uint8_t> ground_;  // features of the rule's ground
  layout::Plane distance_;            // inside what is allowed, to its edge, pixels
  std::vector<Near> near_;
  StructureField structure_;
};

}  // namespace terragen::synthesis
