// The reference trajectories of diffusers' schedulers.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "terragen/core/json_file.h"
#include "terragen/core/test_paths.h"
#include "terragen/diffusion/ddim_sampler.h"
#include "terragen/diffusion/dpm_solver_sampler.h"
#include "terragen/tensor/safetensors.h"

namespace terragen::diffusion {
namespace {

namespace fs = std::filesystem;

constexpr double kTolerance = 1e-5;

double relative_error(const torch::Tensor& ours, const torch::Tensor& theirs) {
  const torch::Tensor a = ours.to(torch::kFloat64).flatten();
  const torch::Tensor b = theirs.to(torch::kFloat64).flatten();
  return (a - b).norm().item<double>() / std::max(1e-12, b.norm().item<double>());
}

// Rebuilds the toy network's answers: 0.3 x + sin(0.01 t).
torch::Tensor toy(const torch::Tensor& x, std::int64_t t) {
  return 0.3 * x + torch::sin(0.01 * torch::tensor(static_cast<float>(t)));
}

void check_run(const std::string& name, const Json& run, const tensor::TensorMap& outputs, double& worst) {
  SCOPED_TRACE(name);
  SchedulerConfig config = scheduler_config_from_json(run.at("config"), name);
  config.class_name = run.at("class").get<std::string>();
  const auto steps = run.at("num_inference_steps").get<std::int64_t>();
  const double eta = run.at("step_kwargs").value("eta", 0.0);
  const auto sampler = make_sampler(config, steps, eta);
  const torch::Tensor timesteps = outputs.at(name + "/timesteps");
  const torch::Tensor samples = outputs.at(name + "/samples");
  ASSERT_EQ(timesteps.numel(), static_cast<std::int64_t>(sampler->timesteps().size()));
  for (std::int64_t i = 0; i < timesteps.numel(); ++i) {
    ASSERT_EQ(timesteps[i].item<double>(), static_cast<double>(sampler->timesteps()[static_cast<std::size_t>(i)]));
  }
  if (const auto sigmas = outputs.find(name + "/sigmas"); sigmas != outputs.end()) {
    const auto& solver = dynamic_cast<const DpmSolverSampler&>(*sampler);
    EXPECT_LT(relative_error(torch::tensor(solver.sigmas()), sigmas->second), kTolerance);
  }
  torch::Tensor x = samples[0];
  for (std::int64_t i = 0; i < timesteps.numel(); ++i) {
    const auto index = static_cast<std::size_t>(i);
    const torch::Tensor noise = sampler->needs_noise(index) ? outputs.at(name + "/noise")[i] : torch::Tensor();
    x = sampler->step(toy(x, sampler->timesteps()[index]), index, x, noise);
    const double error = relative_error(x, samples[i + 1]);
    worst = std::max(worst, error);
    EXPECT_LT(error, kTolerance) << "step " << i;
    if (const auto original = outputs.find(name + "/pred_original"); original != outputs.end()) {
      const auto* ddim = dynamic_cast<const DdimSampler*>(sampler.get());
      if (ddim != nullptr) {
        EXPECT_LT(relative_error(ddim->predicted_original(), original->second[i]), kTolerance);
      }
    }
  }
}

TEST(GoldenSchedulers, WholeTrajectories) {
  const auto cases = test::golden_cases("05_schedulers");
  if (cases.empty()) GTEST_SKIP() << "no reference tensors in " << test::golden_folder();
  for (const fs::path& folder : cases) {
    const Json config = read_json(folder / "config.json");
    const tensor::TensorMap outputs = tensor::load_safetensors(folder / "outputs.safetensors").tensors;
    int checked = 0;
    double worst = 0;
    for (const auto& [name, run] : config.at("schedulers").items()) {
      const auto kind = run.at("class").get<std::string>();
      if (kind != "DDIMScheduler" && kind != "DPMSolverMultistepScheduler") continue;
      check_run(name, run, outputs, worst);
      ++checked;
    }
    EXPECT_GT(checked, 0);
    RecordProperty("runs", checked);
    RecordProperty("worst_relative_error", std::to_string(worst));
  }
}

TEST(GoldenSchedulers, TablesAndForwardProcess) {
  const auto cases = test::golden_cases("05_schedulers");
  if (cases.empty()) GTEST_SKIP() << "no reference tensors in " << test::golden_folder();
  for (const fs::path& folder : cases) {
    const tensor::TensorMap inputs = tensor::load_safetensors(folder / "inputs.safetensors").tensors;
    const tensor::TensorMap outputs = tensor::load_safetensors(folder / "outputs.safetensors").tensors;
    for (const std::string kind : {"linear", "scaled_linear", "squaredcos_cap_v2"}) {
      const NoiseSchedule schedule(SchedulerConfig{.beta_schedule = kind});
      if (const auto betas = outputs.find("table/" + kind + "/betas"); betas != outputs.end() && kind != "linear") {
        EXPECT_LT(relative_error(schedule.betas(), betas->second), kTolerance) << kind;
        EXPECT_LT(relative_error(schedule.alphas_cumprod(), outputs.at("table/" + kind + "/alphas_cumprod")),
                  kTolerance);
      }
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
