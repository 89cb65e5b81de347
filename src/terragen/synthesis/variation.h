// Beginnings of new images: what is known, cut elsewhere, resized, turned, joined with others; and how much of it is to
// be painted anew.
#pragma once

#include <torch/torch.h>

#include <cstddef>

#include "terragen/core/seed.h"
#include "terragen/layout/layout.h"
#include "terragen/shards/shard_reader.h"

namespace terragen::synthesis {

// Wholly painted images follow their layouts most freely but show what the model takes for typical; what begins at a
// real image keeps its clutter, and so the hard cases. The three kinds are drawn for every new image.
struct VariationOptions {
  int size = 256;               // pixels, of the new images
  double scale_jitter = 1.4;    // see shards::AugmentOptions
  double mix_share = 0.5;       // of new images that are made of two known ones
  double whole_share = 0.2;     // painted from nothing but a layout; mixed: two layouts joined at a line
  double scene_share = 0.4;     // a real image, or parts of one over another, painted over with a strength in
  double least_strength = 0.3;  // [least_strength, most_strength], see PaintRequest
  double most_strength = 0.8;   // the rest: real images in which about half of the objects, or of the classes of a
                                // dense mask, are painted anew

  void validate() const;
};

struct Variation {
  shards::Sample sample;  // what painting begins at, and its label; no image where it is painted whole
  bool whole = false;
  double strength = 1;    // see PaintRequest
  torch::Tensor repaint;  // likewise; undefined: everywhere
};

// A variation of real sample `index`, the other one drawn from all. Deterministic in `random`.
Variation varied(const shards::ShardReader& real, std::size_t index, const VariationOptions& options, Random& random);

// `one` left of column `cut` (above row `cut` where `rows`), `other` beyond; features are clipped at the line. Both of
// one size; either both with a dense mask or none.
layout::Layout joined(const layout::Layout& one, const layout::Layout& other, int cut, bool rows);

}  // namespace terragen::synthesis
