#include "terragen/app/paint_options.h"

#include "terragen/diffusion/sampler.h"

namespace terragen::app {

void add_paint_options(CLI::App& command, synthesis::PaintOptions& options, const std::string& prefix) {
  command
      .add_option("--" + prefix + "steps", options.steps,
                  "Sampling steps; 0: 20, or as few as the model was trained for")
      ->capture_default_str();
  command.add_option("--guidance", options.guidance,
                     "Guidance by layout and task, 1: none; default: 3, or the model's");
  command
      .add_option("--guidance-rescale", options.guidance_rescale,
                  "Share of the contrast that guidance adds which is taken back")
      ->capture_default_str();
  command.add_option("--guidance-from", options.guidance_from, "Guidance acts at times from this, 0: image, 1: noise")
      ->capture_default_str();
  command.add_option("--guidance-until", options.guidance_until, "And until this")->capture_default_str();
  std::string names;
  for (const std::string& name : diffusion::sampler_names()) names += name + ", ";
  command.add_option("--sampler", options.sampler, names + "default: ddpm");
  command.add_option("--" + prefix + "batch", options.batch, "Images painted at once")->capture_default_str();
}

void add_compute_options(CLI::App& command, tensor::ComputeOptions& options) {
  command.add_option("--device", options.device, "cpu or cuda")->capture_default_str();
  command.add_option("--precision", options.precision, "bf16 or fp32")->capture_default_str();
  command.add_option("--threads", options.threads, "Threads; 0: the processor's cores")->capture_default_str();
}

}  // namespace terragen::app
