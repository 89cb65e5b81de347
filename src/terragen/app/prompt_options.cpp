#include "terragen/app/prompt_options.h"

#include <cstdio>
#include <format>

#include "terragen/app/prompt_images.h"
#include "terragen/core/error.h"
#include "terragen/core/memory.h"
#include "terragen/core/stopwatch.h"
#include "terragen/nn/bfloat16_weights.h"
#include "terragen/pretrained/lora.h"
#include "terragen/pretrained/prompt_painting.h"

namespace terragen::app {
namespace {

constexpr int kDefaultSize = 512;

// The image that painting begins at gives its size, which other options must not contradict.
StartFiles read_start_of(const PromptRequest& request, pretrained::PromptOptions& options) {
  options.width = request.width.value_or(kDefaultSize);
  options.height = request.height.value_or(kDefaultSize);
  if (request.image.empty()) {
    if (!request.mask.empty()) throw RequestError("--mask has no meaning without --image");
    if (request.strength) throw RequestError("--strength has no meaning without --image");
    return {};
  }
  StartFiles files = read_start(request.image, request.mask);
  if (request.width.value_or(files.image.width) != files.image.width ||
      request.height.value_or(files.image.height) != files.image.height) {
    throw RequestError(std::format("{} is of {}x{} pixels, --width or --height says otherwise", request.image,
                                   files.image.width, files.image.height),
                       "leave them out: what is painted has the image's size");
  }
  options.width = files.image.width;
  options.height = files.image.height;
  files.start.strength = request.strength;
  options.start = files.start;
  options.sources["image"] = request.image;
  if (!request.mask.empty()) options.sources["mask"] = request.mask;
  return files;
}

// Where nothing else says it, images have the size that the model was trained on.
void set_model_size(const PromptRequest& request, const pretrained::Checkpoint& model,
                    pretrained::PromptOptions& options) {
  const std::vector<std::int64_t>& cells = model.unet->config().sample_size;
  if (cells.empty() || !request.image.empty()) return;
  const std::int64_t pixels = model.autoencoder->config().downscale();
  if (!request.height) options.height = static_cast<int>(cells[0] * pixels);
  if (!request.width) options.width = static_cast<int>(cells[1] * pixels);
}

}  // namespace

void add_prompt_options(CLI::App& command, PromptRequest& request) {
  command.add_option("--prompt", request.prompt,
                     "Paint from this text alone, without layouts; the model is a Stable Diffusion (folder or file)");
  command.add_option("--negative", request.negative, "What the images are not to show");
  command.add_option("--width", request.width,
                     "Pixels of images from text; default: those of --image, or the model's, or 512");
  command.add_option("--height", request.height,
                     "Pixels of images from text; default: those of --image, or the model's, or 512");
  command.add_option("--image", request.image, "Image that painting begins at, of 8 bits and three bands");
  command.add_option("--strength", request.strength,
                     "How far from the image painting begins, 1: at noise; default: 0.8, with --mask 1");
  command.add_option("--mask", request.mask,
                     "What of the image is painted anew: values from 128 on of an image of 8 bits and one band");
  command.add_option("--tokenizer", request.tokenizer, "Of a model in a single file: folder or CLIP's vocabulary");
  command
      .add_option("--prediction-type", request.prediction_type,
                  "Of a model in a single file: epsilon, or v_prediction (Stable Diffusion 2, 768 pixels)")
      ->capture_default_str();
  command.add_option("--box", request.boxes, "PHRASE@LEFT,TOP,RIGHT,BOTTOM in shares of the image, for GLIGEN models");
  command.add_option("--boxes-until", request.boxes_until, "Share of the steps at which boxes speak")
      ->capture_default_str();
  command.add_option("--controlnet", request.control_net, "ControlNet: a folder, or a file with its authors' names");
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
                 : std::vector{"--image",      "--mask",          "--strength",        "--negative", "--width",
                               "--height",     "--tokenizer",     "--prediction-type", "--box",      "--boxes-until",
                               "--controlnet", "--control-image", "--control-scale",   "--lora",     "--lora-scale"};
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
  const StartFiles start = read_start_of(request, options);
  if (!request.tokenizer.empty()) options.sources["tokenizer"] = request.tokenizer;
  if (!request.loras.empty()) options.sources["lora"] = {{"files", request.loras}, {"scale", request.lora_scale}};
  if (!request.control_net.empty()) {
    options.sources["control"] = {{"net", request.control_net}, {"image", request.control_image}};
  }
  options.validate();
  tensor::set_threads(options.compute.threads);
  const bool bf16 = options.compute.precision == "bf16";
  // What a LoRA adds is too small to be added to rounded weights.
  pretrained::Checkpoint checkpoint = pretrained::load_checkpoint(model, {.tokenizer = request.tokenizer,
                                                                          .prediction_type = request.prediction_type,
                                                                          .bf16 = bf16 && request.loras.empty()});
  set_model_size(request, checkpoint, options);
  for (const std::string& lora : request.loras) pretrained::add_lora(checkpoint, lora, request.lora_scale);
  if (bf16 && !request.loras.empty()) nn::keep_products_in_bfloat16(*checkpoint.unet);
  if (!request.control_net.empty()) {
    options.control_net = pretrained::load_control_net(request.control_net, bf16);
    options.control_picture = read_control_picture(request.control_image, options.width, options.height);
  }
  const Stopwatch watch;
  pretrained::paint_prompt(std::move(checkpoint), options, output, picture_writer(start));
  std::printf("%d images painted in %s\n", count, output.c_str());
  std::printf("%.2f s an image in %d steps, peak memory %.0f MiB\n", watch.seconds() / count, options.steps,
              static_cast<double>(peak_memory_bytes()) / (1 << 20));
}

}  // namespace terragen::app
