// Things of a class, painted into one real scene: placed, painted after an example, outlined, tested, pasted back.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "terragen/core/seed.h"
#include "terragen/synthesis/colour_match.h"
#include "terragen/synthesis/crop_filter.h"
#include "terragen/synthesis/inpaint_cost.h"
#include "terragen/synthesis/mask_refiner.h"
#include "terragen/synthesis/painter.h"
#include "terragen/synthesis/placement.h"
#include "terragen/synthesis/reference_set.h"
#include "terragen/synthesis/thing_judge.h"

namespace terragen::synthesis {

struct ObjectInpainterOptions {
  PlacementOptions placement;
  int window = 192;  // pixels a side of what is painted at once, at least; large things take more
  int margin = 3;    // pixels about a thing that are painted with it, and across which it is blended
  // The things of a scene take these in turn; where one is dropped another is tried elsewhere with the next strength,
  // until each has been tried. See PaintRequest; below 1 painting begins at the example laid into the scene. 0: the
  // example itself is pasted, with its own outline and unfiltered.
  std::vector<double> strengths{0.8};
  // Share by which mean and deviation of what is painted are brought to the example's, see colour_matched.
  double match_colours = 0;
  int variants = 2;  // painted of every placed thing; the one most like the examples stays
  // Patches of a scene, in the outlines of the examples, that are painted as what they are, with the strengths above 0
  // in turn. Were things of the class all that is painted, whoever learns from the scenes could tell the class by the
  // painting.
  int decoys = 0;
  // Folder that keeps what is painted, see paint_or_find; decides nothing of the result. Empty: nothing is kept.
  std::filesystem::path paintings;
  MaskPolicy mask;

  void validate() const;
};

struct InpaintedObject {
  std::size_t reference = 0;
  Placement placement;
  double strength = 0;     // 0: pasted
  std::uint64_t seed = 0;  // of the variant that stayed
  double overlap = 0;      // of refined and intended mask
  double margin = 0;       // see CropFilter; 0 without a filter
  double judged = 0;       // see ThingJudge; 0 without a judge
  std::string rejected;    // why it was dropped: "mask", "likeness", "judge"; empty: it is in the scene
};

// How it came about, in its window: [B, h, w] and [h, w].
struct InpaintTrial {
  torch::Tensor before;
  torch::Tensor intended;
  std::vector<torch::Tensor> painted;  // the variants
  std::size_t chosen = 0;              // of them
  torch::Tensor mask;                  // refined
  torch::Tensor after;                 // as the scene was when the thing had been settled
};

struct InpaintedScene {
  shards::Sample sample;  // with the things that were accepted, image and label
  torch::Tensor changed;  // [H, W], float32, 1 where the image differs from the real one
  std::vector<InpaintedObject> objects;
  std::vector<layout::Geometry> decoys;  // pixels
  std::vector<InpaintTrial> trials;      // of the objects, where they were to be kept
  InpaintCost cost;
};

// What painted things have to pass; null: nothing.
struct ThingFilters {
  const CropFilter* likeness = nullptr;
  const ThingJudge* judge = nullptr;
};

class ObjectInpainter {
 public:
  // Everything but the options is kept by reference.
  ObjectInpainter(Painter& painter, MaskRefiner& refiner, ThingFilters filters,
                  const std::vector<Reference>& references, ObjectInpainterOptions options);

  struct Classes {
    int label = 0;             // of the things, in the scenes' taxonomy
    int painted = 0;           // of the things, in the painter's
    std::vector<int> numbers;  // the painter's number of every class of the scenes
  };

  // RequestError for scenes smaller than what can be painted. Deterministic in `random`.
  InpaintedScene inpaint(const shards::Sample& scene, PlacementMap& map, const Classes& classes, Random& random,
                         bool keep_trials = false);

 private:
  struct Attempt;
  // One for each of the things, as far as there is room.
  std::vector<Attempt> thing_attempts(const shards::Sample& scene, PlacementMap& map, const Classes& classes,
                                      const std::vector<std::size_t>& things, std::size_t round, Random& random) const;
  std::vector<Attempt> decoy_attempts(const shards::Sample& scene, PlacementMap& map, const Classes& classes,
                                      Random& random) const;
  // The window about a place, to be painted there as what it is.
  Attempt attempt_at(const shards::Sample& scene, const Placement& placement, const Classes& classes,
                     double strength) const;
  void paste(const Attempt& attempt, const torch::Tensor& mask, const torch::Tensor& painted,
             InpaintedScene& result) const;
  void paint(std::vector<Attempt>& all);
  // The mask of the variant that stays, and in the attempt's object which it is, and why it was dropped if it was.
  torch::Tensor chosen_mask(Attempt& attempt);
  void settle(Attempt& attempt, InpaintedScene& result, const Classes& classes, bool keep_trials);

  Painter& painter_;
  MaskRefiner& refiner_;
  ThingFilters filters_;
  const std::vector<Reference>& references_;
  std::vector<Footprint> footprints_;   // of the references
  std::vector<ColourMoments> moments_;  // of the references, where colours are matched
  ObjectInpainterOptions options_;
  InpaintCost cost_;  // of the scene at hand
};

}  // namespace terragen::synthesis
