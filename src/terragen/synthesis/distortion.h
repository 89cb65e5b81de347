// Plain augmentation of real images as a method of its own, to compare with.
#pragma once

#include "terragen/core/seed.h"
#include "terragen/shards/sample.h"

namespace terragen::synthesis {

// Brightness, contrast and saturation by up to 30 %, gamma by up to 1.4, and noise of up to 3 % of the range.
shards::Sample photometric_distortion(const shards::Sample& sample, Random& random);
// Turned by any angle, resized and sheared a little: image (bilinear), validity and dense mask (nearest) and features
// alike. Layouts with upright boxes are turned by quarters and not sheared: boxes stay upright and close. What comes
// from beyond the image is not valid.
shards::Sample geometric_distortion(const shards::Sample& sample, Random& random);

}  // namespace terragen::synthesis
