#include "terragen/synthesis/painter.h"

#include <algorithm>
#include <cmath>
#include <format>

#include "terragen/core/error.h"
#include "terragen/core/interrupt.h"
#include "terragen/core/require_share.h"
#include "terragen/core/seed.h"
#include "terragen/core/stage_timer.h"
#include "terragen/diffusion/sampler.h"
#include "terragen/diffusion/sampling_loop.h"
#include "terragen/diffusion/scheduler_config.h"
#include "terragen/layout/caption.h"
#include "terragen/models/layout_tensors.h"
#include "terragen/nn/bfloat16_weights.h"
#include "terragen/tensor/seeded_noise.h"
#include "terragen/tensor/side_by_side.h"

namespace terragen::synthesis {
namespace {

// The model's own schedule with the sampler the user chose.
diffusion::SchedulerConfig scheduler_of(const models::ModelFolder& model, const std::string& sampler) {
  return diffusion::with_sampler(diffusion::scheduler_config_from_json(model.scheduler, "scheduler"), sampler);
}

// What the user left open is the model's to say: one that was trained for it takes few ancestral steps.
PaintOptions decided(PaintOptions options, const models::ModelFolder& model) {
  const bool few = diffusion::scheduler_config_from_json(model.scheduler, "scheduler").class_name == "DDPMScheduler";
  // Ancestral steps follow a layout more closely than a solver's: fresh noise corrects what early steps got wrong.
  if (options.sampler.empty()) options.sampler = "ddpm";
  if (options.steps == 0) options.steps = few && options.sampler == "ddpm" ? 5 : 20;
  if (!options.guidance) options.guidance = few ? 2.0 : 3.0;
  return options;
}

// The conditions of a batch followed by the same batch without any: one pass of the network serves guidance.
models::LayoutTensors doubled(const models::LayoutTensors& layout) {
  models::LayoutTensors both = layout;
  for (torch::Tensor* tensor :
       {&both.coverage, &both.edge_distance, &both.token_class, &both.token_kind, &both.token_box, &both.token_vertices,
        &both.token_area, &both.token_mask, &both.token_distance, &both.task, &both.gsd, &both.object_weight}) {
    *tensor = torch::cat({*tensor, *tensor});
  }
  return both;
}

models::LayoutEncoding first_rows(const models::LayoutEncoding& encoding, std::int64_t count) {
  models::LayoutEncoding part = encoding;
  if (part.text.defined()) part.text = part.text.narrow(0, 0, count);
  for (torch::Tensor& feature : part.features) feature = feature.narrow(0, 0, count);
  for (torch::Tensor* tensor : {&part.tokens, &part.token_mask, &part.time_addition}) {
    *tensor = tensor->narrow(0, 0, count);
  }
  return part;
}

}  // namespace

void PaintOptions::validate() const {
  compute.validate();
  if (steps < 0 || steps > 1000) throw RequestError(std::format("{} sampling steps are not in 0..1000", steps));
  if (guidance && !(*guidance >= 0 && std::isfinite(*guidance))) {
    throw RequestError(std::format("guidance is {}, it must be a number that is not negative", *guidance));
  }
  require_share("guidance_rescale", guidance_rescale);
  if (!(guidance_from >= 0 && guidance_from <= guidance_until && guidance_until <= 1)) {
    throw RequestError(std::format("guidance from {} until {} is no part of [0, 1]", guidance_from, guidance_until));
  }
  if (batch < 1) throw RequestError(std::format("the batch is {}, it must be positive", batch));
  if (!sampler.empty()) diffusion::with_sampler({}, sampler);
}

Json to_json(const PaintOptions& options) {
  return {{"sampler", options.sampler},
          {"steps", options.steps},
          {"guidance", options.guidance ? Json(*options.guidance) : Json()},
          {"guidance_rescale", options.guidance_rescale},
          {"guidance_from", options.guidance_from},
          {"guidance_until", options.guidance_until},
          {"precision", options.compute.precision},
          {"device", options.compute.device}};
}

void require_painter(const models::ModelFolder& model) {
  if (!model.autoencoder || !model.unet || !model.layout_encoder || model.scheduler.is_null()) {
    throw RequestError(
        "the model cannot paint from layouts: it needs autoencoder, U-Net, layout encoder and scheduler");
  }
}

int size_step_of(const models::ModelFolder& model) {
  return static_cast<int>(model.autoencoder->config().downscale()
                          << (model.unet->config().block_out_channels.size() - 1));
}

Painter::Painter(models::ModelFolder model, PaintOptions options)
    : model_(std::move(model)), options_(std::move(options)) {
  options_.validate();
  require_painter(model_);
  options_ = decided(std::move(options_), model_);
  const torch::Device device = tensor::parse_device(options_.compute.device);
  model_.autoencoder->to(device);
  model_.unet->to(device);
  model_.layout_encoder->to(device);
  if (model_.reference_encoder) model_.reference_encoder->to(device);
  if (model_.captions) model_.captions->to(device);
  if (options_.compute.precision == "bf16") {
    nn::keep_products_in_bfloat16(*model_.unet);
    nn::keep_products_in_bfloat16(*model_.autoencoder);
  }
}

std::size_t Painter::first_step(double strength) const {
  const auto steps = static_cast<std::size_t>(options_.steps);
  const auto skipped = static_cast<std::size_t>(std::lround((1.0 - strength) * static_cast<double>(steps)));
  // Below strength 1 something of the image is always left.
  const std::size_t least = strength < 1.0 ? 1 : 0;
  if (least > steps - 1) {
    throw RequestError(std::format("one sampling step cannot paint over an image with strength {}", strength),
                       "take more steps, or strength 1");
  }
  return std::clamp(skipped, least, steps - 1);
}

bool Painter::together(const PaintRequest& one, const PaintRequest& other) const {
  return one.layout.width == other.layout.width && one.layout.height == other.layout.height &&
         one.image.defined() == other.image.defined() && first_step(one.strength) == first_step(other.strength);
}

void Painter::check(const PaintRequest& request) const {
  const layout::Layout& layout = request.layout;
  if (layout.width < size_step() || layout.height < size_step() || layout.width % size_step() != 0 ||
      layout.height % size_step() != 0) {
    throw RequestError(std::format("a layout of {}x{} pixels cannot be painted", layout.width, layout.height),
                       std::format("width and height must be multiples of {}", size_step()));
  }
  const std::vector<std::string>& tasks = model_.layout_encoder->config().tasks;
  if (std::ranges::find(tasks, layout.task) == tasks.end()) {
    throw RequestError(std::format("the model does not know the task \"{}\"", layout.task),
                       "`terragen info MODEL` lists its tasks");
  }
  if (!(request.strength > 0 && request.strength <= 1)) {
    throw RequestError(std::format("strength is {}, not in (0, 1]", request.strength));
  }
  if (request.strength < 1 &&
      diffusion::make_sampler(scheduler_of(model_, options_.sampler), options_.steps)->remembers()) {
    throw RequestError(std::format("{} remembers its steps and cannot begin at an image", options_.sampler),
                       "choose ddim, ddpm, euler or euler-a");
  }
  if (request.reference.defined()) {
    if (!model_.reference_encoder) {
      throw RequestError("the model cannot paint after a picture",
                         "`terragen train generator --reference-share` teaches it");
    }
    const std::int64_t side = model_.reference_encoder->config().size;
    if (request.reference.sizes() !=
        std::vector<std::int64_t>{model_.reference_encoder->config().bands + 1, side, side}) {
      throw InternalError("[Painter] the reference's picture is not of the encoder's size");
    }
  }
  const std::vector<std::int64_t> size{std::ssize(model_.images.bands), layout.height, layout.width};
  if (request.image.defined() && request.image.sizes() != size) {
    throw InternalError("[Painter] the image to begin at is not of the layout's size and the model's bands");
  }
  if (!request.image.defined() && (request.strength < 1 || request.repaint.defined())) {
    throw InternalError("[Painter] there is no image to begin at");
  }
}

// Guidance's second half is told nothing of them.
models::LayoutEncoding Painter::with_pictures(models::LayoutEncoding encoding, std::span<const PaintRequest> requests) {
  const models::ReferenceEncoderConfig& config = model_.reference_encoder->config();
  const auto n = static_cast<std::int64_t>(requests.size());
  torch::Tensor pictures = torch::zeros({n, config.bands + 1, config.size, config.size});
  torch::Tensor present = torch::zeros({encoding.tokens.size(0)}, torch::kBool);
  for (std::int64_t i = 0; i < n; ++i) {
    const torch::Tensor& picture = requests[static_cast<std::size_t>(i)].reference;
    if (!picture.defined()) continue;
    pictures[i] = picture;
    present[i] = true;
  }
  if (!present.any().item<bool>()) return encoding;
  const torch::Device device = encoding.tokens.device();
  torch::Tensor tokens = model_.reference_encoder->forward(pictures.to(device));
  if (encoding.tokens.size(0) == 2 * n) tokens = torch::cat({tokens, tokens});
  return models::with_references(std::move(encoding), tokens, present.to(device));
}

torch::Tensor Painter::paint_batch(std::span<const PaintRequest> requests, PaintTimes& times) {
  const torch::NoGradGuard no_grad;
  const torch::Device device = tensor::parse_device(options_.compute.device);
  const tensor::AutocastGuard autocast(device.type(), options_.compute.precision == "bf16");
  const auto n = static_cast<std::int64_t>(requests.size());
  const bool guided = *options_.guidance != 1.0;
  std::vector<layout::Layout> layouts;
  for (const PaintRequest& request : requests) layouts.push_back(request.layout);
  models::LayoutEncoding encoding;
  {
    const StageTimer timer(times.layout_encoder);
    models::LayoutTensors layout =
        models::layout_tensors(layouts, model_.layout_encoder->config().tensor_options(0.0)).to(device);
    models::ConditionDrop drop;
    if (guided) {
      layout = doubled(layout);
      drop.layout = torch::arange(2 * n).ge(n).to(device);
      drop.task = drop.metadata = drop.layout;
    }
    encoding = model_.layout_encoder->forward(layout, drop);
    if (model_.reference_encoder) encoding = with_pictures(std::move(encoding), requests);
    if (model_.captions) {
      std::vector<std::string> captions = layout::captions_of(layouts, model_.layout_encoder->config().taxonomy);
      if (guided) captions.resize(2 * captions.size());
      encoding.text = model_.captions->encode(captions);
    }
  }
  const std::int64_t cell = model_.autoencoder->config().downscale();
  const std::int64_t channels = model_.autoencoder->config().latent_channels;
  const std::vector<std::int64_t> shape{channels, layouts.front().height / cell, layouts.front().width / cell};
  const auto noise_of = [&](std::uint64_t stream) {
    std::vector<torch::Tensor> noise;
    for (const PaintRequest& request : requests) {
      noise.push_back(tensor::seeded_normal(shape, derive_seed(request.seed, stream)));
    }
    return torch::stack(noise).to(device);
  };
  // What is given of an image: its latents where it stays.
  torch::Tensor given = torch::zeros({n, channels, shape[1], shape[2]}, device);
  torch::Tensor paint = torch::ones({n, 1, shape[1], shape[2]}, device);
  torch::Tensor images;
  torch::Tensor latents;
  torch::Tensor repaint;
  if (requests.front().image.defined()) {
    const StageTimer timer(times.encoder);
    std::vector<torch::Tensor> begun;
    std::vector<torch::Tensor> anew;
    for (const PaintRequest& request : requests) {
      begun.push_back(request.image);
      anew.push_back(request.repaint.defined() ? request.repaint : torch::ones_like(request.image[0]));
    }
    images = torch::stack(begun);
    repaint = torch::stack(anew).unsqueeze(1);
    latents = model_.autoencoder->normalise(
        model_.autoencoder->encode(images.to(device).contiguous(at::MemoryFormat::ChannelsLast))
            .mean.to(torch::kFloat32));
    paint = at::max_pool2d(repaint.to(device), {cell, cell}).gt(0).to(torch::kFloat32);
    given = latents * (1 - paint);
  }
  const models::UNetCondition told = models::condition_of(guided ? first_rows(encoding, n) : encoding);
  const models::UNetCondition told_and_not = models::condition_of(encoding);
  const diffusion::SchedulerConfig config = scheduler_of(model_, options_.sampler);
  const auto sampler = diffusion::make_sampler(config, options_.steps);
  const auto denoise = [&](const torch::Tensor& x, double t) {
    const StageTimer timer(times.unet);
    const double time = t / static_cast<double>(config.num_train_timesteps);
    const bool guides = guided && time >= options_.guidance_from && time <= options_.guidance_until;
    torch::Tensor input = torch::cat({x, given, paint}, 1);
    if (guides) input = torch::cat({input, input});
    const torch::Tensor output =
        model_.unet
            ->forward(input, torch::full({input.size(0)}, t, torch::kFloat32).to(device), guides ? told_and_not : told)
            .to(torch::kFloat32);
    if (!guides) return output;
    const auto parts = output.chunk(2);
    return diffusion::rescale_guidance(diffusion::guide(parts[1], parts[0], {}, *options_.guidance, 0.0), parts[0],
                                       options_.guidance_rescale);
  };
  const std::size_t first = first_step(requests.front().strength);
  const torch::Tensor start =
      first > 0 ? sampler->noised(latents, noise_of(0), first) : noise_of(0) * sampler->initial_scale();
  const torch::Tensor latent =
      diffusion::sample(*sampler, denoise, start, [&](std::size_t step) { return noise_of(step + 1); }, first);
  const StageTimer timer(times.decoder);
  torch::Tensor painted =
      model_.autoencoder->decode(model_.autoencoder->denormalise(latent)).to(torch::kFloat32).clamp(-1.0, 1.0).cpu();
  if (!repaint.defined()) return painted;
  if (first > 0) {
    // What the autoencoder cannot hold of the image comes back in the measure that the image shines through.
    const torch::Tensor held =
        model_.autoencoder->decode(model_.autoencoder->denormalise(latents)).to(torch::kFloat32).clamp(-1.0, 1.0).cpu();
    const double shining = std::min(1.0, 2.0 * (1.0 - requests.front().strength));
    painted = (painted + shining * (images - held)).clamp(-1.0, 1.0);
  }
  // A seam of two pixels on the real side.
  const torch::Tensor share = torch::maximum(repaint, at::avg_pool2d(repaint, {5, 5}, {1, 1}, {2, 2}));
  return images + share * (painted - images);
}

void Painter::paint(const std::vector<PaintRequest>& requests,
                    const std::function<void(std::size_t, const torch::Tensor&)>& done) {
  for (const PaintRequest& request : requests) check(request);
  // Threads paint batches of their own; a batch is of one size, and no larger than leaves work for every thread.
  const bool on_processor = tensor::parse_device(options_.compute.device).is_cpu();
  const std::size_t threads = on_processor ? static_cast<std::size_t>(torch::get_num_threads()) : 1;
  const std::size_t share = (requests.size() + threads - 1) / threads;
  const std::size_t most = std::clamp<std::size_t>(share, 1, static_cast<std::size_t>(options_.batch));
  std::size_t first = 0;
  while (first < requests.size()) {
    if (interrupt_requested()) throw Interrupted("stopped while painting");
    std::vector<std::size_t> starts;  // of the batches painted side by side
    std::size_t end = first;
    while (end < requests.size() && starts.size() < threads) {
      starts.push_back(end);
      const std::size_t start = end++;
      while (end < requests.size() && end - start < most && together(requests[start], requests[end])) ++end;
    }
    starts.push_back(end);
    const std::size_t pieces = starts.size() - 1;
    std::vector<torch::Tensor> images(pieces);
    std::vector<PaintTimes> times(pieces);
    tensor::side_by_side(pieces, static_cast<int>(threads / pieces), [&](std::size_t i) {
      images[i] = paint_batch(std::span(requests).subspan(starts[i], starts[i + 1] - starts[i]), times[i]);
    });
    for (std::size_t i = 0; i < pieces; ++i) {
      if (!images[i].isfinite().all().item<bool>()) {
        throw DataError("model", std::format("what it paints from layout {} is not a number", starts[i]),
                        "its weights are broken, or it was not made for this sampler");
      }
      times_.layout_encoder += times[i].layout_encoder;
      times_.encoder += times[i].encoder;
      times_.unet += times[i].unet;
      times_.decoder += times[i].decoder;
      for (std::size_t k = starts[i]; k < starts[i + 1]; ++k)
        done(k, images[i][static_cast<std::int64_t>(k - starts[i])]);
    }
    first = end;
  }
}

}  // namespace terragen::synthesis
