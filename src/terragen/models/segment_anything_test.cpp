// Promptable segmenters: what they refuse, precision, and their checkpoints.
#include "terragen/models/segment_anything.h"

#include <gtest/gtest.h>

#include "terragen/core/error.h"
#include "terragen/core/test_paths.h"
#include "terragen/models/efficient_sam.h"
#include "terragen/models/mask_generator.h"
#include "terragen/models/model_io.h"
#include "terragen/models/sam_checkpoint.h"
#include "terragen/tensor/device.h"

namespace terragen::models {
namespace {

SegmentAnything small_sam() {
  torch::manual_seed(11);
  SamConfig config;
  config.encoder = {.image_size = 64,
                    .patch_size = 8,
                    .width = 32,
                    .depth = 2,
                    .heads = 2,
                    .out_channels = 32,
                    .window_size = 3,
                    .global_blocks = {1}};
  config.decoder = {.transformer = {.channels = 32, .heads = 2, .mlp_width = 48}, .upscaling_widths = {16, 8}};
  SegmentAnything sam(config);
  const torch::NoGradGuard no_grad;
  for (torch::Tensor& parameter : sam->parameters()) parameter.add_(torch::randn_like(parameter) * 0.1);
  sam->eval();
  return sam;
}

EfficientSam small_efficient_sam() {
  torch::manual_seed(12);
  EfficientSamConfig config;
  config.encoder.image_size = 64;
  config.encoder.patch_size = 8;
  config.encoder.depth = 2;
  config.encoder.width = 32;
  config.encoder.heads = 2;
  config.encoder.out_channels = 32;
  config.decoder.transformer.channels = 32;
  config.decoder.transformer.heads = 2;
  config.decoder.transformer.mlp_width = 48;
  config.decoder.upscaling_widths = {16, 8};
  EfficientSam sam(config);
  const torch::NoGradGuard no_grad;
  for (torch::Tensor& parameter : sam->parameters()) parameter.add_(torch::randn_like(parameter) * 0.1);
  sam->eval();
  return sam;
}

torch::Tensor some_image(std::int64_t height, std::int64_t width) {
  torch::manual_seed(13);
  return torch::randint(0, 256, {height, width, 3}, torch::kUInt8);
}

MaskPrompts two_objects() {
  return {.points = torch::tensor({{{10.0, 12.0}, {3.0, 4.0}}, {{40.0, 20.0}, {30.0, 25.0}}}),
          .labels = torch::ones({2, 2}, torch::kInt64),
          .boxes = torch::tensor({{2.0, 3.0, 20.0, 22.0}, {25.0, 8.0, 50.0, 29.0}})};
}

double relative_distance(const torch::Tensor& one, const torch::Tensor& two) {
  return ((one - two).norm() / two.norm()).item<double>();
}

TEST(SegmentAnything, ObjectsDoNotInfluenceEachOther) {
  const SegmentAnything sam = small_sam();
  const EfficientSam efficient = small_efficient_sam();
  for (const std::shared_ptr<PromptableSegmenter>& segmenter :
       std::vector<std::shared_ptr<PromptableSegmenter>>{sam.ptr(), efficient.ptr()}) {
    const EncodedImage image = segmenter->encode(some_image(30, 52));
    EXPECT_EQ(image.size, (ImageSize{30, 52}));
    const MaskPrompts both = two_objects();
    const MaskPrediction together = segmenter->predict(image, both, true);
    EXPECT_EQ(together.low_res.sizes(), (std::vector<std::int64_t>{2, 3, 32, 32}));
    EXPECT_EQ(together.iou.sizes(), (std::vector<std::int64_t>{2, 3}));
    const torch::Tensor logits = segmenter->full_size(image, together.low_res);
    EXPECT_EQ(logits.sizes(), (std::vector<std::int64_t>{2, 3, 30, 52}));
    for (std::int64_t i = 0; i < 2; ++i) {
      const MaskPrompts one = {.points = both.points.slice(0, i, i + 1),
                               .labels = both.labels.slice(0, i, i + 1),
                               .boxes = both.boxes.slice(0, i, i + 1)};
      const MaskPrediction alone = segmenter->predict(image, one, true);
      EXPECT_LT(relative_distance(alone.low_res[0], together.low_res[i]), 1e-3);
      EXPECT_LT(relative_distance(alone.iou[0], together.iou[i]), 1e-3);
    }
    EXPECT_GT(relative_distance(together.low_res[0], together.low_res[1]), 1e-2);
  }
}

TEST(SegmentAnything, ReducedPrecision) {
  const SegmentAnything sam = small_sam();
  const EfficientSam efficient = small_efficient_sam();
  MaskPrompts with_masks = two_objects();
  with_masks.masks = torch::randn({2, 1, 32, 32});
  for (const auto& [segmenter, prompts] : std::vector<std::pair<std::shared_ptr<PromptableSegmenter>, MaskPrompts>>{
           {sam.ptr(), two_objects()}, {sam.ptr(), with_masks}, {efficient.ptr(), two_objects()}}) {
    const EncodedImage full = segmenter->encode(some_image(30, 52));
    const MaskPrediction expected = segmenter->predict(full, prompts, true);
    const tensor::AutocastGuard autocast(torch::kCPU, true);
    const EncodedImage image = segmenter->encode(some_image(30, 52));
    const MaskPrediction prediction = segmenter->predict(image, prompts, true);
    EXPECT_EQ(prediction.low_res.scalar_type(), torch::kFloat32);
    EXPECT_EQ(prediction.iou.scalar_type(), torch::kFloat32);
    EXPECT_LT(relative_distance(image.embedding.to(torch::kFloat32), full.embedding), 0.05);
    EXPECT_GT(relative_distance(image.embedding.to(torch::kFloat32), full.embedding), 1e-5);  // it was reduced
    EXPECT_LT(relative_distance(prediction.low_res, expected.low_res), 0.2);
  }
}

TEST(SegmentAnything, RefusesPromptsThatMakeNoSense) {
  SegmentAnything sam = small_sam();
  const EncodedImage image = sam->encode(some_image(30, 52));
  const torch::Tensor points = torch::zeros({2, 1, 2}), labels = torch::ones({2, 1}, torch::kInt64);
  const torch::Tensor nan = torch::full({2, 1, 2}, std::nan(""));
  for (const MaskPrompts& prompts :
       std::vector<MaskPrompts>{{},
                                {.points = points},
                                {.labels = labels},
                                {.points = points, .labels = labels.slice(0, 0, 1)},
                                {.points = points, .labels = labels * 2},
                                {.points = points, .labels = labels * -2},
                                {.points = nan, .labels = labels},
                                {.points = points * 0 + 1e30, .labels = labels},
                                {.points = torch::zeros({2, 2}), .labels = labels},
                                {.points = torch::zeros({0, 1, 2}), .labels = torch::zeros({0, 1})},
                                {.boxes = torch::zeros({4})},
                                {.boxes = torch::zeros({2, 2})},
                                {.points = points, .labels = labels, .boxes = torch::zeros({3, 4})},
                                {.masks = torch::zeros({2, 1, 16, 16})},
                                {.masks = torch::zeros({2, 3, 32, 32})},
                                {.boxes = torch::zeros({1, 4}), .masks = torch::zeros({2, 1, 32, 32})}}) {
    EXPECT_THROW(sam->predict(image, prompts, true), RequestError);
  }
  EfficientSam efficient = small_efficient_sam();
  const EncodedImage encoded = efficient->encode(some_image(30, 52));
  EXPECT_THROW(efficient->predict(encoded, {.masks = torch::zeros({1, 1, 32, 32})}, true), RequestError);
  EXPECT_THROW(efficient->predict(encoded, {.points = points, .labels = labels - 1}, true), RequestError);
  EXPECT_THROW(efficient->predict(encoded, {.points = torch::zeros({1, 7, 2}), .labels = torch::ones({1, 7})}, true),
               RequestError);
}

TEST(SegmentAnything, RefusesImagesThatItCannotRead) {
  SegmentAnything sam = small_sam();
  EfficientSam efficient = small_efficient_sam();
  for (const torch::Tensor& image : {torch::Tensor(), torch::zeros({8, 8, 3}), torch::zeros({8, 8}, torch::kUInt8),
                                     torch::zeros({8, 8, 4}, torch::kUInt8), torch::zeros({0, 8, 3}, torch::kUInt8)}) {
    EXPECT_THROW(sam->encode(image), RequestError);
    EXPECT_THROW(efficient->encode(image), RequestError);
  }
  EXPECT_THROW(sam->encode(torch::zeros({1, 400, 3}, torch::kUInt8)), RequestError);  // nothing is left of the height
  EXPECT_THROW(sam->preprocess(torch::zeros({1, 3, 65, 10})), RequestError);
}

TEST(SegmentAnything, RefusesConfigurationsThatCannotBe) {
  const auto refused = [](const auto& change) {
    SamConfig config;
    change(config);
    EXPECT_THROW(config.validate(), RequestError);
  };
  refused([](SamConfig& c) { c.encoder.image_size = 1000; });
  refused([](SamConfig& c) { c.encoder.heads = 7; });
  refused([](SamConfig& c) { c.encoder.global_blocks = {12}; });
  refused([](SamConfig& c) { c.encoder.out_channels = 128; });
  refused([](SamConfig& c) { c.encoder.family = SamFamily::efficient_sam; });
  refused([](SamConfig& c) { c.decoder.transformer.heads = 3; });
  refused([](SamConfig& c) { c.decoder.upscaling_widths = {}; });
  refused([](SamConfig& c) { c.mask_channels = 6; });
  for (const SamConfig& config : {sam_vit_b(), sam_vit_l(), sam_vit_h()}) EXPECT_NO_THROW(config.validate());
  for (const EfficientSamConfig& config : {efficient_sam_ti(), efficient_sam_s()}) EXPECT_NO_THROW(config.validate());
}

TEST(SegmentAnything, GeneratorSettings) {
  SegmentAnything sam = small_sam();
  const torch::Tensor image = some_image(30, 36);
  EXPECT_TRUE(generate_masks(*sam, image, {.points_per_side = 2, .least_iou = 1e9}).empty());
  EXPECT_TRUE(generate_masks(*sam, image, {.points_per_side = 2, .least_iou = 0, .least_stability = 1.5}).empty());
  const MaskGeneratorConfig all{
      .points_per_side = 3, .points_per_batch = 4, .least_iou = 0, .least_stability = 0, .most_overlap = 1.0};
  EXPECT_EQ(generate_masks(*sam, image, all).size(), 27U);
  EXPECT_THROW(generate_masks(*sam, image, {.points_per_side = 0}), RequestError);
  EXPECT_THROW(generate_masks(*sam, image, {.points_per_side = 2, .crop_layers = 1, .crop_points_divisor = 4}),
               RequestError);
  EXPECT_THROW(generate_masks(*sam, image, {.crop_layers = 9}), RequestError);
  EXPECT_THROW(generate_masks(*sam, torch::zeros({8, 8}, torch::kUInt8), all), RequestError);
}

TEST(SamCheckpoint, TheVariantIsTold) {
  const auto variant = [](std::int64_t width, const std::string& layer) {
    return sam_variant_of({{"image_encoder.patch_embed.proj.weight", torch::empty({width, 3, 16, 16})},
                           {"image_encoder.blocks.0.mlp." + layer + ".weight", torch::empty({1})}},
                          "file");
  };
  EXPECT_EQ(variant(768, "lin1"), SamVariant::vit_b);
  EXPECT_EQ(variant(1024, "lin1"), SamVariant::vit_l);
  EXPECT_EQ(variant(1280, "lin1"), SamVariant::vit_h);
  EXPECT_EQ(variant(192, "fc1"), SamVariant::efficient_ti);
  EXPECT_EQ(variant(384, "fc1"), SamVariant::efficient_s);
  EXPECT_THROW(variant(192, "lin1"), DataError);
  EXPECT_THROW(variant(768, "fc1"), DataError);
  EXPECT_THROW(variant(768, "other"), DataError);
  EXPECT_THROW(sam_variant_of({}, "file"), DataError);
  EXPECT_THROW(sam_variant_of({{"image_encoder.patch_embed.proj.weight", torch::empty({})}}, "file"), DataError);
}

TEST(SamCheckpoint, WeightsComeBack) {
  const test::ScratchFolder scratch;
  const auto path = scratch.path() / "efficient_sam.safetensors";
  torch::manual_seed(21);
  EfficientSam sam(efficient_sam_ti());
  tensor::TensorMap published{{"step", torch::tensor(7)}};  // beside the state dictionary, as checkpoints have it
  for (const auto& [name, value] : collect_parameters(*sam)) published["model." + name] = value;
  tensor::save_safetensors(path, published);
  const auto loaded = load_promptable_segmenter(path);
  const tensor::TensorMap again = collect_parameters(*loaded);
  ASSERT_EQ(again.size() + 1, published.size());
  for (const auto& [name, value] : again) EXPECT_TRUE(torch::equal(value, published.at("model." + name))) << name;
  EXPECT_FALSE(loaded->is_training());

  published.erase("model.mask_decoder.iou_token.weight");
  tensor::save_safetensors(path, published);
  EXPECT_THROW(load_promptable_segmenter(path), DataError);
}

}  // namespace
}  // namespace terragen::models
