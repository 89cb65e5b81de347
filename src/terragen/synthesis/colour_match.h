// Painted colours brought to those of an example (Reinhard et al., "Color Transfer between Images", 2001, on the bands
// as they are).
#pragma once

#include <torch/torch.h>

namespace terragen::synthesis {

// Mean and standard deviation of every band.
struct ColourMoments {
  torch::Tensor mean, deviation;  // [B, 1]
};

// Of the pixels where mask is not 0. image: [B, H, W]; mask: [H, W], not all 0.
ColourMoments colour_moments(const torch::Tensor& image, const torch::Tensor& mask);

// The image with the bands under the mask shifted and pressed together so that their moments are `share` of the way
// from what they are to `wanted`. A deviation that is below the wanted one stays as it is: raised band by band it turns
// texture to coloured noise. Values stay in [-1, 1]; the rest of the image is as it was.
torch::Tensor colour_matched(const torch::Tensor& image, const torch::Tensor& mask, const ColourMoments& wanted,
                             double share);

}  // namespace terragen::synthesis
