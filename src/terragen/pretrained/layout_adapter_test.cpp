#include "terragen/pretrained/layout_adapter.h"

#include <gtest/gtest.h>

#include "terragen/core/error.h"
#include "terragen/core/test_paths.h"
#include "terragen/pretrained/small_model.h"

namespace terragen::pretrained {
namespace {

models::LayoutEncoderConfig small_layout() {
  models::LayoutEncoderConfig config;
  config.taxonomy = layout::Taxonomy({{"ship", {}}, {"pier", {}}});
  config.tasks = {"detection"};
  config.channels = {16, 24};
  config.token_dim = 32;
  return config;
}

models::LayoutTensors harbour() {
  layout::Layout layout{.task = "detection", .width = 16, .height = 16, .gsd = 0.5};
  layout::Feature ship;
  ship.geometry.kind = layout::GeometryKind::box;
  ship.geometry.parts = {{{{2, 2}, {12, 2}, {12, 9}, {2, 9}}, {}}};
  layout.features = {ship};
  models::LayoutTensorOptions options = small_layout().tensor_options(0.0);
  options.latent_cell = 2;
  return models::layout_tensors(std::vector{layout}, options);
}

TEST(LayoutAdapter, SaysAtFirstWhatThePublishedNetworkSays) {
  const torch::NoGradGuard no_grad;
  const test::ScratchFolder scratch;
  test::SmallModel().write_folder(scratch.path() / "sd");
  EXPECT_TRUE(is_published(scratch.path() / "sd"));
  models::ModelFolder model = with_layouts(load_checkpoint(scratch.path() / "sd"), small_layout(), "sd");
  EXPECT_EQ(model.unet->config().in_channels, 9);
  EXPECT_EQ(model.layout_encoder->config().latent_cell, 2);

  test::SmallModel same;
  const torch::Tensor noisy = torch::randn({1, 4, 8, 8});
  const torch::Tensor text = model.captions->encode({"a ship"});
  EXPECT_EQ(text.sizes(), (std::vector<std::int64_t>{1, 77, 64}));
  models::LayoutEncoding encoding = model.layout_encoder->forward(harbour());
  encoding.text = text;
  const torch::Tensor input = torch::cat({noisy, torch::randn({1, 4, 8, 8}), torch::ones({1, 1, 8, 8})}, 1);
  const torch::Tensor t = torch::tensor(500.0);
  EXPECT_TRUE(torch::allclose(model.unet->forward(input, t, models::condition_of(encoding)),
                              same.unet->forward(noisy, t, {text}), 1e-5, 1e-6));
}

TEST(LayoutAdapter, BringsInpaintingsInputsIntoItsOrder) {
  const torch::NoGradGuard no_grad;
  test::SmallModel small;
  models::UNetConfig config = small.unet->config();
  config.in_channels = 9;
  small.unet = models::UNet2DConditionModel(config);
  const test::ScratchFolder scratch;
  small.write_folder(scratch.path() / "sd");
  models::ModelFolder model = with_layouts(load_checkpoint(scratch.path() / "sd"), small_layout(), "sd");
  const torch::Tensor noisy = torch::randn({1, 4, 8, 8});
  const torch::Tensor masked = torch::randn({1, 4, 8, 8});
  const torch::Tensor mask = torch::rand({1, 1, 8, 8});
  const torch::Tensor text = model.captions->encode({""});
  const torch::Tensor t = torch::tensor(500.0);
  EXPECT_TRUE(torch::allclose(model.unet->forward(torch::cat({noisy, masked, mask}, 1), t, {text}),
                              small.unet->forward(torch::cat({noisy, mask, masked}, 1), t, {text}), 1e-5, 1e-6));
}

TEST(LayoutAdapter, ComesBackFromItsFolder) {
  const torch::NoGradGuard no_grad;
  const test::ScratchFolder scratch;
  test::SmallModel().write_folder(scratch.path() / "sd");
  models::ModelFolder model = with_layouts(load_checkpoint(scratch.path() / "sd"), small_layout(), "sd");
  models::save_model(model, scratch.path() / "adapted");
  EXPECT_FALSE(is_published(scratch.path() / "adapted"));
  const models::ModelFolder back = models::load_model(scratch.path() / "adapted");
  ASSERT_TRUE(back.captions);
  EXPECT_EQ(back.captions->tokenizer().ids("the 3 ships!"), model.captions->tokenizer().ids("the 3 ships!"));
  // Weights are kept as halves.
  EXPECT_LT((back.captions->encode({"a pier"}) - model.captions->encode({"a pier"})).abs().max().item<double>(), 2e-2);
}

TEST(LayoutAdapter, RefusesWhatDoesNotFit) {
  const test::ScratchFolder scratch;
  test::SmallModel small;
  small.write_folder(scratch.path() / "sd");
  models::LayoutEncoderConfig deep = small_layout();
  deep.channels = {16, 16, 16};
  EXPECT_THROW(with_layouts(load_checkpoint(scratch.path() / "sd"), deep, "sd"), RequestError);
  models::UNetConfig config = small.unet->config();
  config.in_channels = 7;
  small.unet = models::UNet2DConditionModel(config);
  small.write_folder(scratch.path() / "odd");
  EXPECT_THROW(with_layouts(load_checkpoint(scratch.path() / "odd"), small_layout(), "odd"), DataError);
}

TEST(CaptionEncoder, RefusesACaptionThatIsTooLong) {
  const test::ScratchFolder scratch;
  test::SmallModel().write_folder(scratch.path() / "sd");
  models::ModelFolder model = with_layouts(load_checkpoint(scratch.path() / "sd"), small_layout(), "sd");
  EXPECT_NO_THROW(model.captions->encode({std::string(75, 'a')}));
  EXPECT_THROW(model.captions->encode({std::string(76, 'a')}), DataError);
}

}  // namespace
}  // namespace terragen::pretrained
