// `terragen generate --prompt`, the program itself, on models of a few thousand weights.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <format>
#include <memory>

#include "terragen/app/test_program.h"
#include "terragen/core/atomic_file.h"
#include "terragen/core/seed.h"
#include "terragen/core/test_paths.h"
#include "terragen/geo/raster_io.h"
#include "terragen/pretrained/small_model.h"

namespace terragen::app {
namespace {

namespace fs = std::filesystem;

constexpr int kWidth = 32;
constexpr int kHeight = 24;

geo::Raster some_picture(unsigned seed) {
  geo::Raster raster = geo::make_raster(kWidth, kHeight, 3, geo::DataType::uint8);
  for (std::size_t i = 0; i < raster.samples.size(); ++i) {
    raster.samples[i] = static_cast<std::byte>(derive_seed(seed, i) & 0xFF);
  }
  return raster;
}

class PromptCommand : public testing::Test {
 protected:
  static constexpr int kLeft = 5, kTop = 3, kRight = 22, kBottom = 17;

  using Answer = test::Answer;

  // Models, pictures and additions; every test has them.
  static void SetUpTestSuite() {
    scratch() = std::make_unique<terragen::test::ScratchFolder>();
    const terragen::test::SmallModel model(4, "gated");
    model.write_folder(at("sd"));
    terragen::test::SmallModel(9).write_folder(at("inpainting"));
    terragen::test::SmallModel::write_control_net(at("control"), model.control_net());
    torch::manual_seed(5);
    const std::string query = "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q.";
    tensor::save_safetensors(at("lora.safetensors"), {{query + "lora_A.weight", torch::randn({2, 32})},
                                                      {query + "lora_B.weight", torch::randn({32, 2})}});
    geo::write_raster(at("one.png"), some_picture(1));
    geo::write_raster(at("two.png"), some_picture(2));
    geo::Raster located = some_picture(1);
    located.georeference = {.crs = "EPSG:32633", .crs_from_pixel = geo::GeoTransform{400000, 10, 0, 5000000, 0, -10}};
    located.valid.assign(located.pixels(), 1);
    located.valid[0] = 0;
    geo::write_raster(at("located.tif"), located);
    geo::Raster mask = geo::make_raster(kWidth, kHeight, 1, geo::DataType::uint8);
    for (int y = kTop; y < kBottom; ++y) {
      for (int x = kLeft; x < kRight; ++x) mask.set(0, x, y, 255);
    }
    geo::write_raster(at("mask.png"), mask);
    geo::write_raster(at("small_mask.png"), geo::make_raster(8, 8, 1, geo::DataType::uint8));
  }
  static void TearDownTestSuite() { scratch().reset(); }

  static std::unique_ptr<terragen::test::ScratchFolder>& scratch() {
    static std::unique_ptr<terragen::test::ScratchFolder> folder;
    return folder;
  }
  static fs::path at(const std::string& name) { return scratch()->path() / name; }

  // Paints into the folder `out` with the model of that name; `more`: further arguments, where {} is the folder of all.
  static Answer paint(const std::string& model, const std::string& out, std::string more) {
    for (std::size_t i = more.find("{}"); i != std::string::npos; i = more.find("{}")) {
      more.replace(i, 2, scratch()->path().string());
    }
    return test::run_program(
        std::format("generate --model '{}' --prompt 'a field' -o '{}' --steps 2 --precision fp32 --threads 1 {}",
                    at(model).string(), at(out).string(), more));
  }

  // The image of a run that must succeed.
  static geo::Raster painted(const std::string& model, const std::string& more, const std::string& file = "00000.png") {
    static int runs = 0;
    const std::string out = std::format("run{}", ++runs);
    const Answer answer = paint(model, out, more);
    EXPECT_EQ(answer.code, 0) << more << ": " << answer.said;
    const fs::path image = at(out) / "images" / file;
    if (!fs::exists(image)) {
      ADD_FAILURE() << image << " is missing";
      return {};
    }
    return geo::read_raster(image);
  }

  static void expect_refused(int code, const std::string& model, const std::string& more, const std::string& words) {
    const Answer answer = paint(model, "refused", more);
    EXPECT_EQ(answer.code, code) << more << ": " << answer.said;
    EXPECT_NE(answer.said.find(words), std::string::npos) << more << " said " << answer.said;
    EXPECT_FALSE(fs::exists(at("refused")));
  }

  static bool in_hole(int x, int y) { return x >= kLeft && x < kRight && y >= kTop && y < kBottom; }
  static void expect_kept_around_the_hole(const geo::Raster& image, const geo::Raster& before) {
    ASSERT_EQ(image.samples.size(), before.samples.size());
    int changed = 0;
    for (int y = 0; y < kHeight; ++y) {
      for (int x = 0; x < kWidth; ++x) {
        for (int band = 0; band < 3; ++band) {
          const bool same = image.at(band, x, y) == before.at(band, x, y);
          if (!in_hole(x, y)) {
            ASSERT_TRUE(same) << x << ", " << y;
          }
          changed += same ? 0 : 1;
        }
      }
    }
    EXPECT_GT(changed, 0);
  }
};

TEST_F(PromptCommand, ControlBoxesAndLoraAreHeard) {
  const std::string size = "--width 32 --height 24 ";
  const auto plain = painted("sd", size).samples;
  const std::string control = size + "--controlnet {}/control --control-image ";
  const auto one = painted("sd", control + "{}/one.png").samples;
  EXPECT_NE(one, plain);
  EXPECT_NE(one, painted("sd", control + "{}/two.png").samples);
  EXPECT_EQ(plain, painted("sd", control + "{}/two.png --control-scale 0").samples);
  // Of the thirty places for boxes; one box alone says little to a model of random weights.
  const auto with_boxes = [&](const std::string& box) {
    std::string more = size + "--boxes-until 1";
    for (int i = 0; i < 30; ++i) more += " --box '" + box + "'";
    return painted("sd", more).samples;
  };
  const auto box = with_boxes("a ship@0,0,0.5,0.5");
  EXPECT_NE(box, plain);
  EXPECT_NE(box, with_boxes("a ship@0.5,0.5,1,1"));
  EXPECT_NE(box, with_boxes("the sea@0,0,0.5,0.5"));
  EXPECT_NE(painted("sd", size + "--lora {}/lora.safetensors").samples, plain);
  EXPECT_EQ(painted("sd", size + "--lora {}/lora.safetensors --lora-scale 0").samples, plain);
}

TEST_F(PromptCommand, AnImageIsPaintedOver) {
  const std::string settings = "--sampler ddim --image ";
  const auto one = painted("sd", settings + "{}/one.png").samples;
  EXPECT_NE(one, painted("sd", settings + "{}/two.png").samples);
  EXPECT_NE(one, painted("sd", settings + "{}/one.png --strength 1").samples);
  // The size may be said where it is right, and a ControlNet joins in.
  EXPECT_EQ(one, painted("sd", settings + "{}/one.png --width 32 --height 24").samples);
  EXPECT_NE(one, painted("sd", settings + "{}/one.png --controlnet {}/control --control-image {}/two.png").samples);
  const geo::Raster located = painted("sd", settings + "{}/located.tif", "00000.tif");
  EXPECT_EQ(located.georeference.crs, "EPSG:32633");
  EXPECT_TRUE(located.valid.empty());
  EXPECT_EQ(located.samples, one);
}

TEST_F(PromptCommand, AHoleIsPaintedAnew) {
  for (const std::string model : {"sd", "inpainting"}) {
    expect_kept_around_the_hole(painted(model, "--image {}/one.png --mask {}/mask.png"), some_picture(1));
    expect_kept_around_the_hole(painted(model, "--sampler euler --strength 0.6 --image {}/one.png --mask {}/mask.png"),
                                some_picture(1));
  }
  const geo::Raster located = painted("sd", "--image {}/located.tif --mask {}/mask.png", "00000.tif");
  expect_kept_around_the_hole(located, some_picture(1));
  EXPECT_EQ(located.georeference.crs, "EPSG:32633");
  EXPECT_EQ(located.georeference.crs_from_pixel, (geo::GeoTransform{400000, 10, 0, 5000000, 0, -10}));
  ASSERT_EQ(located.valid.size(), located.pixels());
  EXPECT_EQ(std::ranges::count(located.valid, 0), 1);
  EXPECT_EQ(located.valid[0], 0);
}

TEST_F(PromptCommand, ContradictionsAreRefused) {
  expect_refused(2, "sd", "--mask {}/mask.png", "--mask has no meaning without --image");
  expect_refused(2, "sd", "--strength 0.5", "--strength has no meaning without --image");
  expect_refused(2, "sd", "--image {}/one.png --width 64", "is of 32x24 pixels");
  expect_refused(2, "sd", "--image {}/one.png --sampler ddim --strength 0", "strength is 0");
  expect_refused(2, "sd", "--image {}/one.png --sampler dpm++", "remembers nothing");
  expect_refused(2, "inpainting", "--width 32 --height 24", "the model inpaints");
  expect_refused(2, "inpainting", "--sampler ddim --image {}/one.png", "the model inpaints");
  expect_refused(2, "sd", "--controlnet {}/control", "need each other");
  expect_refused(2, "inpainting", "--image {}/one.png --mask {}/mask.png --box 'a ship@0,0,1,1'", "GLIGEN");
  expect_refused(2, "sd", "--box 'a ship@0,0,2,1'", "not within the image");
  expect_refused(2, "sd", "--width 33 --height 24", "multiples of 2");
}

TEST_F(PromptCommand, FilesThatAreWrongAreNamed) {
  expect_refused(3, "sd", "--image {}/mask.png", "mask.png: holds one band");
  expect_refused(3, "sd", "--image {}/one.png --mask {}/two.png", "two.png: holds 3 bands");
  expect_refused(3, "sd", "--image {}/one.png --mask {}/small_mask.png", "small_mask.png: is of 8x8 pixels");
  expect_refused(3, "sd", "--controlnet {}/control --control-image {}/one.png", "one.png: is of 32x24 pixels");
  expect_refused(3, "sd", "--lora {}/one.png", "one.png");
  // The second of two shards ends within its tensors.
  fs::copy(at("sd"), at("shards"), fs::copy_options::recursive);
  const fs::path unet = at("shards") / "unet";
  tensor::TensorMap first, second;
  Json map = Json::object();
  for (const auto& [name, value] : tensor::load_safetensors(unet / "diffusion_pytorch_model.safetensors").tensors) {
    (name < "mid_block" ? first : second)[name] = value;
    map[name] = name < "mid_block" ? "1.safetensors" : "2.safetensors";
  }
  fs::remove(unet / "diffusion_pytorch_model.safetensors");
  tensor::save_safetensors(unet / "1.safetensors", first);
  tensor::save_safetensors(unet / "2.safetensors", second);
  write_json(unet / "diffusion_pytorch_model.safetensors.index.json", {{"weight_map", map}});
  EXPECT_EQ(painted("shards", "--width 32 --height 24").samples, painted("sd", "--width 32 --height 24").samples);
  const std::string bytes = read_file(unet / "2.safetensors");
  write_file(unet / "2.safetensors", bytes.substr(0, bytes.size() - 64));
  expect_refused(3, "shards", "--width 32 --height 24", "2.safetensors: tensor \"up_blocks.1.");
}

}  // namespace
}  // namespace terragen::app
