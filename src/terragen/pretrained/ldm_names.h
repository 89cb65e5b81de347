// Stable Diffusion as its authors publish it: one file, with the names of the latent-diffusion and OpenCLIP code.
#pragma once

#include <string>

#include "terragen/tensor/safetensors.h"

namespace terragen::pretrained {

// The tensors of each part under diffusers' and transformers' names. A tensor keeps its memory.
struct LdmParts {
  tensor::TensorMap unet, autoencoder, text_encoder;
  bool is_open_clip = false;  // the text encoder of Stable Diffusion 2
};

// Knows "model.diffusion_model.", "first_stage_model." and "cond_stage_model." with CLIP (Stable Diffusion 1) or
// OpenCLIP (2, whose last layer is left out, since 2 was trained without it); the rest (schedules, averages) is left
// out. DataError naming `place` and the tensor for one it has no name for, and for a part that is not there.
LdmParts from_ldm_names(const tensor::TensorMap& tensors, const std::string& place);

// A ControlNet as its authors publish it, under diffusers' names: "control_model." before every name (the rest of the
// file, a whole model, is left out) or before none. DataError as above, also for a file that holds no ControlNet.
tensor::TensorMap control_net_from_ldm_names(const tensor::TensorMap& tensors, const std::string& place);

// The autoencoder's attention under today's names: older files have query, key, value and proj_attn, and keep the
// weights as convolutions of one pixel.
tensor::TensorMap with_todays_attention(const tensor::TensorMap& autoencoder);

}  // namespace terragen::pretrained
