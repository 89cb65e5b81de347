// Whole runs of diffusers' pipelines: from text, from an image, into a hole, under a ControlNet, into boxes.
#include <gtest/gtest.h>

#include <format>
#include <set>

#include "terragen/core/test_paths.h"
#include "terragen/models/golden_case.h"
#include "terragen/models/model_io.h"
#include "terragen/pretrained/prepared_image.h"
#include "terragen/pretrained/stable_diffusion.h"
#include "terragen/tensor/draw_image.h"

namespace terragen::pretrained {
namespace {

namespace fs = std::filesystem;
using test::GoldenCase;
using test::relative_error;

constexpr double kTolerance = 1e-4;

// One golden folder of runs, and the networks it names.
class Runs {
 public:
  explicit Runs(const fs::path& folder) : golden_(folder), left_(golden_.outputs) {}

  const Json& runs() const { return golden_.config.at("runs"); }
  const torch::Tensor& input(const std::string& name) const { return golden_.inputs.at(name); }

  std::string worst() const { return std::format("{:.1e}", worst_); }
  // Names that nothing was compared with.
  const tensor::TensorMap& left() const { return left_; }

  const torch::Tensor& expected(const std::string& name) {
    left_.erase(name);
    return golden_.outputs.at(name);
  }
  bool has(const std::string& name) const { return golden_.outputs.contains(name); }
  void compare(const std::string& name, const torch::Tensor& ours) {
    const double error = relative_error(ours, expected(name));
    worst_ = std::max(worst_, error);
    EXPECT_LT(error, kTolerance) << name;
  }

  // The sampler of a run, or that of the first.
  diffusion::SchedulerConfig scheduler(const Json& run) const {
    const Json& named = run.contains("scheduler_config") ? run : runs().at("txt2img_ddim");
    Json settings = named.at("scheduler_config");
    settings["_class_name"] = named.at("scheduler");
    return diffusion::scheduler_config_from_json(settings, "scheduler");
  }

 private:
  GoldenCase golden_;
  tensor::TensorMap left_;
  double worst_ = 0;
};

// The case folders are named with a letter behind that this copy of them may lack.
fs::path folder_of(std::string name) {
  if (!fs::exists(test::golden_folder() / name)) name.resize(name.rfind('_'));
  return test::golden_folder() / name;
}

Checkpoint model_of(const std::string& unet_case, const diffusion::SchedulerConfig& scheduler) {
  const GoldenCase unet(folder_of(unet_case));
  const GoldenCase vae(folder_of("02_vae_a"));
  const bool nested = unet.config.contains("unet");
  Checkpoint model;
  model.scheduler = scheduler;
  model.unet =
      models::UNet2DConditionModel(models::unet_config_from_json(unet.config.at(nested ? "unet" : "model"), unet_case));
  models::load_parameters(*model.unet, nested ? unet.part("unet.") : unet.weights);
  model.autoencoder = models::AutoencoderKL(models::autoencoder_config_from_json(vae.config.at("model"), "vae"));
  models::load_parameters(*model.autoencoder, vae.weights);
  return model;
}

// Latents after every step, [steps, 1, C, h, w].
torch::Tensor trajectory(StableDiffusion& pipeline, const PaintingRequest& request) {
  std::vector<torch::Tensor> latents;
  pipeline.paint(request, {}, [&](const torch::Tensor& x) { latents.push_back(x); });
  return torch::stack(latents);
}

PaintingRequest request_of(const Runs& golden, const Json& run, const std::string& prefix) {
  PaintingRequest request;
  request.text = golden.input(prefix + "prompt_embeds");
  request.negative = golden.input(prefix + "negative_prompt_embeds");
  request.noise = golden.input(prefix == "cn." ? "cn.latents" : "latents");
  request.steps = run.at("steps").get<int>();
  request.guidance = run.value("guidance_scale", 7.5);
  request.guidance_rescale = run.value("guidance_rescale", 0.0);
  request.strength = run.value("strength", 1.0);
  return request;
}

void check_text_to_image(Runs& golden, const std::string& name, const Json& run) {
  StableDiffusion pipeline(model_of(run.value("weights_unet", "01_unet_sd15_a"), golden.scheduler(run)));
  const torch::Tensor latents = trajectory(pipeline, request_of(golden, run, ""));
  golden.compare(name + "/latents", latents);
  if (!golden.has(name + "/image")) return;
  const torch::Tensor raw = pipeline.decode(latents[-1]);
  golden.compare(name + "/decoded_raw", raw);
  golden.compare(name + "/image", (raw * 0.5 + 0.5).clamp(0, 1).permute({0, 2, 3, 1}));
  golden.compare(name + "/decoded_small", pipeline.model().autoencoder.ptr()->decode(latents[-1]));
  // A rounding away from half may fall to the other side.
  std::vector<torch::Tensor> written;
  for (const torch::Tensor& image : raw.unbind()) written.push_back(tensor::rgb_bytes(image));
  const torch::Tensor apart =
      (torch::stack(written).to(torch::kInt32) - golden.expected(name + "/image_u8").to(torch::kInt32)).abs();
  EXPECT_LE(apart.max().item<int>(), 1);
}

void check_image_to_image(Runs& golden, const std::string& name, const Json& run) {
  StableDiffusion pipeline(model_of("01_unet_sd15_a", golden.scheduler(run)));
  PaintingRequest request = request_of(golden, run, "");
  request.image =
      pipeline.latents_of(to_signed(golden.input("init_image_u8")), golden.expected(name + "/noise_vae_sample"));
  request.noise = golden.expected(name + "/noise_added");
  golden.compare(name + "/latents", trajectory(pipeline, request));
  const auto sampler = diffusion::make_sampler(golden.scheduler(run), request.steps);
  const torch::Tensor times = torch::tensor(sampler->timesteps(), torch::kFloat64);
  const torch::Tensor& expected = golden.expected(name + "/timesteps");
  EXPECT_TRUE(torch::equal(times.slice(0, times.size(0) - expected.size(0)), expected));
}

void check_inpainting(Runs& golden, const std::string& name, const Json& run) {
  StableDiffusion pipeline(model_of(run.at("weights_unet").get<std::string>(), golden.scheduler(run)));
  const bool sees_hole = pipeline.model().unet->config().in_channels == 9;
  PaintingRequest request = request_of(golden, run, sees_hole ? "inpaint." : "");
  const torch::Tensor image = to_signed(golden.input("init_image_u8"));
  const torch::Tensor mask = to_repaint(golden.input("mask_u8"));
  const torch::Tensor masked = image * (1.0 - mask);
  request.repaint = at::upsample_nearest2d(mask, {request.noise.size(2), request.noise.size(3)});
  golden.compare("inpaint_prep/image", image);
  golden.compare("inpaint_prep/mask", mask);
  golden.compare("inpaint_prep/masked_image", masked);
  golden.compare("inpaint_prep/mask_latent", request.repaint);
  // The pipeline draws for the image, where it needs it, for the start, and for the image with the hole.
  if (sees_hole) {
    request.noise = golden.expected(name + "/noise.0");
    request.masked_image = pipeline.latents_of(masked, golden.expected(name + "/noise.1"));
  } else {
    request.image = pipeline.latents_of(image, golden.expected(name + "/noise.0"));
    request.noise = golden.expected(name + "/noise.1");
    golden.expected(name + "/noise.2");
  }
  const torch::Tensor latents = trajectory(pipeline, request);
  golden.compare(name + "/latents", latents);
  if (!golden.has(name + "/image")) return;
  const torch::Tensor painted = pipeline.decode(latents[-1]);
  golden.compare(name + "/image", (painted * 0.5 + 0.5).clamp(0, 1).permute({0, 2, 3, 1}));
}

void check_control(Runs& golden, const std::string& name, const Json& run) {
  const auto weights = run.at("weights").get<std::string>();
  StableDiffusion pipeline(model_of(weights, golden.scheduler(run)));
  const GoldenCase control(folder_of(weights));
  PaintingRequest request = request_of(golden, run, "cn.");
  request.control.net = models::ControlNet(models::control_net_config_from_json(control.config.at("controlnet"), name));
  models::load_parameters(*request.control.net, control.part("controlnet."));
  request.control.picture = golden.input("cn.cond");
  request.control.scale = run.at("conditioning_scale").get<double>();
  request.control.from = run.at("control_guidance_start").get<double>();
  request.control.until = run.at("control_guidance_end").get<double>();
  request.control.guess = run.at("guess_mode").get<bool>();
  golden.compare(name + "/latents", trajectory(pipeline, request));
}

void check_boxes(Runs& golden, const std::string& name, const Json& run) {
  StableDiffusion pipeline(model_of(run.at("weights").get<std::string>(), golden.scheduler(run)));
  PaintingRequest request = request_of(golden, run, "gl.");
  request.boxes_until = run.at("gligen_scheduled_sampling_beta").get<double>();
  const torch::Tensor boxes = golden.input("gl.boxes").unsqueeze(0);
  request.boxes =
      models::with_empty_places({boxes, torch::ones({1, boxes.size(1)}), golden.input("gl.phrase_embeds").unsqueeze(0)},
                                run.at("max_objs").get<std::int64_t>());
  golden.compare(name + "/latents", trajectory(pipeline, request));
}

TEST(GoldenPipelines, EveryRun) {
  const auto cases = test::golden_cases("13_pipelines");
  if (cases.empty()) GTEST_SKIP() << "no reference tensors in " << test::golden_folder();
  const torch::NoGradGuard no_grad;
  for (const auto& folder : cases) {
    Runs golden(folder);
    for (const auto& [name, run] : golden.runs().items()) {
      SCOPED_TRACE(name);
      if (name.starts_with("txt2img")) check_text_to_image(golden, name, run);
      if (name.starts_with("img2img")) check_image_to_image(golden, name, run);
      if (name.starts_with("inpaint")) check_inpainting(golden, name, run);
      if (name.starts_with("controlnet")) check_control(golden, name, run);
      if (name.starts_with("gligen")) check_boxes(golden, name, run);
    }
    for (const auto& [name, value] : golden.left()) ADD_FAILURE() << "nothing compares " << name;
    RecordProperty(folder.filename().string(), golden.worst());
  }
}

}  // namespace
}  // namespace terragen::pretrained
