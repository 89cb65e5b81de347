#include "terragen/pretrained/ldm_config.h"

#include <format>

#include "terragen/core/blame_file.h"
#include "terragen/core/error.h"

namespace terragen::pretrained {
namespace {

// The size along `dimension` of a tensor that must be there.
std::int64_t size_of(const tensor::TensorMap& tensors, const std::string& name, std::int64_t dimension,
                     const std::string& place) {
  const auto found = tensors.find(name);
  if (found == tensors.end()) throw DataError(place, std::format("tensor \"{}\" is missing", name));
  if (found->second.dim() <= dimension)
    throw DataError(place, std::format("tensor \"{}\" has too few dimensions", name));
  return found->second.size(dimension);
}

// How many blocks `prefix0.`, `prefix1.`, ... there are.
std::int64_t blocks(const tensor::TensorMap& tensors, const std::string& prefix) {
  std::int64_t count = 0;
  const auto there = [&](const std::string& begun) {
    const auto found = tensors.lower_bound(begun);
    return found != tensors.end() && found->first.starts_with(begun);
  };
  while (there(std::format("{}{}.", prefix, count))) ++count;
  return count;
}

// Of the U-Net itself or of the one that a ControlNet controls. `out_channels`: which a ControlNet does not say.
models::UNetConfig down_path_config(const tensor::TensorMap& unet, std::int64_t out_channels,
                                    const std::string& place) {
  models::UNetConfig config;
  config.in_channels = size_of(unet, "conv_in.weight", 1, place);
  config.out_channels = out_channels;
  config.layers_per_block = blocks(unet, "down_blocks.0.resnets.");
  config.block_out_channels.clear();
  config.down_block_types.clear();
  config.up_block_types.clear();
  config.cross_attention_dim = 0;
  const std::int64_t levels = blocks(unet, "down_blocks.");
  for (std::int64_t i = 0; i < levels; ++i) {
    const std::string block = std::format("down_blocks.{}.", i);
    config.block_out_channels.push_back(size_of(unet, block + "resnets.0.conv1.weight", 0, place));
    const bool attends = blocks(unet, block + "attentions.") > 0;
    config.down_block_types.emplace_back(attends ? "CrossAttnDownBlock2D" : "DownBlock2D");
    config.up_block_types.emplace(config.up_block_types.begin(), attends ? "CrossAttnUpBlock2D" : "UpBlock2D");
  }
  const std::string middle = "mid_block.attentions.0.";
  config.cross_attention_dim = size_of(unet, middle + "transformer_blocks.0.attn2.to_k.weight", 1, place);
  config.transformer_layers_per_block = blocks(unet, middle + "transformer_blocks.");
  config.use_linear_projection = unet.at(middle + "transformer_blocks.0.attn2.to_k.weight").dim() == 2 &&
                                 unet.contains(middle + "proj_in.weight") &&
                                 unet.at(middle + "proj_in.weight").dim() == 2;
  config.attention_head_dim = {8};
  if (config.use_linear_projection) {
    config.attention_head_dim.clear();
    for (const std::int64_t channels : config.block_out_channels) {
      config.attention_head_dim.push_back(std::max<std::int64_t>(1, channels / 64));
    }
  }
  blame_file(place, [&] { config.validate(); });
  return config;
}

}  // namespace

models::UNetConfig ldm_unet_config(const tensor::TensorMap& unet, const std::string& place) {
  return down_path_config(unet, size_of(unet, "conv_out.weight", 0, place), place);
}

models::ControlNetConfig ldm_control_net_config(const tensor::TensorMap& control_net, const std::string& place) {
  models::ControlNetConfig config;
  config.unet = down_path_config(control_net, size_of(control_net, "conv_in.weight", 1, place), place);
  const std::string embedding = "controlnet_cond_embedding.";
  config.conditioning_channels = size_of(control_net, embedding + "conv_in.weight", 1, place);
  config.conditioning_embedding_out_channels = {size_of(control_net, embedding + "conv_in.weight", 0, place)};
  // Every second one halves the picture and changes the channels.
  for (std::int64_t i = 1; i < blocks(control_net, embedding + "blocks."); i += 2) {
    config.conditioning_embedding_out_channels.push_back(
        size_of(control_net, std::format("{}blocks.{}.weight", embedding, i), 0, place));
  }
  return config;
}

models::AutoencoderConfig ldm_autoencoder_config(const tensor::TensorMap& autoencoder, const std::string& place) {
  models::AutoencoderConfig config;
  config.in_channels = size_of(autoencoder, "encoder.conv_in.weight", 1, place);
  config.out_channels = size_of(autoencoder, "decoder.conv_out.weight", 0, place);
  config.latent_channels = size_of(autoencoder, "decoder.conv_in.weight", 1, place);
  config.layers_per_block = blocks(autoencoder, "encoder.down_blocks.0.resnets.");
  config.block_out_channels.clear();
  for (std::int64_t i = 0; i < blocks(autoencoder, "encoder.down_blocks."); ++i) {
    config.block_out_channels.push_back(
        size_of(autoencoder, std::format("encoder.down_blocks.{}.resnets.0.conv1.weight", i), 0, place));
  }
  config.use_quant_conv = autoencoder.contains("quant_conv.weight");
  config.use_post_quant_conv = autoencoder.contains("post_quant_conv.weight");
  config.mid_block_add_attention = autoencoder.contains("encoder.mid_block.attentions.0.to_q.weight");
  blame_file(place, [&] { config.validate(); });
  return config;
}

models::ClipTextConfig ldm_text_config(const tensor::TensorMap& text_encoder, const std::string& place) {
  models::ClipTextConfig config;
  const std::string model = "text_model.";
  config.vocab_size = size_of(text_encoder, model + "embeddings.token_embedding.weight", 0, place);
  config.hidden_size = size_of(text_encoder, model + "embeddings.token_embedding.weight", 1, place);
  config.max_position_embeddings = size_of(text_encoder, model + "embeddings.position_embedding.weight", 0, place);
  config.intermediate_size = size_of(text_encoder, model + "encoder.layers.0.mlp.fc1.weight", 0, place);
  config.num_hidden_layers = blocks(text_encoder, model + "encoder.layers.");
  // One head for 64 channels in CLIP and OpenCLIP alike; OpenCLIP's wider models have the exact GELU.
  config.num_attention_heads = std::max<std::int64_t>(1, config.hidden_size / 64);
  config.hidden_act = config.hidden_size > 768 ? "gelu" : "quick_gelu";
  config.eos_token_id = 2;
  blame_file(place, [&] { config.validate(); });
  return config;
}

}  // namespace terragen::pretrained
