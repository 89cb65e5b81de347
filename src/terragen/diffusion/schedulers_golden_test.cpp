// The reference trajectories of diffusers' schedulers.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <format>
#include <optional>

#include "terragen/core/json_file.h"
#include "terragen/core/test_paths.h"
#include "terragen/diffusion/flow_match_sampler.h"
#include "terragen/diffusion/noise_schedule.h"
#include "terragen/diffusion/sigma_sampler.h"
#include "terragen/diffusion/solver_sampler.h"
#include "terragen/nn/relative_error.h"
#include "terragen/tensor/safetensors.h"

namespace terragen::diffusion {
namespace {

namespace fs = std::filesystem;

using test::relative_error;

constexpr double kTolerance = 1e-5;

// Rebuilds the toy network's answers: 0.3 x + sin(0.01 t).
torch::Tensor toy(const torch::Tensor& x, double t) {
  return 0.3 * x + torch::sin(0.01 * torch::tensor(static_cast<float>(t)));
}

// A run of the reference, and which of its tensors have been compared.
struct Run {
  Run(const std::string& name, const tensor::TensorMap& all) {
    for (const auto& [key, value] : all) {
      if (key.starts_with(name + "/")) left[key.substr(name.size() + 1)] = value;
    }
  }
  std::optional<torch::Tensor> take(const std::string& key) {
    const auto found = left.find(key);
    if (found == left.end()) return std::nullopt;
    const torch::Tensor value = found->second;
    left.erase(found);
    return value;
  }
  tensor::TensorMap left;
};

void compare(const torch::Tensor& ours, const torch::Tensor& theirs, double& worst, const std::string& what) {
  ASSERT_EQ(ours.numel(), theirs.numel()) << what;
  const double error = relative_error(ours.flatten(), theirs.flatten());
  worst = std::max(worst, error);
  EXPECT_LT(error, kTolerance) << what;
}

std::vector<float> sigmas_of(const Sampler& sampler) {
  if (const auto* sigma = dynamic_cast<const SigmaSampler*>(&sampler)) return sigma->sigmas();
  if (const auto* solver = dynamic_cast<const SolverSampler*>(&sampler)) return solver->sigmas();
  return dynamic_cast<const FlowMatchSampler&>(sampler).sigmas();
}

void check_run(const std::string& name, const Json& run, const tensor::TensorMap& outputs, double& worst) {
  SCOPED_TRACE(name);
  Run golden(name, outputs);
  Json settings = run.at("config");
  settings["_class_name"] = run.at("class");
  const SchedulerConfig config = scheduler_config_from_json(settings, name);
  EXPECT_EQ(to_json(scheduler_config_from_json(to_json(config), name)), to_json(config));
  const auto sampler =
      make_sampler(config, run.at("num_inference_steps").get<std::int64_t>(), run.at("step_kwargs").value("eta", 0.0));
  EXPECT_NEAR(sampler->initial_scale(), run.at("init_noise_sigma").get<double>(), 1e-5);
  compare(torch::tensor(sampler->timesteps(), torch::kFloat64), golden.take("timesteps").value(), worst, "timesteps");
  if (const auto sigmas = golden.take("sigmas")) {
    compare(torch::tensor(sigmas_of(*sampler)), *sigmas, worst, "sigmas");
  }
  const auto samples = golden.take("samples").value();
  const auto said = golden.take("model_outputs").value();
  const auto inputs = golden.take("model_inputs");
  const auto originals = golden.take("pred_original");
  const auto noises = golden.take("noise");
  EXPECT_TRUE(golden.left.empty()) << "nothing compares " << golden.left.begin()->first;
  ASSERT_EQ(samples.size(0), std::ssize(sampler->timesteps()) + 1);
  torch::Tensor x = samples[0];
  for (std::size_t index = 0; index < sampler->timesteps().size(); ++index) {
    const auto i = static_cast<std::int64_t>(index);
    const std::string at = " of step " + std::to_string(i);
    const torch::Tensor input = sampler->network_input(x, index);
    if (inputs) compare(input, (*inputs)[i], worst, "input" + at);
    const torch::Tensor output = toy(input, sampler->timesteps()[index]);
    compare(output, said[i], worst, "output" + at);
    x = sampler->step(output, index, x, sampler->needs_noise(index) ? noises.value()[i] : torch::Tensor());
    compare(x, samples[i + 1], worst, "sample" + at);
    if (originals) compare(sampler->predicted_original(), (*originals)[i], worst, "original" + at);
  }
}

TEST(GoldenSchedulers, WholeTrajectories) {
  const auto cases = test::golden_cases("05_schedulers");
  if (cases.empty()) GTEST_SKIP() << "no reference tensors in " << test::golden_folder();
  for (const fs::path& folder : cases) {
    const Json config = read_json(folder / "config.json");
    const tensor::TensorMap outputs = tensor::load_safetensors(folder / "outputs.safetensors").tensors;
    double worst = 0;
    for (const auto& [name, run] : config.at("schedulers").items()) check_run(name, run, outputs, worst);
    RecordProperty("worst_relative_error", std::format("{:.1e}", worst));
  }
}

TEST(GoldenSchedulers, TablesAndForwardProcess) {
  const auto cases = test::golden_cases("05_schedulers");
  if (cases.empty()) GTEST_SKIP() << "no reference tensors in " << test::golden_folder();
  for (const fs::path& folder : cases) {
    const tensor::TensorMap inputs = tensor::load_safetensors(folder / "inputs.safetensors").tensors;
    const tensor::TensorMap outputs = tensor::load_safetensors(folder / "outputs.safetensors").tensors;
    // The table of "linear" has other ends than those of Stable Diffusion.
    for (const SchedulerConfig& kind :
         {SchedulerConfig{.beta_start = 0.0001, .beta_end = 0.02, .beta_schedule = "linear"},
          SchedulerConfig{.beta_schedule = "scaled_linear"}, SchedulerConfig{.beta_schedule = "squaredcos_cap_v2"}}) {
      const NoiseSchedule schedule(kind);
      const std::string table = "table/" + kind.beta_schedule;
      EXPECT_LT(relative_error(schedule.betas(), outputs.at(table + "/betas")), kTolerance) << table;
      EXPECT_LT(relative_error(schedule.alphas_cumprod(), outputs.at(table + "/alphas_cumprod")), kTolerance) << table;
    }
    const NoiseSchedule zero(SchedulerConfig{.rescale_betas_zero_snr = true});
    EXPECT_LT(relative_error(zero.alphas_cumprod(), outputs.at("table/scaled_linear_zerosnr/alphas_cumprod")),
              kTolerance);
    const NoiseSchedule schedule(SchedulerConfig{});
    const torch::Tensor& x0 = inputs.at("add_noise/original");
    const torch::Tensor& noise = inputs.at("add_noise/noise");
    const torch::Tensor& t = inputs.at("add_noise/timesteps");
    EXPECT_LT(relative_error(schedule.add_noise(x0, noise, t), outputs.at("add_noise/ddpm")), kTolerance);
    EXPECT_LT(relative_error(schedule.velocity(x0, noise, t), outputs.at("velocity/ddpm")), kTolerance);
  }
}

}  // namespace
}  // namespace terragen::diffusion
