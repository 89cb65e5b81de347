#include "terragen/training/generator_task.h"

#include <algorithm>
#include <cmath>
#include <format>

#include "terragen/core/error.h"
#include "terragen/core/require_share.h"
#include "terragen/core/seed.h"
#include "terragen/diffusion/objective.h"
#include "terragen/diffusion/sampling_loop.h"
#include "terragen/layout/caption.h"
#include "terragen/models/low_rank.h"
#include "terragen/shards/drawn_mask.h"
#include "terragen/tensor/device.h"
#include "terragen/tensor/seeded_noise.h"
#include "terragen/training/sample_grid.h"

namespace terragen::training {
namespace {

// Streams of a step's seed, so that one draw never shifts another.
enum Stream : std::uint64_t { kTime, kNoise, kDrop, kInpaint, kAdversary, kReference, kDropReference, kDropText };

// What is to be painted anew, on the latent's cells: [N, 1, h, w], 1 = paint. Half rectangles over part of the
// image, half discs strung along a random walk.
torch::Tensor inpaint_mask(const torch::Tensor& like, double share, std::uint64_t seed) {
  const std::int64_t n = like.size(0);
  const std::int64_t h = like.size(2);
  const std::int64_t w = like.size(3);
  torch::Tensor mask = torch::ones({n, 1, h, w});
  for (std::int64_t i = 0; i < n; ++i) {
    Random random(derive_seed(seed, static_cast<std::uint64_t>(i)));
    if (!random.chance(share)) continue;
    torch::Tensor one = mask[i][0];
    one.zero_();
    if (random.chance(0.5)) {
      const std::int64_t mh =
          std::max<std::int64_t>(1, static_cast<std::int64_t>(random.uniform(0.2, 0.7) * static_cast<double>(h)));
      const std::int64_t mw =
          std::max<std::int64_t>(1, static_cast<std::int64_t>(random.uniform(0.2, 0.7) * static_cast<double>(w)));
      const std::int64_t y = random.below(h - mh + 1);
      const std::int64_t x = random.below(w - mw + 1);
      one.slice(0, y, y + mh).slice(1, x, x + mw).fill_(1.0);
      continue;
    }
    double y = random.uniform(0, static_cast<double>(h));
    double x = random.uniform(0, static_cast<double>(w));
    for (int step = 0; step < 6; ++step) {
      const double radius = random.uniform(0.06, 0.16) * static_cast<double>(std::min(h, w));
      shards::draw_disc(one, x, y, radius);
      y = std::clamp(y + random.uniform(-0.2, 0.2) * static_cast<double>(h), 0.0, static_cast<double>(h));
      x = std::clamp(x + random.uniform(-0.2, 0.2) * static_cast<double>(w), 0.0, static_cast<double>(w));
    }
  }
  return mask;
}

// [N, 1, S, S], see shards::labelled_mask.
torch::Tensor labelled_of(const std::vector<layout::Layout>& layouts) {
  std::vector<torch::Tensor> labelled;
  for (const layout::Layout& layout : layouts) labelled.push_back(shards::labelled_mask(layout));
  return torch::stack(labelled).unsqueeze(1);
}

}  // namespace

void GeneratorTaskOptions::validate() const {
  require_share("drop_layout", drop_layout);
  require_share("drop_task", drop_task);
  require_share("drop_metadata", drop_metadata);
  require_share("drop_all", drop_all);
  require_share("inpaint_share", inpaint_share);
  require_share("reference_share", reference_share);
  require_share("transplant_share", transplant_share);
  require_share("drop_reference", drop_reference);
  require_share("drop_text", drop_text);
  if (tuning != "full" && tuning != "adapter" && tuning != "lora") {
    throw RequestError(std::format("tuning \"{}\" is not known", tuning), "choose full, adapter or lora");
  }
  if (tuning == "lora" && adversarial.weight > 0) {
    throw RequestError("a low-rank adaptation is not trained against a discriminator",
                       "choose --tuning full or adapter");
  }
  if (!(object_weight >= 0))
    throw RequestError(std::format("object_weight is {}, it must not be negative", object_weight));
  if (!(weight_exponent >= 0))
    throw RequestError(std::format("weight_exponent is {}, it must not be negative", weight_exponent));
  adversarial.validate();
  if (!(min_snr_gamma >= 0))
    throw RequestError(std::format("min_snr_gamma is {}, it must not be negative", min_snr_gamma));
}

GeneratorTask::GeneratorTask(models::ModelFolder model, shards::Batch shown, GeneratorTaskOptions options)
    : model_(std::move(model)),
      schedule_(diffusion::scheduler_config_from_json(model_.scheduler, "scheduler")),
      shown_(std::move(shown)),
      options_(options) {
  options_.validate();
  if (!model_.autoencoder || !model_.unet || !model_.layout_encoder) {
    throw InternalError("[GeneratorTask] the model lacks a part");
  }
  trained_ = std::make_shared<torch::nn::Module>("generator");
  freeze_what_is_not_tuned();
  trained_->register_module("unet", model_.unet.ptr());
  trained_->register_module("layout_encoder", model_.layout_encoder.ptr());
  if (options_.reference_share > 0 && !model_.reference_encoder) {
    throw InternalError("[GeneratorTask] the model has no reference encoder");
  }
  if (model_.reference_encoder) trained_->register_module("reference_encoder", model_.reference_encoder.ptr());
  if (options_.adversarial.weight > 0) {
    adversary_ = std::make_unique<AdversarialTerm>(model_.unet, schedule_, options_.adversarial);
    trained_->register_module("discriminator", adversary_->discriminator().ptr());
    // The trained network's estimates are samples: it is to be followed by ancestral steps, and few of them.
    model_.scheduler["_class_name"] = "DDPMScheduler";
  }
  for (torch::Tensor& parameter : model_.autoencoder->parameters()) parameter.set_requires_grad(false);
  model_.autoencoder->eval();
}

void GeneratorTask::freeze_what_is_not_tuned() {
  if (options_.tuning == "full") return;
  for (auto& item : model_.unet->named_parameters()) {
    const std::string& name = item.key();
    item.value().set_requires_grad(name.find("layout") != std::string::npos || name.starts_with("conv_in."));
  }
  if (options_.tuning == "lora") models::add_low_rank(*model_.unet, options_.lora_rank);
}

torch::Tensor GeneratorTask::latents_of(const shards::Batch& batch, const torch::Device& device) {
  const torch::NoGradGuard no_grad;
  if (batch.key >= 0) {
    const std::scoped_lock lock(latents_mutex_);
    const auto kept = latents_.find(batch.key);
    if (kept != latents_.end()) return kept->second.to(device, torch::kFloat32);
  }
  if (model_.autoencoder->parameters().front().device() != device) model_.autoencoder->to(device);
  const torch::Tensor images = batch.images.to(device).contiguous(at::MemoryFormat::ChannelsLast);
  const torch::Tensor latents = model_.autoencoder->normalise(model_.autoencoder->encode(images).mean);
  if (batch.key < 0) return latents;
  // Rounded at first use too, so that a run that was continued sees the same latents as one that was not.
  const torch::Tensor rounded = latents.to(torch::kCPU, torch::kFloat16);
  const std::scoped_lock lock(latents_mutex_);
  latents_.emplace(batch.key, rounded);
  return rounded.to(device, torch::kFloat32);
}

torch::Tensor GeneratorTask::loss(const shards::Batch& batch, std::uint64_t seed, Scalars& scalars) {
  const torch::Device device = model_.unet->parameters().front().device();
  torch::Tensor latents = latents_of(batch, device);
  const std::int64_t n = latents.size(0);
  std::optional<ReferenceDraw> references;
  if (model_.reference_encoder) {
    references = draw_references(batch, reference_options(), derive_seed(seed, kReference));
    latents = transplanted(latents, references->transplants);
  }
  // What a reference shows is named neither in the layout nor in its caption.
  const std::vector<layout::Layout>& layouts = references ? references->layouts : batch.layouts;
  const models::LayoutTensors layout =
      models::layout_tensors(layouts, model_.layout_encoder->config().tensor_options(options_.weight_exponent))
          .to(device);

  torch::Tensor share_of_time = tensor::seeded_uniform({n}, derive_seed(seed, kTime));
  // A few large steps start far from the image, and squared error alone serves near it.
  if (adversary_) share_of_time = share_of_time.sqrt();
  const torch::Tensor t =
      (share_of_time * static_cast<double>(schedule_.steps())).to(torch::kInt64).clamp(0, schedule_.steps() - 1);
  const torch::Tensor noise = tensor::seeded_normal(latents.sizes().vec(), derive_seed(seed, kNoise)).to(device);
  const torch::Tensor draws = tensor::seeded_uniform({4, n}, derive_seed(seed, kDrop));
  const torch::Tensor all = draws[3].lt(options_.drop_all);
  const models::ConditionDrop drop{draws[0].lt(options_.drop_layout).logical_or(all).to(device),
                                   draws[1].lt(options_.drop_task).logical_or(all).to(device),
                                   draws[2].lt(options_.drop_metadata).logical_or(all).to(device)};
  torch::Tensor paint = inpaint_mask(latents, options_.inpaint_share, derive_seed(seed, kInpaint));
  if (references) paint = torch::where(references->present.view({-1, 1, 1, 1}), references->paint, paint);
  paint = paint.to(device);

  const torch::Tensor noisy = schedule_.add_noise(latents, noise, t);
  models::LayoutEncoding encoding = model_.layout_encoder->forward(layout, drop);
  if (references) {
    const torch::Tensor told =
        tensor::seeded_uniform({n}, derive_seed(seed, kDropReference)).ge(options_.drop_reference);
    encoding = models::with_references(encoding, model_.reference_encoder->forward(references->pictures.to(device)),
                                       references->present.logical_and(told).logical_and(all.logical_not()).to(device));
  }
  if (model_.captions) {
    const torch::Tensor told = tensor::seeded_uniform({n}, derive_seed(seed, kDropText)).ge(options_.drop_text);
    encoding.text = texts_of(layouts, told.logical_and(all.logical_not()));
  }
  const torch::Tensor output = model_.unet->forward(torch::cat({noisy, latents * (1.0 - paint), paint}, 1),
                                                    t.to(device), models::condition_of(encoding));
  const auto prediction = json_member<std::string>(model_.scheduler, "prediction_type", "scheduler");
  const torch::Tensor target = diffusion::training_target(schedule_, prediction, latents, noise, t);
  // What is given anyway teaches nothing: only painted cells count.
  const torch::Tensor trained = (options_.labelled_only ? batch.valid * labelled_of(layouts) : batch.valid).to(device);
  const std::int64_t cell = model_.autoencoder->config().downscale();
  const torch::Tensor covered = at::avg_pool2d(trained, {cell, cell}) * paint;
  // w_p = covered_p (1 + lambda object_p), on the latent's cells.
  const torch::Tensor weights = covered * (1.0 + options_.object_weight * layout.object_weight);
  torch::Tensor error = diffusion::weighted_error(output, target, weights);
  {
    const torch::NoGradGuard no_grad;
    const torch::Tensor objects = layout.object_weight.gt(0).to(torch::kFloat32) * covered;
    const torch::Tensor inside = diffusion::weighted_error(output.detach(), target, objects);
    const torch::Tensor has = objects.sum({1, 2, 3}).gt(0).to(torch::kFloat32);
    scalars["loss_inside_objects"] = ((inside * has).sum() / has.sum().clamp_min(1.0)).item<double>();
    scalars["plain_loss"] = (output.detach().to(torch::kFloat32) - target).square().mean().item<double>();
  }
  if (options_.min_snr_gamma > 0) {
    error = error * diffusion::min_snr_weight(schedule_, prediction, t, options_.min_snr_gamma).to(device);
  }
  if (!adversary_) return error.mean();
  // Far from the image the squared error asks for a mean; it keeps a small say there.
  constexpr double kLeastSay = 0.1;
  const torch::Tensor snr = schedule_.snr(t).to(device);
  error = error * (snr / (1.0 + snr)).clamp_min(kLeastSay);
  const torch::Tensor estimate =
      diffusion::predicted_original(schedule_, prediction, noisy, output.to(torch::kFloat32), t);
  const AdversarialLosses losses =
      adversary_->losses(estimate * paint + latents * (1.0 - paint), latents, 1.0 / (1.0 + snr), encoding,
                         derive_seed(seed, kAdversary), scalars);
  return balanced(error.mean(), losses, output, options_.adversarial.weight, scalars);
}

torch::Tensor GeneratorTask::texts_of(const std::vector<layout::Layout>& layouts, const torch::Tensor& told) {
  std::vector<std::string> captions = layout::captions_of(layouts, model_.layout_encoder->config().taxonomy);
  for (std::size_t i = 0; i < captions.size(); ++i) {
    if (!told[static_cast<std::int64_t>(i)].item<bool>()) captions[i].clear();
  }
  model_.captions->to(model_.unet->parameters().front().device());
  return model_.captions->encode(captions);
}

ReferenceDrawOptions GeneratorTask::reference_options() const {
  return {.share = options_.reference_share,
          .transplants = options_.transplant_share,
          .class_index = model_.layout_encoder->config().taxonomy.find(models::kReferenceClass),
          .cell = static_cast<int>(model_.autoencoder->config().downscale()),
          .picture = static_cast<int>(model_.reference_encoder->config().size)};
}

double GeneratorTask::rate_factor(const std::string& parameter) const {
  return parameter.starts_with("discriminator.") ? options_.adversarial.rate_factor : 1.0;
}

void GeneratorTask::write_preview(const std::filesystem::path& png) {
  constexpr double kGuidance = 2.0;  // as images are painted later
  const torch::Device device = model_.unet->parameters().front().device();
  const models::LayoutTensors layout =
      models::layout_tensors(shown_.layouts, model_.layout_encoder->config().tensor_options(options_.weight_exponent))
          .to(device);
  const std::int64_t n = shown_.images.size(0);
  const torch::Tensor all = torch::ones({n}, torch::kBool).to(device);
  const auto condition_of = [&](const models::ConditionDrop& drop, const torch::Tensor& says) {
    models::LayoutEncoding encoding = model_.layout_encoder->forward(layout, drop);
    if (model_.captions) encoding.text = texts_of(shown_.layouts, says);
    return models::condition_of(encoding);
  };
  const models::UNetCondition told = condition_of({}, all);
  const models::UNetCondition untold = condition_of({all, all, all}, all.logical_not());
  const std::int64_t cell = model_.autoencoder->config().downscale();
  const std::vector<std::int64_t> shape{n, model_.autoencoder->config().latent_channels, shown_.images.size(2) / cell,
                                        shown_.images.size(3) / cell};
  const auto noise = [&](std::uint64_t stream) { return tensor::seeded_normal(shape, stream).to(device); };
  const torch::Tensor nothing = torch::zeros(shape, device);
  const torch::Tensor paint = torch::ones({n, 1, shape[2], shape[3]}, device);
  const auto sampler = diffusion::make_sampler(diffusion::scheduler_config_from_json(model_.scheduler, "scheduler"),
                                               adversary_ ? 5 : 20);
  const auto denoise = [&](const torch::Tensor& x, double t) {
    const tensor::AutocastGuard autocast(device.type(), true);
    const auto say = [&](const models::UNetCondition& condition) {
      return model_.unet
          ->forward(torch::cat({x, nothing, paint}, 1), torch::full({n}, t, torch::kFloat32).to(device), condition)
          .to(torch::kFloat32);
    };
    return diffusion::guide(say(untold), say(told), {}, kGuidance, 0.0);
  };
  const torch::Tensor latents = diffusion::sample(*sampler, denoise, noise(0) * sampler->initial_scale(),
                                                  [&](std::size_t step) { return noise(step + 1); });
  const torch::Tensor images = model_.autoencoder->decode(model_.autoencoder->denormalise(latents)).to(torch::kFloat32);
  write_sample_grid(png, {{"layout", layout_pictures(shown_.layouts, model_.layout_encoder->config().taxonomy)},
                          {"real", shown_.images},
                          {"painted", images.cpu()}});
}

void GeneratorTask::save(const std::filesystem::path& folder) { models::save_model(model_, folder); }

Json GeneratorTask::settings() const {
  return {{"task", "generator"},
          {"object_weight", options_.object_weight},
          {"weight_exponent", options_.weight_exponent},
          {"drop_layout", options_.drop_layout},
          {"drop_task", options_.drop_task},
          {"drop_metadata", options_.drop_metadata},
          {"drop_all", options_.drop_all},
          {"inpaint_share", options_.inpaint_share},
          {"labelled_only", options_.labelled_only},
          {"reference_share", options_.reference_share},
          {"transplant_share", options_.transplant_share},
          {"drop_reference", options_.drop_reference},
          {"drop_text", options_.drop_text},
          {"tuning", options_.tuning},
          {"lora_rank", options_.lora_rank},
          {"min_snr_gamma", options_.min_snr_gamma},
          {"adversarial_weight", options_.adversarial.weight},
          {"adversarial_rate_factor", options_.adversarial.rate_factor},
          {"adversarial_lowest", options_.adversarial.lowest},
          {"adversarial_highest", options_.adversarial.highest},
          {"unet", models::to_json(model_.unet->config())},
          {"layout_encoder", models::to_json(model_.layout_encoder->config())},
          {"scheduler", model_.scheduler}};
}

}  // namespace terragen::training
