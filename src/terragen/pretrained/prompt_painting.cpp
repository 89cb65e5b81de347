#include "terragen/pretrained/prompt_painting.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <format>

#include "terragen/core/atomic_file.h"
#include "terragen/core/error.h"
#include "terragen/core/png.h"
#include "terragen/core/progress.h"
#include "terragen/core/require_share.h"
#include "terragen/core/seed.h"
#include "terragen/core/unicode.h"
#include "terragen/diffusion/sampler.h"
#include "terragen/pretrained/stable_diffusion.h"
#include "terragen/tensor/draw_image.h"
#include "terragen/tensor/seeded_noise.h"

namespace terragen::pretrained {
namespace {

constexpr std::int64_t kBoxPlaces = 30;  // GLIGEN's

void check_length(const Checkpoint& model, const std::string& text) {
  if (!model.tokenizer) return;  // encode() says what is missing
  const std::int64_t most = model.text_encoder->config().max_position_embeddings - 2;
  const auto tokens = std::ssize(model.tokenizer->ids(text));
  if (tokens > most) {
    throw RequestError(std::format("a text of {} tokens is longer than the {} the text encoder takes", tokens, most),
                       std::format("shorten \"{:.40}...\"", text));
  }
}

models::BoxCondition boxes_of(StableDiffusion& pipeline, const PromptOptions& options, const torch::Device& device) {
  if (options.boxes.empty()) return {};
  std::vector<std::string> phrases;
  std::vector<float> corners;
  for (const PhraseBox& box : options.boxes) {
    check_length(pipeline.model(), box.phrase);
    phrases.push_back(box.phrase);
    for (const double corner : {box.left, box.top, box.right, box.bottom})
      corners.push_back(static_cast<float>(corner));
  }
  const auto count = std::ssize(options.boxes);
  return models::with_empty_places({torch::tensor(corners).view({1, count, 4}).to(device),
                                    torch::ones({1, count}, device), pipeline.encode_phrases(phrases)},
                                   kBoxPlaces);
}

void move_to(Checkpoint& model, const torch::Device& device) {
  model.autoencoder->to(device);
  model.unet->to(device);
  model.text_encoder->to(device);
}

}  // namespace

PhraseBox parse_phrase_box(const std::string& text) {
  PhraseBox box;
  const std::size_t at = text.rfind('@');
  int end = 0;
  if (at == std::string::npos || at == 0 ||
      std::sscanf(text.c_str() + at, "@%lf,%lf,%lf,%lf%n", &box.left, &box.top, &box.right, &box.bottom, &end) != 4 ||
      at + static_cast<std::size_t>(end) != text.size()) {
    throw RequestError(std::format("\"{}\" is no phrase with a box", text),
                       "write PHRASE@LEFT,TOP,RIGHT,BOTTOM with shares of width and height");
  }
  if (!(box.left >= 0 && box.left < box.right && box.right <= 1 && box.top >= 0 && box.top < box.bottom &&
        box.bottom <= 1)) {
    throw RequestError(std::format("the box of \"{}\" is not within the image", text), "shares lie between 0 and 1");
  }
  box.phrase = text.substr(0, at);
  return box;
}

void PromptOptions::validate() const {
  compute.validate();
  if (prompt.empty()) throw RequestError("the prompt is empty");
  if (!is_utf8(prompt)) throw RequestError("the prompt is not UTF-8");
  if (count < 1) throw RequestError(std::format("{} images cannot be painted", count));
  if (width < 1 || height < 1) throw RequestError(std::format("{}x{} pixels is no image", width, height));
  if (!(guidance >= 1 && std::isfinite(guidance))) {
    throw RequestError(std::format("guidance is {}, it must be 1 or more", guidance), "1: none");
  }
  if (!std::isfinite(control_scale)) throw RequestError(std::format("the control's scale is {}", control_scale));
  require_share("guidance_rescale", guidance_rescale);
  require_share("boxes_until", boxes_until);
  if (!sampler.empty()) diffusion::with_sampler({}, sampler);
  start.validate(width, height);
}

Json to_json(const PromptOptions& options) {
  Json boxes = Json::array();
  for (const PhraseBox& box : options.boxes) {
    boxes.push_back({{"phrase", box.phrase}, {"box", {box.left, box.top, box.right, box.bottom}}});
  }
  return {{"prompt", options.prompt},
          {"negative", options.negative},
          {"seed", options.seed},
          {"width", options.width},
          {"height", options.height},
          {"steps", options.steps},
          {"guidance", options.guidance},
          {"guidance_rescale", options.guidance_rescale},
          {"sampler", options.sampler},
          {"strength", options.start.image.defined() ? Json(options.start.chosen_strength()) : Json()},
          {"inpaints", options.start.mask.defined()},
          {"boxes", boxes},
          {"boxes_until", options.boxes_until},
          {"control_scale", options.control_net ? Json(options.control_scale) : Json()},
          {"precision", options.compute.precision},
          {"device", options.compute.device}};
}

std::string write_png_picture(const std::filesystem::path& stem, const torch::Tensor& pixels) {
  Canvas canvas(static_cast<int>(pixels.size(1)), static_cast<int>(pixels.size(0)), {0, 0, 0});
  tensor::draw_bytes(canvas, pixels, 0, 0);
  write_png(stem.string() + ".png", canvas);
  return ".png";
}

void paint_prompt(Checkpoint model, const PromptOptions& options, const std::filesystem::path& output,
                  const PictureWriter& write) {
  options.validate();
  const torch::NoGradGuard no_grad;
  const torch::Device device = tensor::parse_device(options.compute.device);
  const std::int64_t cell = model.autoencoder->config().downscale();
  if (options.width % cell != 0 || options.height % cell != 0) {
    throw RequestError(std::format("{}x{} pixels cannot be painted", options.width, options.height),
                       std::format("width and height must be multiples of {}", cell));
  }
  if (!options.sampler.empty()) model.scheduler = diffusion::with_sampler(model.scheduler, options.sampler);
  check_length(model, options.prompt);
  check_length(model, options.negative);
  move_to(model, device);
  const std::int64_t channels = model.autoencoder->config().latent_channels;
  StableDiffusion pipeline(std::move(model));
  const tensor::AutocastGuard autocast(device.type(), options.compute.precision == "bf16");
  PaintingRequest request;
  request.text = pipeline.encode({options.prompt});
  if (options.guidance != 1.0) request.negative = pipeline.encode({options.negative});
  request.steps = options.steps;
  request.guidance = options.guidance;
  request.guidance_rescale = options.guidance_rescale;
  request.boxes = boxes_of(pipeline, options, device);
  request.boxes_until = options.boxes_until;
  begin_at(pipeline, options.start, request);
  if (options.control_net) {
    request.control.net = options.control_net;
    request.control.net->to(device);
    request.control.picture = options.control_picture.unsqueeze(0).to(device);
    request.control.scale = options.control_scale;
  }
  AtomicFolder folder(output);
  std::filesystem::create_directories(folder.path() / "images");
  Json images = Json::array();
  Progress progress("painting", options.count);
  const auto paint_one = [&](int i) {
    const std::uint64_t seed = derive_seed(options.seed, static_cast<std::uint64_t>(i));
    const auto noise = [&](std::uint64_t stream) {
      return tensor::seeded_normal({1, channels, options.height / cell, options.width / cell},
                                   derive_seed(seed, stream))
          .to(device);
    };
    request.noise = noise(0);
    const torch::Tensor latents = pipeline.paint(request, [&](std::size_t step) { return noise(step + 1); });
    const torch::Tensor image = pipeline.decode(latents).cpu();
    if (!image.isfinite().all().item<bool>()) {
      throw DataError("model", "what it paints is not a number", "its weights are broken, or the precision is too low");
    }
    torch::Tensor pixels = tensor::rgb_bytes(image[0]);
    if (options.start.mask.defined()) pixels = pasted_back(options.start.image, options.start.mask, pixels, cell);
    const std::string name = std::format("images/{:05}", i);
    images.push_back({{"file", name + write(folder.path() / name, pixels)}, {"seed", seed}});
    progress.advance();
  };
  bool stopped = false;
  try {
    for (int i = 0; i < options.count; ++i) paint_one(i);
  } catch (const Interrupted&) {
    if (images.empty()) throw;
    stopped = true;
  }
  write_json(folder.path() / "generation.json",
             {{"sources", options.sources}, {"settings", to_json(options)}, {"images", images}});
  folder.commit();
  if (stopped) {
    throw Interrupted(std::format("stopped; {} of {} images are in {}", images.size(), options.count, output.string()));
  }
}

}  // namespace terragen::pretrained
