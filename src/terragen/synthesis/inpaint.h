// A labelled dataset and a few examples of a class it lacks become a dataset in which that class stands in many real
// scenes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "terragen/core/json_file.h"
#include "terragen/data/dataset.h"
#include "terragen/layout/placement_rule.h"
#include "terragen/synthesis/object_inpainter.h"

namespace terragen::synthesis {

struct InpaintOptions {
  std::string class_name;
  std::uint64_t seed = 0;
  int scenes = 0;                             // training images that come to hold things, drawn by the seed; 0: all
  int per_scene = 1;                          // new images of each
  bool keep_real = true;                      // the result holds the real images, too
  bool filter = true;                         // drop what looks less like the examples than they do among themselves
  double reject_share = 0.1;                  // see CropFilter
  std::optional<layout::PlacementRule> rule;  // none: learned from the examples
  ObjectInpainterOptions objects;
  std::filesystem::path explain;  // folder for pictures of where things may stand; empty: none

  void validate() const;
};
// What decides the result, but for the rule, which may be still to be learned.
Json to_json(const InpaintOptions& options);

struct InpaintSummary {
  std::size_t references = 0;
  std::size_t scenes = 0;  // new images tried
  std::size_t images = 0;  // with at least one thing
  std::size_t placed = 0;
  std::size_t accepted = 0;
  std::size_t pasted = 0;  // of these, by a round of strength 0
  std::size_t wrong_mask = 0;
  std::size_t unlike = 0;
  std::size_t unseen = 0;  // by the judge
  double threshold = 0;    // of the filter
  double judge_threshold = 0;
  InpaintCost cost;  // of all that was made, in however many runs
};
Json to_json(const InpaintSummary& summary);

// The dataset with the class last in its taxonomy, where it has it not. A killed or interrupted run leaves
// OUTPUT.partial; the same call goes on there and ends with the same dataset, another one is refused with RequestError.
// `examples` holds the class in images that are not of the split "test"; their other classes must be the dataset's.
// judge: a segmenter that knows the class, or null.
InpaintSummary inpaint_dataset(const data::Dataset& dataset, const data::Dataset& examples, Painter& painter,
                               MaskRefiner& refiner, const models::PerceptionInference* judge,
                               const InpaintOptions& options, const std::filesystem::path& output);

}  // namespace terragen::synthesis
