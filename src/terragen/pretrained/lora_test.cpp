#include "terragen/pretrained/lora.h"

#include <gtest/gtest.h>

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
  std::size_t add(const tensor::TensorMap& tensors, double scale = 1.0) {
    tensor::save_safetensors(file(), tensors);
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
