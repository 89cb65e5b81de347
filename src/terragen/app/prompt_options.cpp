#include "terragen/app/prompt_options.h"

#include <cstdio>
#include <format>

#include "terragen/core/error.h"
#include "terragen/core/memory.h"
#include "terragen/core/stopwatch.h"
#include "terragen/geo/raster_io.h"
#include "terragen/pretrained/lora.h"
#include "terragen/pretrained/prompt_painting.h"

namespace terragen::app {
namespace {

// The first three bands of an 8-bit image as shares of their range.
torch::Tensor read_picture(const std::string& path, int width, int height) {
  const geo::Raster raster = geo::read_raster(path);
  if (raster.type != geo::DataType::uint8 || raster.bands < 3) {
    throw DataError(path, "is no image of 8 bits and three bands");
  }
  if (raster.width != width || raster.height != height) {
    throw DataError(path, "is not of the size that is painted", "give its --width and --height");
  }
  torch::Tensor picture = torch::empty({3, height, width});
  auto values = picture.accessor<float, 3>();
  for (int band = 0; band < 3; ++band) {
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) values[band][y][x] = static_cast<float>(raster.at(band, x, y)) / 255.0F;
    }
  }
  return picture;
}

}  // namespace

void add_prompt_options(CLI::App& command, PromptRequest& request) {
  command.add_option("--prompt", request.prompt,
                     "Paint from this text alone, without layouts; the model is a Stable Diffusion (folder or file)");
  command.add_option("--negative", request.negative, "What the images are not to show");
  command.add_option("--width", request.width, "Pixels of images from text")->capture_default_str();
  command.add_option("--height", request.height, "Pixels of images from text")->capture_default_str();
  command.add_option("--tokenizer", request.tokenizer, "Of a model in a single file: folder or CLIP's vocabulary");
  command
      .add_option("--prediction-type", request.prediction_type,
                  "Of a model in a single file: epsilon, or v_prediction (Stable Diffusion 2, 768 pixels)")
      ->capture_default_str();
  command.add_option("--box", request.boxes, "PHRASE@LEFT,TOP,RIGHT,BOTTOM in shares of the image, for GLIGEN models");
  command.add_option("--boxes-until", request.boxes_until, "Share of the steps at which boxes speak")
      ->capture_default_str();
  command.add_option("--controlnet", request.control_net, "Folder of a ControlNet");
  command.add_option("--control-image", request.control_image, "What the ControlNet sees");
  command.add_option("--control-scale", request.control_scale, "How much the ControlNet says")->capture_default_str();
  command.add_option("--lora", request.loras, "Low-rank adaptations to add to the model");
  command.add_option("--lora-scale", request.lora_scale, "How much of them")->capture_default_str();
}

void check_prompt_options(const CLI::App& command, bool has_prompt) {
  const std::vector<const char*> without =
      has_prompt ? std::vector{"--task",          "--gsd",           "--size",  "--class-property",
                               "--split",         "--limit",         "--batch", "--guidance-rescale",
                               "--guidance-from", "--guidance-until"}
                 : std::vector{"--negative",        "--width",         "--height",      "--tokenizer",
                               "--prediction-type", "--box",           "--boxes-until", "--controlnet",
                               "--control-image",   "--control-scale", "--lora",        "--lora-scale"};
  for (const char* name : without) {
    if (command.count(name) > 0) {
      throw RequestError(std::format("{} has no meaning {} --prompt", name, has_prompt ? "with" : "without"));
    }
  }
}

void generate_from_prompt(const PromptRequest& request, const synthesis::PaintOptions& paint, const std::string& model,
                          int count, std::uint64_t seed, const std::string& output) {
  pretrained::PromptOptions options;
  options.prompt = request.prompt;
  options.negative = request.negative;
  options.count = count;
  options.seed = seed;
  options.width = request.width;
  options.height = request.height;
  if (paint.steps > 0) options.steps = paint.steps;
  if (paint.guidance) options.guidance = *paint.guidance;
  options.sampler = paint.sampler;
  options.compute = paint.compute;
  options.control_scale = request.control_scale;
  options.boxes_until = request.boxes_until;
  for (const std::string& box : request.boxes) options.boxes.push_back(pretrained::parse_phrase_box(box));
  if (request.control_net.empty() != request.control_image.empty()) {
    throw RequestError("--controlnet and --control-image need each other");
  }
  options.sources = {{"model", model}};
  if (!request.tokenizer.empty()) options.sources["tokenizer"] = request.tokenizer;
  if (!request.loras.empty()) options.sources["lora"] = {{"files", request.loras}, {"scale", request.lora_scale}};
  if (!request.control_net.empty()) {
    options.sources["control"] = {{"net", request.control_net}, {"image", request.control_image}};
  }
  options.validate();
  tensor::set_threads(options.compute.threads);
  pretrained::Checkpoint checkpoint =
      pretrained::load_checkpoint(model, {.tokenizer = request.tokenizer, .prediction_type = request.prediction_type});
  for (const std::string& lora : request.loras) pretrained::add_lora(checkpoint, lora, request.lora_scale);
  if (!request.control_net.empty()) {
    options.control_net = pretrained::load_control_net(request.control_net);
    options.control_picture = read_picture(request.control_image, request.width, request.height);
  }
  const Stopwatch watch;
  pretrained::paint_prompt(std::move(checkpoint), options, output);
  std::printf("%d images painted in %s\n", count, output.c_str());
  std::printf("%.2f s an image in %d steps, peak memory %.0f MiB\n", watch.seconds() / count, options.steps,
              static_cast<double>(peak_memory_bytes()) / (1 << 20));
}

}  // namespace terragen::app
