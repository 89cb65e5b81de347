#include "terragen/pretrained/image_start.h"

#include <gtest/gtest.h>

#include "terragen/core/error.h"
#include "terragen/core/json_file.h"
#include "terragen/core/test_paths.h"
#include "terragen/pretrained/prompt_painting.h"
#include "terragen/pretrained/small_model.h"

namespace terragen::pretrained {
namespace {

constexpr int kWidth = 32;
constexpr int kHeight = 24;

// Of three bands; another one for another seed.
torch::Tensor some_image(std::uint64_t seed) {
  torch::manual_seed(seed);
  return torch::randint(0, 256, {kHeight, kWidth, 3}, torch::kUInt8);
}

// A hole that no cell of the latents ends with.
torch::Tensor some_mask() {
  torch::Tensor mask = torch::full({kHeight, kWidth}, 127, torch::kUInt8);
  mask.slice(0, 3, 17).slice(1, 5, 22).fill_(128);
  return mask;
}

// What a small model paints; its U-Net has `channels` input channels.
torch::Tensor painted(const ImageStart& start, std::int64_t channels = 4, const std::string& sampler = "ddim") {
  const test::ScratchFolder scratch;
  test::SmallModel(channels).write_folder(scratch.path() / "sd");
  PromptOptions options;
  options.prompt = "a field";
  options.width = kWidth;
  options.height = kHeight;
  options.steps = 3;
  options.sampler = sampler;
  options.compute.precision = "fp32";
  options.start = start;
  torch::Tensor image;
  const auto keep = [&](const std::filesystem::path& stem, const torch::Tensor& pixels) {
    image = pixels;
    return write_png_picture(stem, pixels);
  };
  paint_prompt(load_checkpoint(scratch.path() / "sd"), options, scratch.path() / "out", keep);
  const Json said = read_json(scratch.path() / "out" / "generation.json");
  EXPECT_EQ(said.at("settings").at("strength"), start.image.defined() ? Json(start.chosen_strength()) : Json());
  EXPECT_EQ(said.at("settings").at("inpaints"), start.mask.defined());
  EXPECT_TRUE(std::filesystem::exists(scratch.path() / "out" / said.at("images").at(0).at("file").get<std::string>()));
  return image;
}

TEST(ImageStart, AroundTheHoleTheImageStays) {
  const torch::Tensor hole = some_mask().ge(128).unsqueeze(-1);
  for (const std::int64_t channels : {4, 9}) {
    for (const double strength : {1.0, 0.7}) {
      const ImageStart start{some_image(1), some_mask(), strength};
      const torch::Tensor image = painted(start, channels);
      EXPECT_TRUE(torch::equal(image.masked_select(~hole), start.image.masked_select(~hole))) << channels;
      EXPECT_FALSE(torch::equal(image.masked_select(hole), start.image.masked_select(hole))) << channels;
      // What is painted answers to what surrounds it.
      EXPECT_FALSE(torch::equal(painted({some_image(2), some_mask(), strength}, channels).masked_select(hole),
                                image.masked_select(hole)));
    }
  }
}

TEST(ImageStart, NoHoleIsTooThin) {
  torch::Tensor mask = torch::zeros({kHeight, kWidth}, torch::kUInt8);
  mask[7][9] = 255;
  const torch::Tensor image = some_image(1);
  const torch::Tensor changed = painted({image, mask, {}}).ne(image).any(2);
  EXPECT_TRUE(changed[7][9].item<bool>());
  EXPECT_EQ(changed.sum().item<std::int64_t>(), 1);
}

TEST(ImageStart, AnImageIsPaintedOver) {
  const torch::Tensor one = painted({some_image(1), {}, {}});
  EXPECT_FALSE(torch::equal(one, painted({some_image(2), {}, {}})));
  EXPECT_FALSE(torch::equal(one, painted({some_image(1), {}, 0.4})));
  EXPECT_TRUE(torch::equal(one, painted({some_image(1), {}, 0.8})));
  EXPECT_FALSE(torch::equal(one, painted({})));
}

TEST(ImageStart, RefusesWhatContradictsItself) {
  const auto refused = [](const ImageStart& start, std::int64_t channels = 4, const std::string& sampler = "ddim") {
    EXPECT_THROW(painted(start, channels, sampler), RequestError);
  };
  refused({{}, some_mask(), {}});
  refused({{}, {}, 0.5});
  refused({some_image(1), {}, 0.0});
  refused({some_image(1), {}, 1.1});
  refused({some_image(1).slice(0, 2), {}, {}});
  refused({some_image(1).to(torch::kFloat32), {}, {}});
  refused({some_image(1), some_mask().slice(1, 2), {}});
  refused({some_image(1), some_mask().zero_(), {}});
  // Such samplers cannot begin at an image; from its first step on any can.
  refused({some_image(1), {}, {}}, 4, "pndm");
  EXPECT_NO_THROW(painted({some_image(1), some_mask(), {}}, 4, "pndm"));
  // A network that inpaints needs a hole.
  refused({}, 9);
  refused({some_image(1), {}, {}}, 9);
}

TEST(PastedBack, PaintedColoursMeetThoseAround) {
  const torch::Tensor before = torch::full({64, 64, 3}, 100, torch::kUInt8);
  torch::Tensor mask = torch::zeros({64, 64}, torch::kUInt8);
  mask.slice(0, 8, 56).slice(1, 8, 56).fill_(255);
  const torch::Tensor result = pasted_back(before, mask, torch::full({64, 64, 3}, 60, torch::kUInt8), 4);
  EXPECT_TRUE(torch::equal(result.slice(0, 0, 8), before.slice(0, 0, 8)));
  EXPECT_NEAR(result[32][8][0].item<int>(), 100, 8);  // at the edge
  EXPECT_EQ(result[32][32][0].item<int>(), 60);       // far inside
  // All of the image painted anew leaves nothing to meet.
  const torch::Tensor all = torch::full({64, 64}, 255, torch::kUInt8);
  const torch::Tensor after = torch::full({64, 64, 3}, 60, torch::kUInt8);
  EXPECT_TRUE(torch::equal(pasted_back(before, all, after, 4), after));
}

}  // namespace
}  // namespace terragen::pretrained
