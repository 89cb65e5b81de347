#include "terragen/pretrained/ldm_names.h"

#include <gtest/gtest.h>

#include "terragen/core/error.h"
#include "terragen/core/test_paths.h"
#include "terragen/models/model_io.h"
#include "terragen/pretrained/checkpoint.h"
#include "terragen/pretrained/ldm_config.h"
#include "terragen/pretrained/small_model.h"

namespace terragen::pretrained {
namespace {

// Of Stable Diffusion 1.5, from both files as they are published.
TEST(LdmNames, ThePublishedNames) {
  const std::map<std::string, std::string> unet = {
      {"input_blocks.1.0.in_layers.0.weight", "down_blocks.0.resnets.0.norm1.weight"},
      {"input_blocks.3.0.op.weight", "down_blocks.0.downsamplers.0.conv.weight"},
      {"input_blocks.4.0.skip_connection.weight", "down_blocks.1.resnets.0.conv_shortcut.weight"},
      {"input_blocks.5.1.transformer_blocks.0.attn1.to_out.0.bias",
       "down_blocks.1.attentions.1.transformer_blocks.0.attn1.to_out.0.bias"},
      {"input_blocks.11.0.out_layers.3.bias", "down_blocks.3.resnets.1.conv2.bias"},
      {"middle_block.0.emb_layers.1.bias", "mid_block.resnets.0.time_emb_proj.bias"},
      {"middle_block.1.proj_in.weight", "mid_block.attentions.0.proj_in.weight"},
      {"middle_block.2.out_layers.0.weight", "mid_block.resnets.1.norm2.weight"},
      {"output_blocks.2.1.conv.weight", "up_blocks.0.upsamplers.0.conv.weight"},
      {"output_blocks.5.1.norm.weight", "up_blocks.1.attentions.2.norm.weight"},
      {"output_blocks.5.2.conv.bias", "up_blocks.1.upsamplers.0.conv.bias"},
      {"output_blocks.11.1.proj_out.bias", "up_blocks.3.attentions.2.proj_out.bias"},
      {"time_embed.2.weight", "time_embedding.linear_2.weight"},
      {"out.0.bias", "conv_norm_out.bias"}};
  const std::map<std::string, std::string> autoencoder = {
      {"encoder.down.1.block.0.nin_shortcut.weight", "encoder.down_blocks.1.resnets.0.conv_shortcut.weight"},
      {"encoder.down.2.downsample.conv.bias", "encoder.down_blocks.2.downsamplers.0.conv.bias"},
      {"encoder.mid.attn_1.q.bias", "encoder.mid_block.attentions.0.to_q.bias"},
      {"decoder.mid.block_2.norm1.weight", "decoder.mid_block.resnets.1.norm1.weight"},
      {"decoder.up.3.block.2.conv1.weight", "decoder.up_blocks.0.resnets.2.conv1.weight"},
      {"decoder.up.1.upsample.conv.weight", "decoder.up_blocks.2.upsamplers.0.conv.weight"},
      {"decoder.norm_out.weight", "decoder.conv_norm_out.weight"},
      {"post_quant_conv.bias", "post_quant_conv.bias"}};
  tensor::TensorMap tensors = {{"cond_stage_model.transformer.text_model.final_layer_norm.bias", torch::zeros(1)}};
  for (const auto& [old, name] : unet) tensors["model.diffusion_model." + old] = torch::zeros(1);
  for (const auto& [old, name] : autoencoder) tensors["first_stage_model." + old] = torch::zeros(1);
  const LdmParts parts = from_ldm_names(tensors, "x");
  EXPECT_EQ(parts.unet.size(), unet.size());
  for (const auto& [old, name] : unet) EXPECT_TRUE(parts.unet.contains(name)) << old;
  EXPECT_EQ(parts.autoencoder.size(), autoencoder.size());
  for (const auto& [old, name] : autoencoder) EXPECT_TRUE(parts.autoencoder.contains(name)) << old;
  EXPECT_EQ(parts.text_encoder.count("text_model.final_layer_norm.bias"), 1U);
}

TEST(LdmNames, EveryTensorOfAModelAndItsSettings) {
  const test::SmallModel model;
  const LdmParts parts = from_ldm_names(model.single_file(), "x");
  models::UNet2DConditionModel unet(ldm_unet_config(parts.unet, "x"));
  models::AutoencoderKL autoencoder(ldm_autoencoder_config(parts.autoencoder, "x"));
  models::ClipTextModel text(ldm_text_config(parts.text_encoder, "x"));
  EXPECT_EQ(to_json(unet->config()), to_json(model.unet->config()));
  EXPECT_EQ(to_json(autoencoder->config()), to_json(model.autoencoder->config()));
  EXPECT_EQ(to_json(text->config()), to_json(model.text_encoder->config()));
  EXPECT_NO_THROW(models::load_parameters(*unet, parts.unet));
  EXPECT_NO_THROW(models::load_parameters(*autoencoder, parts.autoencoder));
  EXPECT_NO_THROW(models::load_parameters(*text, parts.text_encoder));
}

// OpenCLIP's layers, whose last is left out, and whose queries, keys and values come in one.
TEST(LdmNames, OpenClip) {
  const test::SmallModel model;
  tensor::TensorMap tensors = model.single_file();
  std::erase_if(tensors, [](const auto& item) { return item.first.starts_with("cond_stage_model."); });
  const tensor::TensorMap text = models::collect_parameters(*model.text_encoder);
  const std::string open = "cond_stage_model.model.";
  tensors[open + "token_embedding.weight"] = text.at("text_model.embeddings.token_embedding.weight");
  tensors[open + "positional_embedding"] = text.at("text_model.embeddings.position_embedding.weight");
  tensors[open + "logit_scale"] = torch::tensor(1.0F);
  tensors[open + "text_projection"] = torch::zeros({64, 64});
  for (const char* kind : {"weight", "bias"}) {
    tensors[open + "ln_final." + kind] = text.at(std::string("text_model.final_layer_norm.") + kind);
    for (int i = 0; i < 3; ++i) {
      const std::string from = std::format("text_model.encoder.layers.{}.", i);
      const std::string to = std::format("{}transformer.resblocks.{}.", open, i);
      const auto one = [&](const std::string& name) { return text.at(from + name + "." + kind); };
      tensors[to + "attn.in_proj_" + kind] =
          torch::cat({one("self_attn.q_proj"), one("self_attn.k_proj"), one("self_attn.v_proj")});
      tensors[to + "attn.out_proj." + kind] = one("self_attn.out_proj");
      tensors[to + "ln_1." + kind] = one("layer_norm1");
      tensors[to + "ln_2." + kind] = one("layer_norm2");
      tensors[to + "mlp.c_fc." + kind] = one("mlp.fc1");
      tensors[to + "mlp.c_proj." + kind] = one("mlp.fc2");
    }
  }
  tensors[open + "embeddings.position_ids"] = torch::arange(77);
  const LdmParts parts = from_ldm_names(tensors, "x");
  EXPECT_EQ(ldm_text_config(parts.text_encoder, "x").num_hidden_layers, 2);
  for (const auto& [name, value] : text) {
    const bool last = name.find("layers.2.") != std::string::npos;
    EXPECT_EQ(parts.text_encoder.contains(name), !last) << name;
    if (!last) {
      EXPECT_TRUE(torch::equal(parts.text_encoder.at(name), value)) << name;
    }
  }
}

TEST(LdmNames, ThePublishedNamesOfAControlNet) {
  const std::map<std::string, std::string> names = {
      {"input_hint_block.0.weight", "controlnet_cond_embedding.conv_in.weight"},
      {"input_hint_block.2.weight", "controlnet_cond_embedding.blocks.0.weight"},
      {"input_hint_block.12.bias", "controlnet_cond_embedding.blocks.5.bias"},
      {"input_hint_block.14.bias", "controlnet_cond_embedding.conv_out.bias"},
      {"zero_convs.0.0.weight", "controlnet_down_blocks.0.weight"},
      {"zero_convs.11.0.bias", "controlnet_down_blocks.11.bias"},
      {"middle_block_out.0.weight", "controlnet_mid_block.weight"},
      {"middle_block.1.norm.weight", "mid_block.attentions.0.norm.weight"},
      {"input_blocks.0.0.weight", "conv_in.weight"},
      {"input_blocks.3.0.op.weight", "down_blocks.0.downsamplers.0.conv.weight"},
      {"input_blocks.11.0.out_layers.3.bias", "down_blocks.3.resnets.1.conv2.bias"},
      {"time_embed.0.weight", "time_embedding.linear_1.weight"}};
  tensor::TensorMap tensors = {{"model.diffusion_model.input_blocks.0.0.weight", torch::zeros(1)}};
  for (const auto& [old, name] : names) tensors["control_model." + old] = torch::zeros(1);
  const tensor::TensorMap translated = control_net_from_ldm_names(tensors, "x");
  EXPECT_EQ(translated.size(), names.size());
  for (const auto& [old, name] : names) EXPECT_TRUE(translated.contains(name)) << old;
}

TEST(LdmNames, AControlNetsFileIsTheSameNetwork) {
  const test::SmallModel model;
  models::ControlNet net = model.control_net();
  const test::ScratchFolder scratch;
  test::SmallModel::write_control_net(scratch.path() / "folder", net);
  // With the whole model beside it, as a training leaves it, and alone.
  tensor::TensorMap whole = model.single_file();
  whole.merge(test::SmallModel::original_control_net(net, "control_model."));
  tensor::save_safetensors(scratch.path() / "whole.safetensors", whole);
  tensor::save_safetensors(scratch.path() / "alone.safetensors", test::SmallModel::original_control_net(net, ""));
  const tensor::TensorMap expected = models::collect_parameters(*net);
  for (const char* name : {"folder", "whole.safetensors", "alone.safetensors"}) {
    models::ControlNet read = load_control_net(scratch.path() / name);
    const tensor::TensorMap found = models::collect_parameters(*read);
    EXPECT_EQ(to_json(read->config().unet), to_json(load_control_net(scratch.path() / "folder")->config().unet));
    EXPECT_EQ(read->config().downscale(), 2);
    ASSERT_EQ(found.size(), expected.size());
    for (const auto& [key, value] : expected) EXPECT_TRUE(torch::equal(found.at(key), value)) << name << " " << key;
  }
}

TEST(LdmNames, WhatIsWrongInAControlNetsFileIsNamed) {
  const test::SmallModel model;
  const test::ScratchFolder scratch;
  const auto refusal = [&](const tensor::TensorMap& tensors) -> std::string {
    tensor::save_safetensors(scratch.path() / "x.safetensors", tensors);
    try {
      load_control_net(scratch.path() / "x.safetensors");
    } catch (const DataError& error) {
      return error.what();
    }
    return "accepted";
  };
  const tensor::TensorMap whole = test::SmallModel::original_control_net(model.control_net(), "control_model.");
  EXPECT_EQ(refusal(whole), "accepted");
  EXPECT_NE(refusal(model.single_file()).find("is no ControlNet"), std::string::npos);
  const auto expect_named = [&](const std::string& name, const torch::Tensor& value, const std::string& said) {
    tensor::TensorMap tensors = whole;
    tensors.erase("control_model." + name);
    if (value.defined()) tensors["control_model." + name] = value;
    EXPECT_NE(refusal(tensors).find(said), std::string::npos) << refusal(tensors);
  };
  for (const char* name : {"output_blocks.0.0.in_layers.0.weight", "input_hint_block.1.weight", "zero_convs.0.1.bias",
                           "middle_block_out.1.bias", "label_emb.weight"}) {
    expect_named(name, torch::zeros({3}), std::format("\"control_model.{}\" is not known", name));
  }
  expect_named("zero_convs.1.0.bias", {}, "\"controlnet_down_blocks.1.bias\" is missing");
  expect_named("input_hint_block.4.weight", {}, "\"controlnet_cond_embedding.blocks.1.weight\" is missing");
  expect_named("input_blocks.0.0.weight", torch::zeros({3}), "\"conv_in.weight\" has too few dimensions");
  EXPECT_THROW(load_control_net(scratch.path() / "nothing"), DataError);
}

TEST(LdmNames, WhatIsUnknownOrMissingIsNamed) {
  const test::SmallModel model;
  const auto refusal = [](const tensor::TensorMap& tensors) -> std::string {
    try {
      const LdmParts parts = from_ldm_names(tensors, "x.safetensors");
      ldm_unet_config(parts.unet, "x.safetensors");
      ldm_autoencoder_config(parts.autoencoder, "x.safetensors");
      ldm_text_config(parts.text_encoder, "x.safetensors");
    } catch (const DataError& error) {
      return error.what();
    }
    return "accepted";
  };
  const auto without = [&](const std::string& prefix) {
    tensor::TensorMap tensors = model.single_file();
    std::erase_if(tensors, [&](const auto& item) { return item.first.starts_with(prefix); });
    return refusal(tensors);
  };
  EXPECT_EQ(refusal(model.single_file()), "accepted");
  EXPECT_NE(without("model.diffusion_model.").find("U-Net"), std::string::npos);
  EXPECT_NE(without("first_stage_model.").find("autoencoder"), std::string::npos);
  EXPECT_NE(without("cond_stage_model.").find("text encoder"), std::string::npos);
  EXPECT_NE(without("model.diffusion_model.input_blocks.0.0.weight").find("\"conv_in.weight\""), std::string::npos);
  EXPECT_NE(without("first_stage_model.decoder.conv_in").find("\"decoder.conv_in.weight\""), std::string::npos);
  for (const char* name :
       {"model.diffusion_model.input_blocks.x.0.weight", "model.diffusion_model.label_emb.0.0.weight",
        "first_stage_model.encoder.down.0.attn.0.q.weight", "first_stage_model.encoder",
        "cond_stage_model.model.transformer.resblocks.0.ls_1.gamma"}) {
    tensor::TensorMap tensors = model.single_file();
    tensors[name] = torch::zeros({3});
    EXPECT_NE(refusal(tensors).find(name), std::string::npos) << refusal(tensors);
  }
}

}  // namespace
}  // namespace terragen::pretrained
