// The reference outputs of diffusers' U-Net, autoencoder and time embedding.
#include <gtest/gtest.h>

#include <format>
#include <regex>

#include "terragen/core/json_file.h"
#include "terragen/core/test_paths.h"
#include "terragen/models/autoencoder.h"
#include "terragen/models/golden_case.h"
#include "terragen/models/model_io.h"
#include "terragen/models/unet.h"
#include "terragen/nn/embeddings.h"
#include "terragen/tensor/device.h"

namespace terragen::models {
namespace {

constexpr double kTolerance = 1e-5;
// In bfloat16, with 8 bits of mantissa, whole networks.
constexpr double kBf16Tolerance = 3e-2;

using test::GoldenCase;
using test::relative_error;

TEST(GoldenTimestepEmbedding, EverySetting) {
  const auto cases = test::golden_cases("01_timestep_embedding");
  if (cases.empty()) GTEST_SKIP() << "no reference tensors in " << test::golden_folder();
  const std::regex form(R"(temb_d(\d+)_flip([01])_shift(\d+))");
  for (const auto& folder : cases) {
    const GoldenCase golden(folder);
    for (const auto& [name, expected] : golden.outputs) {
      std::smatch match;
      ASSERT_TRUE(std::regex_match(name, match, form)) << name;
      const torch::Tensor ours = nn::timestep_embedding(golden.inputs.at("timesteps"), std::stoll(match[1]),
                                                        match[2] == "1", std::stod(match[3]));
      EXPECT_LT(relative_error(ours, expected), kTolerance) << name;
    }
  }
}

// The worst relative error over all outputs.
double check_unet(const std::filesystem::path& folder, bool bf16, double tolerance) {
  SCOPED_TRACE(folder.filename().string());
  const torch::NoGradGuard no_grad;
  const GoldenCase golden(folder);
  UNet2DConditionModel unet(unet_config_from_json(golden.config.at("model"), folder.string()));
  load_parameters(*unet, golden.weights);
  unet->eval();
  const tensor::AutocastGuard autocast(torch::kCPU, bf16);
  const torch::Tensor& sample = golden.inputs.at("sample");
  const torch::Tensor& text = golden.inputs.at("encoder_hidden_states");
  std::map<std::string, torch::Tensor> ours;
  unet->forward(sample.slice(0, 0, 1), torch::tensor(500), {text.slice(0, 0, 1)},
                [&](const std::string& name, const torch::Tensor& value) { ours["trace." + name] = value; });
  for (const auto& [name, expected] : golden.outputs) {
    std::smatch match;
    if (name == "eps_tvec") {
      ours[name] = unet->forward(sample, golden.inputs.at("timestep_vec"), {text});
    } else if (std::regex_match(name, match, std::regex(R"(eps_odd_t(\d+))"))) {
      ours[name] =
          unet->forward(golden.inputs.at("sample_odd"), torch::tensor(std::stod(match[1])), {text.slice(0, 0, 1)});
    } else if (std::regex_match(name, match, std::regex(R"(eps_t(\d+))"))) {
      ours[name] = unet->forward(sample, torch::tensor(std::stod(match[1])), {text});
    }
  }
  return test::worst_error(ours, golden, tolerance);
}

TEST(GoldenUNet, EveryOutputAndTrace) {
  auto cases = test::golden_cases("01_unet_sd");
  for (const auto& folder : test::golden_cases("08_inpaint_unet")) cases.push_back(folder);
  if (cases.empty()) GTEST_SKIP() << "no reference tensors in " << test::golden_folder();
  for (const auto& folder : cases) {
    const std::string name = folder.filename().string();
    RecordProperty(name, std::format("{:.1e}", check_unet(folder, false, kTolerance)));
    RecordProperty(name + "_bf16", std::format("{:.1e}", check_unet(folder, true, kBf16Tolerance)));
  }
}

TEST(GoldenAutoencoder, EveryOutputAndTrace) {
  const auto cases = test::golden_cases("02_vae");
  if (cases.empty()) GTEST_SKIP() << "no reference tensors in " << test::golden_folder();
  const torch::NoGradGuard no_grad;
  for (const auto& folder : cases) {
    SCOPED_TRACE(folder.filename().string());
    const GoldenCase golden(folder);
    AutoencoderKL vae(autoencoder_config_from_json(golden.config.at("model"), folder.string()));
    load_parameters(*vae, golden.weights);
    vae->eval();
    const torch::Tensor& image = golden.inputs.at("image");
    const torch::Tensor& z = golden.inputs.at("z");
    std::map<std::string, torch::Tensor> ours;
    const Trace trace = [&](const std::string& name, const torch::Tensor& value) { ours["trace." + name] = value; };
    vae->encode(image.slice(0, 0, 1), trace);
    vae->decode(z.slice(0, 0, 1), trace);
    const Posterior posterior = vae->encode(image);
    ours["mean"] = ours["mode"] = posterior.mean;
    ours["logvar"] = posterior.logvar;
    ours["moments"] = torch::cat({posterior.mean, posterior.logvar}, 1);
    ours["std"] = (0.5 * posterior.logvar).exp();
    ours["kl"] = posterior.kl();
    ours["sample_with_noise"] = posterior.sample(golden.inputs.at("noise"));
    ours["scaled_latent"] = vae->normalise(ours["sample_with_noise"]);
    ours["decoded"] = vae->decode(z);
    test::worst_error(ours, golden, kTolerance);
  }
}

}  // namespace
}  // namespace terragen::models
