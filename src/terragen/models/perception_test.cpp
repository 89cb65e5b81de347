// Networks that look at images: shapes, sizes, and that they can learn.
#include <gtest/gtest.h>

#include <cmath>
#include <format>
#include <numbers>

#include "terragen/core/error.h"
#include "terragen/core/test_paths.h"
#include "terragen/models/detector.h"
#include "terragen/models/perception_inference.h"
#include "terragen/models/perception_model.h"
#include "terragen/models/segformer.h"
#include "terragen/models/segmentation_unet.h"
#include "terragen/tensor/seeded_noise.h"

namespace terragen::models {
namespace {

std::int64_t parameters_of(const torch::nn::Module& module) {
  std::int64_t count = 0;
  for (const torch::Tensor& parameter : module.parameters()) count += parameter.numel();
  return count;
}

// A stripe of class 1 whose place the image tells.
template <typename Model>
double learned_accuracy(Model& model) {
  torch::Tensor images = 0.3 * tensor::seeded_normal({4, 3, 64, 64}, 1);
  torch::Tensor truth = torch::zeros({4, 64, 64}, torch::kInt64);
  for (std::int64_t i = 0; i < 4; ++i) {
    truth[i].slice(1, 8 * i + 4, 8 * i + 24).fill_(1);
    images[i][0].slice(1, 8 * i + 4, 8 * i + 24).add_(1.0);
  }
  torch::optim::AdamW optimiser(model->parameters(), torch::optim::AdamWOptions(2e-3));
  for (int step = 0; step < 30; ++step) {
    optimiser.zero_grad();
    torch::cross_entropy_loss(model->forward(images), truth).backward();
    optimiser.step();
  }
  model->eval();
  const torch::NoGradGuard no_grad;
  return model->forward(images).argmax(1).eq(truth).to(torch::kFloat64).mean().template item<double>();
}

TEST(Segformer, IsTheB0OfThePaper) {
  torch::manual_seed(1);
  Segformer model(SegformerConfig{.classes = 150});
  EXPECT_EQ(parameters_of(*model), 3752694);
  EXPECT_EQ(model->forward(torch::zeros({1, 3, 64, 96})).sizes(), (std::vector<std::int64_t>{1, 150, 64, 96}));
  const auto names = model->named_parameters();
  for (const char* name :
       {"segformer.encoder.patch_embeddings.0.proj.weight", "segformer.encoder.block.1.0.attention.self.sr.weight",
        "segformer.encoder.block.3.1.mlp.dwconv.dwconv.bias", "segformer.encoder.layer_norm.2.weight",
        "decode_head.linear_c.0.proj.weight", "decode_head.classifier.bias"}) {
    EXPECT_TRUE(names.contains(name)) << name;
  }
}

// The decoder as the paper has it, a step after the other.
TEST(Segformer, FusesTheStagesAsThePaperDoes) {
  torch::manual_seed(1);
  const torch::NoGradGuard no_grad;
  Segformer model(SegformerConfig{});
  model->eval();
  const auto weights = model->named_parameters();
  const torch::Tensor x = tensor::seeded_normal({2, 3, 64, 96}, 1);
  const std::vector<torch::Tensor> features =
      model->named_modules()["segformer.encoder"]->as<SegformerEncoder>()->forward(x);
  std::vector<torch::Tensor> widened;
  for (std::size_t stage = features.size(); stage-- > 0;) {
    const std::string name = std::format("decode_head.linear_c.{}.proj.", stage);
    const torch::Tensor wide =
        torch::linear(features[stage].permute({0, 2, 3, 1}), weights[name + "weight"], weights[name + "bias"]);
    widened.push_back(at::upsample_bilinear2d(wide.permute({0, 3, 1, 2}), {16, 24}, false));
  }
  // Running statistics are still 0 and 1.
  const torch::Tensor fused =
      torch::conv2d(torch::cat(widened, 1), weights["decode_head.linear_fuse.weight"]) / std::sqrt(1 + 1e-5);
  const torch::Tensor logits = torch::conv2d(torch::relu(fused), weights["decode_head.classifier.weight"],
                                             weights["decode_head.classifier.bias"]);
  EXPECT_TRUE(torch::allclose(model->forward(x), at::upsample_bilinear2d(logits, {64, 96}, false), 1e-4, 1e-5));
}

TEST(Segformer, Learns) {
  torch::manual_seed(1);
  Segformer model(SegformerConfig{});
  EXPECT_GT(learned_accuracy(model), 0.95);
}

TEST(SegmentationUNet, Learns) {
  torch::manual_seed(1);
  SegmentationUNet model(3, 2);
  EXPECT_GT(learned_accuracy(model), 0.95);
}

TEST(PerceptionModel, ComesBackFromDisk) {
  const test::ScratchFolder scratch;
  torch::manual_seed(1);
  for (const std::string architecture : {"segformer-b0", "unet-resnet18", "fcos-resnet18-oriented", "resnet18"}) {
    PerceptionConfig config{.architecture = architecture, .taxonomy = layout::Taxonomy({{"a", {}}, {"b", {}}})};
    config.images.bands = {{"red", 0, 255}, {"nir", 0, 255}};
    config.background = !config.is_detector();
    PerceptionModel model = new_perception_model(config);
    // In half precision from the start, so that nothing is lost on the way.
    for (torch::Tensor& p : model.network()->parameters()) p.set_data(p.detach().to(torch::kHalf).to(torch::kFloat));
    model.network()->eval();
    save_perception_model(model, scratch.path() / architecture);
    const PerceptionModel back = load_perception_model(scratch.path() / architecture);
    const torch::Tensor x = tensor::seeded_normal({1, 2, 64, 64}, 2);
    const auto output = [&](const PerceptionModel& m) {
      if (m.config.is_classifier()) return Classifier(m.classifier)->forward(x);
      return m.segmenter ? m.segmenter->forward(x) : Detector(m.detector)->forward(x).logits;
    };
    EXPECT_TRUE(torch::equal(output(model), output(back))) << architecture;
    EXPECT_EQ(back.config.taxonomy, config.taxonomy);
    EXPECT_EQ(back.hash.size(), 64U);
  }
  EXPECT_THROW(new_perception_model({.architecture = "resnet-1000"}), RequestError);
  EXPECT_THROW(load_perception_model(scratch.path()), DataError);
}

TEST(Classifier, SaysOneThingOfAWindow) {
  torch::manual_seed(1);
  Classifier model(4, 3);
  model->eval();
  const torch::Tensor x = tensor::seeded_normal({2, 4, 64, 96}, 3);
  EXPECT_EQ(model->features(x).sizes(), (std::vector<std::int64_t>{2, 512}));
  EXPECT_EQ(model->forward(x).sizes(), (std::vector<std::int64_t>{2, 3}));
  // Where pixels and objects are asked for it is refused before anything is computed.
  PerceptionConfig config{.architecture = "resnet18", .taxonomy = layout::Taxonomy({{"a", {}}, {"b", {}}})};
  config.images.bands = {{"red", 0, 255}};
  EXPECT_EQ(config.kind(), "classifier");
  EXPECT_THROW(PerceptionInference(new_perception_model(config), {}), RequestError);
}

TEST(Detector, SpeaksOfEveryCell) {
  torch::manual_seed(1);
  Detector model(DetectorConfig{.bands = 4, .classes = 3, .oriented = true});
  const DetectorOutput output = model->forward(torch::zeros({2, 4, 64, 96}));
  const std::int64_t cells = 16 * 24 + 8 * 12 + 4 * 6;
  EXPECT_EQ(output.logits.sizes(), (std::vector<std::int64_t>{2, cells, 3}));
  EXPECT_EQ(output.angle.sizes(), (std::vector<std::int64_t>{2, cells, 2}));
  EXPECT_EQ(output.centres.size(0), cells);
  EXPECT_GT(output.distances.min().item<double>(), 0.0);
  EXPECT_EQ(output.centres[0][0].item<double>(), 2.0);
  EXPECT_THROW(Detector(DetectorConfig{.strides = {4, 16}}), RequestError);
}

TEST(Detector, ATurnedBoxIsTurnedAboutItsCell) {
  const torch::Tensor distances = torch::tensor({{2.0, 1.0, 4.0, 1.0}});
  const torch::Tensor quarter = torch::tensor({{-1.0, 0.0}});  // twice 90 degrees
  const torch::Tensor box = boxes_from_distances(distances, quarter, torch::tensor({{10.0, 20.0}}))[0];
  EXPECT_NEAR(box[0].item<double>(), 10.0, 1e-5);
  EXPECT_NEAR(std::abs(box[1].item<double>() - 20.0), 1.0, 1e-5);
  EXPECT_NEAR(box[2].item<double>(), 6.0, 1e-5);
  EXPECT_NEAR(std::abs(box[4].item<double>()), std::numbers::pi / 2, 1e-5);
}

}  // namespace
}  // namespace terragen::models
