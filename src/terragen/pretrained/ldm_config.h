// What a single-file checkpoint does not say of itself, told by the shapes of its tensors.
#pragma once

#include "terragen/models/autoencoder_config.h"
#include "terragen/models/clip_text_model.h"
#include "terragen/models/control_net.h"
#include "terragen/models/unet_config.h"
#include "terragen/pretrained/ldm_names.h"

namespace terragen::pretrained {

// Heads and groups are not in the shapes: there are 32 groups; Stable Diffusion 1 has 8 heads, 2 one for 64 channels.
// DataError naming `place` and the tensor that is missing or of a shape no such network has.
models::UNetConfig ldm_unet_config(const tensor::TensorMap& unet, const std::string& place);
models::ControlNetConfig ldm_control_net_config(const tensor::TensorMap& control_net, const std::string& place);
models::AutoencoderConfig ldm_autoencoder_config(const tensor::TensorMap& autoencoder, const std::string& place);
models::ClipTextConfig ldm_text_config(const tensor::TensorMap& text_encoder, const std::string& place);

}  // namespace terragen::pretrained
