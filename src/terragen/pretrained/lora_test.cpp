#include "terragen/pretrained/lora.h"

#include <gtest/gtest.h>

#include <cmath>

#include "terragen/core/error.h"
#include "terragen/core/test_paths.h"
#include "terragen/pretrained/small_model.h"
#include "terragen/tensor/seeded_noise.h"

namespace terragen::pretrained {
namespace {

class Lora : public testing::Test {
 protected:
  Lora() {
    const test::SmallModel small;
    model_.unet = small.unet;
    model_.text_encoder = small.text_encoder;
  }
  std::size_t add(const tensor::TensorMap& tensors, double scale = 1.0,
                  const std::map<std::string, std::string>& metadata = {}) {
    tensor::save_safetensors(file(), tensors, metadata);
    return add_lora(model_, file(), scale);
  }
  std::filesystem::path file() const { return scratch_.path() / "a.safetensors"; }
  torch::Tensor query() const {
    return models::collect_parameters(*model_.unet)
        .at("down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q.weight");
  }
  torch::Tensor convolution() const {
    return models::collect_parameters(*model_.unet).at("down_blocks.0.resnets.0.conv1.weight");
  }
  Checkpoint model_;
  test::ScratchFolder scratch_;
  const torch::Tensor down_ = tensor::seeded_normal({2, 32}, 1), up_ = tensor::seeded_normal({32, 2}, 2);
};

TEST_F(Lora, DiffusersNames) {
  const torch::Tensor before = query().clone();
  const std::string name = "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q.";
  EXPECT_EQ(add({{name + "lora_A.weight", down_}, {name + "lora_B.weight", up_.to(torch::kHalf)}}, 0.5), 1U);
  const torch::Tensor expected = before + 0.5 * torch::matmul(up_.to(torch::kHalf).to(torch::kFloat32), down_);
  EXPECT_TRUE(torch::allclose(query(), expected, 1e-5, 1e-6));
}

TEST_F(Lora, KohyaNamesAlphaAndConvolutions) {
  const torch::Tensor before = query().clone(), wide = convolution().clone();
  const torch::Tensor down = tensor::seeded_normal({2, 32, 3, 3}, 3), up = tensor::seeded_normal({32, 2, 1, 1}, 4);
  EXPECT_EQ(add({{"lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q.lora_down.weight", down_},
                 {"lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q.lora_up.weight", up_},
                 {"lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q.alpha", torch::tensor(1.0F)},
                 {"lora_unet_down_blocks_0_resnets_0_conv1.lora_down.weight", down},
                 {"lora_unet_down_blocks_0_resnets_0_conv1.lora_up.weight", up},
                 {"lora_te_text_model_encoder_layers_1_mlp_fc1.lora_down.weight", tensor::seeded_normal({4, 64}, 5)},
                 {"lora_te_text_model_encoder_layers_1_mlp_fc1.lora_up.weight", tensor::seeded_normal({64, 4}, 6)}}),
            3U);
  EXPECT_TRUE(torch::allclose(query(), before + 0.5 * torch::matmul(up_, down_), 1e-5, 1e-6));
  EXPECT_TRUE(torch::allclose(convolution(), wide + torch::einsum("orxy,rihw->oihw", {up, down}), 1e-5, 1e-5));
}

TEST_F(Lora, OlderNamesAndThoseOfPeft) {
  const std::string attention = "down_blocks.0.attentions.0.transformer_blocks.0.attn1.";
  for (const auto& [down, up] : std::vector<std::pair<std::string, std::string>>{
           {attention + "processor.to_q_lora.down.weight", attention + "processor.to_q_lora.up.weight"},
           {"unet." + attention + "processor.to_q_lora.down.weight",
            "unet." + attention + "processor.to_q_lora.up.weight"},
           {"unet." + attention + "to_q.lora_linear_layer.down.weight",
            "unet." + attention + "to_q.lora_linear_layer.up.weight"},
           {"base_model.model." + attention + "to_q.lora_A.weight",
            "base_model.model." + attention + "to_q.lora_B.weight"}}) {
    const torch::Tensor before = query().clone();
    EXPECT_EQ(add({{down, down_}, {up, up_}}), 1U) << down;
    EXPECT_TRUE(torch::allclose(query(), before + torch::matmul(up_, down_), 1e-5, 1e-5)) << down;
  }
  EXPECT_EQ(add({{attention + "processor.to_out_lora.down.weight", down_},
                 {attention + "processor.to_out_lora.up.weight", up_}}),
            1U);
  const std::string text = "text_encoder.text_model.encoder.layers.1.self_attn.q_proj.lora_linear_layer.";
  EXPECT_EQ(add({{text + "down.weight", tensor::seeded_normal({2, 64}, 5)},
                 {text + "up.weight", tensor::seeded_normal({64, 2}, 6)}}),
            1U);
}

TEST_F(Lora, AlphaMayStandInTheMetadata) {
  const std::string name = "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q.";
  const tensor::TensorMap tensors = {{name + "lora_A.weight", down_}, {name + "lora_B.weight", up_}};
  const auto with = [&](const std::string& config) { return add(tensors, 1.0, {{"lora_adapter_metadata", config}}); };
  for (const auto& [config, scale] : std::vector<std::pair<std::string, double>>{
           {R"({"unet.r": 2, "unet.lora_alpha": 1, "text_encoder.lora_alpha": 8})", 0.5},
           {R"({"unet.lora_alpha": 1, "unet.use_rslora": true})", 1 / std::sqrt(2.0)},
           {R"({"unet.r": 2})", 1.0}}) {
    const torch::Tensor before = query().clone();
    EXPECT_EQ(with(config), 1U);
    EXPECT_TRUE(torch::allclose(query(), before + scale * torch::matmul(up_, down_), 1e-5, 1e-5)) << config;
  }
  for (const char* config : {R"({"unet.use_dora": true})", R"({"unet.alpha_pattern": {"to_q": 4}})", "[]", "none"}) {
    EXPECT_THROW(with(config), DataError) << config;
  }
  EXPECT_THROW(add(tensors, NAN), RequestError);
}

TEST_F(Lora, WhatDoesNotFitChangesNothing) {
  const torch::Tensor before = query().clone();
  const std::string name = "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q.";
  const tensor::TensorMap good = {{name + "lora_A.weight", down_}, {name + "lora_B.weight", up_}};
  const auto refused = [&](const std::string& key, const torch::Tensor& value) {
    tensor::TensorMap tensors = good;
    tensors[key] = value;
    EXPECT_THROW(add(tensors), DataError) << key;
  };
  refused(name + "lora_B.weight", torch::zeros({32, 3}));
  refused(name + "lora_B.weight", torch::zeros({31, 2}));
  refused(name + "lora_A.weight", torch::zeros({2, 33}));
  refused("unet.nowhere.lora_A.weight", down_);
  refused("unet.mid_block.attentions.0.transformer_blocks.0.attn1.to_q.lora_A.weight", torch::zeros({2, 64}));
  refused(name + "weight", down_);
  EXPECT_THROW(add({}), DataError);
  EXPECT_TRUE(torch::equal(query(), before));
}

}  // namespace
}  // namespace terragen::pretrained
