// A small painter for tests: untrained, but it hears its layout.
#pragma once

#include <string>

#include "terragen/diffusion/scheduler_config.h"
#include "terragen/models/model_folder.h"

namespace terragen::synthesis {

// Classes building and road, tasks of the same names, the second one dense; three 8-bit bands; sizes in steps of 16.
inline models::ModelFolder small_model(const layout::Taxonomy& classes = layout::Taxonomy({{"building", {200, 0, 0}},
                                                                                           {"road", {0, 0, 200}}}),
                                       const std::vector<std::string>& tasks = {"building", "road"},
                                       std::uint64_t seed = 1) {
  torch::manual_seed(seed);
  models::ModelFolder model;
  model.images.bands = {{"red", 0, 255}, {"green", 0, 255}, {"blue", 0, 255}};
  models::AutoencoderConfig vae;
  vae.block_out_channels = {16, 32};
  vae.layers_per_block = 1;
  vae.norm_num_groups = 8;
  vae.patch_size = 4;
  model.autoencoder = models::AutoencoderKL(vae);
  models::LayoutEncoderConfig layout;
  layout.taxonomy = classes;
  layout.tasks = tasks;
  layout.channels = {16, 16};
  layout.time_dim = 128;
  model.layout_encoder = models::LayoutEncoder(layout);
  models::UNetConfig unet;
  unet.in_channels = 9;
  unet.block_out_channels = {32, 64};
  unet.down_block_types = {"DownBlock2D", "CrossAttnDownBlock2D"};
  unet.up_block_types = {"CrossAttnUpBlock2D", "UpBlock2D"};
  unet.layers_per_block = 1;
  unet.attention_head_dim = {2};
  unet.cross_attention_dim = 0;
  unet.norm_num_groups = 8;
  unet.layout_channels = {16, 16};
  unet.layout_token_dim = layout.token_dim;
  model.unet = models::UNet2DConditionModel(unet);
  model.scheduler = diffusion::to_json(diffusion::SchedulerConfig{
      .prediction_type = "v_prediction", .timestep_spacing = "trailing", .rescale_betas_zero_snr = true});
  model.dense_tasks = {"road"};
  // Untrained gates are closed: opened, so that a layout matters.
  const torch::NoGradGuard no_grad;
  for (auto& item : model.unet->named_parameters()) {
    if (item.key().find("layout_modulation") != std::string::npos) item.value().normal_(0, 0.2);
  }
  model.unet->eval();
  model.layout_encoder->eval();
  model.autoencoder->eval();
  return model;
}

}  // namespace terragen::synthesis
