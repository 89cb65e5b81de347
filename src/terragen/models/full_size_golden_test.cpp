// Stable Diffusion's networks at their full size, with weights that come of their names alone.
#include <gtest/gtest.h>

#include <format>
#include <regex>

#include "terragen/core/test_paths.h"
#include "terragen/models/autoencoder.h"
#include "terragen/models/clip_text_model.h"
#include "terragen/models/clip_tokenizer.h"
#include "terragen/models/golden_case.h"
#include "terragen/models/model_io.h"
#include "terragen/models/unet.h"
#include "terragen/tensor/device.h"
#include "terragen/tensor/recipe_weights.h"

namespace terragen::models {
namespace {

using test::GoldenCase;
using test::recipe_numbers;
using test::relative_error;

constexpr double kDeep = 2e-5;
constexpr double kDeepBf16 = 3e-2;

// One tensor after another: a second copy of all would not fit a small machine.
void fill_by_recipe(torch::nn::Module& module, const Json& config) {
  const torch::NoGradGuard no_grad;
  for (auto& [name, value] : collect_parameters(module)) {
    value.copy_(
        test::recipe_weights({{name, value}}, config.at("gain").get<double>(), config.at("salt").get<std::string>())
            .at(name));
  }
  module.eval();
}

torch::Tensor recipe_input(const std::string& name, const std::vector<std::int64_t>& shape, double scale,
                           const Json& config) {
  return (recipe_numbers("input:" + name, shape, config.at("salt").get<std::string>()) * scale).to(torch::kFloat32);
}

void expect_near(const std::filesystem::path& folder, const std::string& name, const torch::Tensor& ours,
                 const torch::Tensor& theirs, double tolerance) {
  const double error = relative_error(ours, theirs);
  testing::Test::RecordProperty(folder.filename().string() + ":" + name + (tolerance > kDeep ? "_bf16" : ""),
                                std::format("{:.1e}", error));
  EXPECT_LT(error, tolerance) << folder.filename() << " " << name;
}

// All in one test, for its memory.
TEST(GoldenFullSize, UNet) {
  const auto cases = test::golden_cases("14_recipe_sd");
  if (cases.empty()) GTEST_SKIP() << "no reference tensors in " << test::golden_folder();
  const torch::NoGradGuard no_grad;
  for (const auto& folder : cases) {
    const GoldenCase golden(folder);
    UNet2DConditionModel unet(unet_config_from_json(golden.config.at("model"), folder.string()));
    fill_by_recipe(*unet, golden.config);
    const torch::Tensor text = recipe_input("context", {1, 77, unet->config().cross_attention_dim}, 1.0, golden.config);
    for (const auto& [name, expected] : golden.outputs) {
      std::smatch match;
      ASSERT_TRUE(std::regex_match(name, match, std::regex(R"(eps_(\d+)x(\d+)_t(\d+))"))) << name;
      const std::int64_t size = std::stoll(match[1]);
      const torch::Tensor sample = recipe_input("latent" + match[1].str(), {1, unet->config().in_channels, size, size},
                                                std::sqrt(3.0), golden.config);
      const torch::Tensor t = torch::tensor(std::stod(match[3]));
      expect_near(folder, name, unet->forward(sample, t, {text}), expected, kDeep);
      const tensor::AutocastGuard autocast(torch::kCPU, true);
      if (size <= 32) expect_near(folder, name, unet->forward(sample, t, {text}), expected, kDeepBf16);
    }
  }
}

TEST(GoldenFullSize, Autoencoder) {
  const auto cases = test::golden_cases("14_recipe_vae");
  if (cases.empty()) GTEST_SKIP() << "no reference tensors in " << test::golden_folder();
  const torch::NoGradGuard no_grad;
  for (const auto& folder : cases) {
    const GoldenCase golden(folder);
    AutoencoderKL vae(autoencoder_config_from_json(golden.config.at("model"), folder.string()));
    fill_by_recipe(*vae, golden.config);
    const torch::Tensor image = recipe_input("image", {1, 3, 128, 128}, 1.0, golden.config);
    const torch::Tensor z = recipe_input("z", {1, 4, 16, 16}, std::sqrt(3.0), golden.config);
    for (const bool bf16 : {false, true}) {
      const tensor::AutocastGuard autocast(torch::kCPU, bf16);
      const double tolerance = bf16 ? kDeepBf16 : kDeep;
      const Posterior posterior = vae->encode(image);
      expect_near(folder, "moments", torch::cat({posterior.mean, posterior.logvar}, 1), golden.outputs.at("moments"),
                  tolerance);
      const torch::Tensor decoded = vae->decode(z).slice(2, 0, c10::nullopt, 2).slice(3, 0, c10::nullopt, 2);
      expect_near(folder, "decoded_stride2", decoded, golden.outputs.at("decoded_stride2"), tolerance);
    }
    EXPECT_EQ(golden.outputs.size(), 2U);
  }
}

TEST(GoldenFullSize, ClipText) {
  const auto cases = test::golden_cases("14_recipe_clip_text");
  if (cases.empty()) GTEST_SKIP() << "no reference tensors in " << test::golden_folder();
  const torch::NoGradGuard no_grad;
  const ClipTokenizer tokenizer(test::golden_folder() / "clip_vocabulary" / "bpe_simple_vocab_16e6.txt.gz");
  for (const auto& folder : cases) {
    const GoldenCase golden(folder);
    ClipTextModel model(clip_text_config_from_json(golden.config.at("model"), folder.string()));
    fill_by_recipe(*model, golden.config);
    const torch::Tensor ids = tokenizer.encode(golden.config.at("texts").get<std::vector<std::string>>());
    EXPECT_TRUE(torch::equal(ids, golden.outputs.at("input_ids")));
    const torch::Tensor positions =
        torch::tensor(golden.config.at("positions").get<std::vector<std::int64_t>>(), torch::kInt64);
    for (const bool bf16 : {false, true}) {
      const tensor::AutocastGuard autocast(torch::kCPU, bf16);
      const double tolerance = bf16 ? kDeepBf16 : kDeep;
      const ClipTextOutput said = model->forward(ids);
      expect_near(folder, "last_hidden_state_positions", said.last_hidden_state.index_select(1, positions),
                  golden.outputs.at("last_hidden_state_positions"), tolerance);
      expect_near(folder, "pooled", said.pooled, golden.outputs.at("pooled"), tolerance);
    }
    EXPECT_EQ(golden.outputs.size(), 3U);
  }
}

}  // namespace
}  // namespace terragen::models
