// Beginnings of new images: what is known, cut elsewhere, resized, turned, joined with others; and how much of it is to
// be painted anew.
#pragma once

#include <torch/torch.h>

#include <cstddef>

#include "terragen/core/json_file.h"
#include "terragen/core/seed.h"
#include "terragen/layout/layout.h"
#include "terragen/shards/shard_reader.h"

namespace terragen::synthesis {

// Wholly painted images follow their layouts most freely but show what the model takes for typical; what begins at a
// real image keeps its clutter, and so the hard cases. The kind is drawn for every new image.
struct VariationOptions {
  int size = 256;               // pixels, of the new images
  double scale_jitter = 1.4;    // see shards::AugmentOptions
  double mix_share = 0.5;       // of new images that are made of two known ones
  double whole_share = 0.3;     // painted from nothing but a layout; mixed: two layouts joined at a line
  double scene_share = 0.3;     // a real image, or parts of one over another, painted over with a strength in
  double least_strength = 0.5;  // [least_strength, most_strength], see PaintRequest
  double most_strength = 0.9;
  double paste_share = 0.2;  // parts of one real image over another, and nothing painted
  // The rest: real images in which about half of the objects, or of the classes of a dense mask, are painted anew, and
  // some squares anywhere.

  void validate() const;
};
Json to_json(const VariationOptions& options);

struct Variation {
  shards::Sample sample;  // what painting begins at, and its label; no image where it is painted whole
  bool whole = false;
  bool painted = true;    // false: the sample is the new image as it is
  double strength = 1;    // see PaintRequest
  torch::Tensor repaint;  // likewise; undefined: everywhere
};

// A variation of real sample `index`, the other one drawn from all. Deterministic in `random`.
Variation varied(const shards::ShardReader& real, std::size_t index, const VariationOptions& options, Random& random);

// `one` left of column `cut` (above row `cut` where `rows`), `other` beyond; features are clipped at the line. Both of
// one size; either both with a dense mask or none.
layout::Layout joined(const layout::Layout& one, const layout::Layout& other, int cut, bool rows);

}  // namespace terragen::synthesis
