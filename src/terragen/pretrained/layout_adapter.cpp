#include "terragen/pretrained/layout_adapter.h"

#include <format>

#include "terragen/core/error.h"
#include "terragen/models/model_io.h"

namespace terragen::pretrained {
namespace {

// What the first convolution sees in TerraGen's order, noisy latents, masked latents, mask; the published networks for
// inpainting have the mask before the masked latents.
torch::Tensor widened(const torch::Tensor& weight, std::int64_t latents, const std::string& place) {
  const std::int64_t inputs = weight.size(1);
  if (inputs != latents && inputs != 2 * latents + 1) {
    throw DataError(place, std::format("the U-Net takes {} channels, neither latents of {} nor those of inpainting",
                                       inputs, latents));
  }
  torch::Tensor wide = torch::zeros({weight.size(0), 2 * latents + 1, weight.size(2), weight.size(3)});
  wide.narrow(1, 0, latents).copy_(weight.narrow(1, 0, latents));
  if (inputs > latents) {
    wide.narrow(1, latents, latents).copy_(weight.narrow(1, latents + 1, latents));
    wide.narrow(1, 2 * latents, 1).copy_(weight.narrow(1, latents, 1));
  }
  return wide;
}

}  // namespace

bool is_published(const std::filesystem::path& path) {
  const std::filesystem::path index = path / "model_index.json";
  return std::filesystem::exists(index) && !read_json(index).contains("terragen");
}

models::ModelFolder with_layouts(Checkpoint published, models::LayoutEncoderConfig layout, const std::string& place) {
  const torch::NoGradGuard no_grad;
  models::UNetConfig config = published.unet->config();
  const std::int64_t latents = published.autoencoder->config().latent_channels;
  if (layout.channels.size() != config.block_out_channels.size()) {
    throw RequestError(std::format("there are {} levels of layout channels, the U-Net of {} has {}",
                                   layout.channels.size(), place, config.block_out_channels.size()));
  }
  layout.time_dim = config.time_dim();
  layout.latent_cell = static_cast<int>(published.autoencoder->config().downscale());
  config.in_channels = 2 * latents + 1;
  config.layout_channels = layout.channels;
  config.layout_token_dim = layout.vector_branch ? layout.token_dim : 0;

  models::ModelFolder model;
  model.unet = models::UNet2DConditionModel(config);
  tensor::TensorMap weights = models::collect_parameters(*model.unet);
  for (auto& [name, value] : models::collect_parameters(*published.unet)) {
    weights.at(name) = name == "conv_in.weight" ? widened(value, latents, place) : value;
  }
  models::adopt_parameters(*model.unet, weights, place);
  model.autoencoder = published.autoencoder;
  model.layout_encoder = models::LayoutEncoder(std::move(layout));
  if (!published.tokenizer) throw InternalError("[with_layouts] the published model has no tokenizer");
  model.captions = std::make_shared<models::CaptionEncoder>(published.text_encoder, std::move(*published.tokenizer));
  if (published.scheduler.class_name == "FlowMatchEulerDiscreteScheduler") {
    throw DataError(place, "was trained to match a flow, which is not offered for models that paint from layouts");
  }
  // Which sampler paints is asked when painting; this name means none in particular.
  published.scheduler.class_name = "DDIMScheduler";
  model.scheduler = diffusion::to_json(published.scheduler);
  return model;
}

}  // namespace terragen::pretrained
