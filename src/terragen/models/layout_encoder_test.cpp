#include "terragen/models/layout_encoder.h"

#include <gtest/gtest.h>

#include "terragen/core/error.h"
#include "terragen/core/test_paths.h"
#include "terragen/models/layout_encoder_transfer.h"
#include "terragen/models/model_folder.h"
#include "terragen/models/model_io.h"
#include "terragen/tensor/seeded_noise.h"

namespace terragen::models {
namespace {

LayoutEncoderConfig small_layout_config() {
  LayoutEncoderConfig config;
  config.taxonomy = layout::Taxonomy({{"building", {}}, {"road", {}}});
  config.tasks = {"building", "road"};
  config.channels = {16, 24};
  config.time_dim = 64;
  config.token_dim = 32;
  config.heads = 2;
  return config;
}

layout::Layout example(const std::string& task) {
  layout::Layout layout{.task = task, .width = 64, .height = 64, .gsd = 0.5};
  layout.features.push_back({0, layout::make_box({8, 8, 24, 40}), false, {}});
  layout.features.push_back({1, layout::make_polyline({{0, 50}, {64, 52}}, 5), false, {}});
  return layout;
}

UNetConfig conditioned_unet() {
  UNetConfig config;
  config.in_channels = 9;
  config.out_channels = 4;
  config.block_out_channels = {16, 32};
  config.down_block_types = {"DownBlock2D", "CrossAttnDownBlock2D"};
  config.up_block_types = {"CrossAttnUpBlock2D", "UpBlock2D"};
  config.layers_per_block = 1;
  config.attention_head_dim = {2};
  config.cross_attention_dim = 0;
  config.norm_num_groups = 8;
  config.layout_channels = {16, 24};
  config.layout_token_dim = 32;
  return config;
}

TEST(LayoutTensors, SayWhatTheLayoutSays) {
  const std::vector<layout::Layout> layouts{example("road"), layout::Layout{.task = "?", .width = 64, .height = 64}};
  const LayoutTensors t = layout_tensors(layouts, small_layout_config().tensor_options(0.5));
  EXPECT_EQ(t.coverage.sizes(), (std::vector<std::int64_t>{2, 2, 32, 32}));
  EXPECT_NEAR(t.coverage[0][0].sum().item<double>() * 4, 16 * 32, 1e-3);
  EXPECT_EQ(t.token_mask.sum().item<std::int64_t>(), 2);
  EXPECT_EQ(t.task[0].item<std::int64_t>(), 1);
  EXPECT_EQ(t.task[1].item<std::int64_t>(), 2);
  EXPECT_GT(t.object_weight[0].max().item<double>(), 1.0);  // the smaller object counts more
  EXPECT_EQ(t.object_weight[1].max().item<double>(), 0.0);
  EXPECT_EQ(t.gsd[1][1].item<double>(), 0.0);
}

TEST(LayoutEncoder, AtTheStartTheNetworkDoesNotHearTheLayout) {
  torch::manual_seed(1);
  const torch::NoGradGuard no_grad;
  LayoutEncoder encoder(small_layout_config());
  UNet2DConditionModel unet(conditioned_unet());
  const LayoutTensors t = layout_tensors(std::vector{example("road")}, small_layout_config().tensor_options(0));
  const LayoutEncoding e = encoder->forward(t);
  ASSERT_EQ(e.features.size(), 2U);
  EXPECT_EQ(e.features[1].sizes(), (std::vector<std::int64_t>{1, 24, 4, 4}));
  const torch::Tensor x = tensor::seeded_normal({1, 9, 8, 8}, 3);
  const torch::Tensor with =
      unet->forward(x, torch::tensor(10), {{}, e.time_addition, e.features, e.tokens, e.token_mask});
  const torch::Tensor without = unet->forward(x, torch::tensor(10), {});
  EXPECT_LT((with - without).abs().max().item<double>(), 1e-5);
}

TEST(LayoutEncoder, LearnsAndDropsConditions) {
  torch::manual_seed(2);
  LayoutEncoder encoder(small_layout_config());
  UNet2DConditionModel unet(conditioned_unet());
  std::vector<torch::Tensor> parameters = encoder->parameters();
  for (const torch::Tensor& p : unet->parameters()) parameters.push_back(p);
  torch::optim::Adam optimiser(parameters, torch::optim::AdamOptions(3e-3));
  const LayoutTensors t =
      layout_tensors(std::vector{example("road"), example("building")}, small_layout_config().tensor_options(0));
  const torch::Tensor x = tensor::seeded_normal({2, 9, 8, 8}, 3);
  const torch::Tensor target = tensor::seeded_normal({2, 4, 8, 8}, 4);
  double first = 0;
  double last = 0;
  for (int step = 0; step < 40; ++step) {
    const LayoutEncoding e = encoder->forward(t);
    const torch::Tensor loss =
        (unet->forward(x, torch::tensor(10), {{}, e.time_addition, e.features, e.tokens, e.token_mask}) - target)
            .square()
            .mean();
    optimiser.zero_grad();
    loss.backward();
    optimiser.step();
    (step == 0 ? first : last) = loss.item<double>();
  }
  EXPECT_LT(last, 0.5 * first);
  // A withheld layout is heard no more: two different layouts give one answer.
  const torch::NoGradGuard no_grad;
  const torch::Tensor all = torch::ones({1}, torch::kBool);
  layout::Layout empty{.task = "building", .width = 64, .height = 64};
  const auto answer = [&](const layout::Layout& layout) {
    const LayoutEncoding e =
        encoder->forward(layout_tensors(std::vector{layout}, small_layout_config().tensor_options(0)), {all, all, all});
    return unet->forward(x.slice(0, 0, 1), torch::tensor(10),
                         {{}, e.time_addition, e.features, e.tokens, e.token_mask});
  };
  EXPECT_LT((answer(example("road")) - answer(empty)).abs().max().item<double>(), 1e-4);
}

TEST(LayoutEncoderTransfer, WhatBothKnowKeepsItsMeaning) {
  torch::manual_seed(5);
  LayoutEncoder known(small_layout_config());
  const LayoutEncoder other =
      with_classes(known, layout::Taxonomy({{"ship", {}}, {"road", {}}, {"building", {}}}), {"detection", "road"});
  layout::Layout layout = example("road");
  const auto said = [](LayoutEncoder encoder, const layout::Layout& of) {
    encoder->eval();
    const std::vector<layout::Layout> layouts{of};
    return encoder->forward(layout_tensors(layouts, encoder->config().tensor_options(0.0)), {});
  };
  const LayoutEncoding before = said(known, layout);
  layout.features[0].class_index = 2;
  layout.features[1].class_index = 1;
  const LayoutEncoding after = said(other, layout);
  for (std::size_t k = 0; k < before.features.size(); ++k) {
    EXPECT_TRUE(torch::allclose(before.features[k], after.features[k], 1e-5, 1e-5)) << k;
  }
  // A class never seen begins as something between the known ones, not as noise.
  layout.features[0].class_index = 0;
  const torch::Tensor moved = said(other, layout).features[0] - before.features[0];
  EXPECT_GT(moved.abs().max().item<float>(), 0.0F);
  EXPECT_TRUE(moved.isfinite().all().item<bool>());
}

TEST(ModelFolder, SavesAndLoadsTheSameModel) {
  torch::manual_seed(3);
  const test::ScratchFolder scratch;
  ModelFolder model;
  model.images.bands = {{"red", 0, 255}};
  AutoencoderConfig vae;
  vae.in_channels = vae.out_channels = 1;
  vae.block_out_channels = {8, 16};
  vae.layers_per_block = 1;
  vae.norm_num_groups = 4;
  vae.patch_size = 4;
  model.autoencoder = AutoencoderKL(vae);
  model.unet = UNet2DConditionModel(conditioned_unet());
  model.layout_encoder = LayoutEncoder(small_layout_config());
  save_model(model, scratch.path() / "m");
  const ModelFolder loaded = load_model(scratch.path() / "m");
  EXPECT_EQ(loaded.hash.size(), 64U);
  for (const auto& [name, value] : collect_parameters(*model.unet)) {
    EXPECT_TRUE(torch::equal(collect_parameters(*loaded.unet).at(name), value.to(torch::kFloat16).to(torch::kFloat32)))
        << name;
  }
  std::filesystem::remove(scratch.path() / "m" / "unet" / "config.json");
  EXPECT_THROW(load_model(scratch.path() / "m"), DataError);
  EXPECT_THROW(load_model(scratch.path()), DataError);
}

TEST(ModelIo, NamesTheTensorThatDoesNotFit) {
  AutoencoderConfig config;
  config.block_out_channels = {8};
  config.layers_per_block = 1;
  config.norm_num_groups = 4;
  AutoencoderKL vae(config);
  tensor::TensorMap tensors = collect_parameters(*vae);
  tensors.erase("quant_conv.bias");
  try {
    load_parameters(*vae, tensors, "w.safetensors");
    FAIL();
  } catch (const DataError& error) {
    EXPECT_NE(std::string(error.what()).find("quant_conv.bias"), std::string::npos);
  }
}

}  // namespace
}  // namespace terragen::models
