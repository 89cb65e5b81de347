#include "terragen/training/starting_model.h"

#include <algorithm>
#include <format>

#include "terragen/core/error.h"
#include "terragen/diffusion/scheduler_config.h"
#include "terragen/models/layout_encoder_transfer.h"
#include "terragen/pretrained/clip_vision.h"
#include "terragen/pretrained/layout_adapter.h"
#include "terragen/pretrained/weights_hash.h"

namespace terragen::training {
namespace {

// The data's classes, and the one of what is told by a picture.
layout::Taxonomy classes_of(const shards::ShardSet& set, bool references) {
  std::vector<layout::ClassInfo> classes = set.taxonomy.classes();
  if (references && set.taxonomy.find(models::kReferenceClass) < 0) {
    classes.push_back({models::kReferenceClass, {255, 0, 255}});
  }
  return layout::Taxonomy(std::move(classes));
}

// Without a word of the user's 64, 96, 128, and 128 for every level below.
std::vector<std::int64_t> layout_channels_of(const TrainJob& job, std::size_t levels) {
  if (!job.layout_channels.empty()) return job.layout_channels;
  std::vector<std::int64_t> channels{64, 96, 128};
  channels.resize(levels, 128);
  return channels;
}

models::LayoutEncoderConfig layout_config(const TrainJob& job, const shards::ShardSet& set, std::size_t levels) {
  models::LayoutEncoderConfig config;
  config.taxonomy = classes_of(set, job.generator_loss.reference_share > 0);
  config.tasks = set.tasks;
  config.channels = layout_channels_of(job, levels);
  config.vector_branch = job.vector_branch;
  config.raster_branch = job.raster_branch;
  return config;
}

models::UNet2DConditionModel new_unet(const TrainJob& job, std::int64_t latent_channels,
                                      const models::LayoutEncoderConfig& layout) {
  const std::size_t levels = job.unet_channels.size();
  models::UNetConfig config;
  config.in_channels = 2 * latent_channels + 1;  // noisy latent, masked latent, mask
  config.out_channels = latent_channels;
  config.block_out_channels = job.unet_channels;
  // Attention from the second level on: at the first it would cost more than all convolutions.
  config.down_block_types.assign(levels, "CrossAttnDownBlock2D");
  config.up_block_types.assign(levels, "CrossAttnUpBlock2D");
  config.down_block_types.front() = "DownBlock2D";
  config.up_block_types.back() = "UpBlock2D";
  config.layers_per_block = 1;
  config.attention_head_dim.clear();
  for (const std::int64_t c : job.unet_channels) config.attention_head_dim.push_back(std::max<std::int64_t>(1, c / 32));
  config.cross_attention_dim = 0;
  config.norm_num_groups = norm_groups(job.unet_channels);
  config.layout_channels = layout.channels;
  config.layout_token_dim = job.vector_branch ? layout.token_dim : 0;
  config.layout_single_scale = job.single_scale;
  return models::UNet2DConditionModel(config);
}

void add_new_generator(const TrainJob& job, const shards::ShardSet& set, models::ModelFolder& model) {
  if (job.unet_channels.empty()) throw RequestError("a U-Net without a level: --unet-channels names none");
  models::LayoutEncoderConfig layout = layout_config(job, set, job.unet_channels.size());
  layout.time_dim = 4 * job.unet_channels.front();
  layout.latent_cell = static_cast<int>(model.autoencoder->config().downscale());
  model.layout_encoder = models::LayoutEncoder(layout);
  model.unet = new_unet(job, model.autoencoder->config().latent_channels, layout);
  diffusion::SchedulerConfig scheduler;
  scheduler.prediction_type = job.prediction_type;
  scheduler.timestep_spacing = "trailing";
  // Velocity can start from pure noise; an epsilon model says nothing there.
  scheduler.rescale_betas_zero_snr = job.prediction_type == "v_prediction";
  scheduler.validate();
  model.scheduler = diffusion::to_json(scheduler);
}

// What a user asked of a network that is there already must be what it is. `asked` other than the default was asked.
template <class T>
void require_as_asked(const TrainJob& job, const char* option, const T& asked, const T& untold, const T& held) {
  if (asked == untold || asked == held) return;
  throw RequestError(std::format("{} brings its own network, which {} cannot change", job.from.string(), option),
                     "leave the option out, or take nothing but the autoencoder: --autoencoder-only");
}

void check_network_options(const TrainJob& job, const models::ModelFolder& model) {
  const TrainJob untold;
  const models::UNetConfig& unet = model.unet->config();
  require_as_asked(job, "--unet-channels", job.unet_channels, untold.unet_channels, unet.block_out_channels);
  require_as_asked(job, "--prediction", job.prediction_type, untold.prediction_type,
                   diffusion::scheduler_config_from_json(model.scheduler, job.from.string()).prediction_type);
  require_as_asked(job, "--single-scale", job.single_scale, untold.single_scale, unet.layout_single_scale);
  if (!model.layout_encoder) return;
  const models::LayoutEncoderConfig& layout = model.layout_encoder->config();
  require_as_asked(job, "--layout-channels", job.layout_channels, untold.layout_channels, layout.channels);
  require_as_asked(job, "--no-vector-branch", job.vector_branch, untold.vector_branch, layout.vector_branch);
  require_as_asked(job, "--no-raster-branch", job.raster_branch, untold.raster_branch, layout.raster_branch);
}

models::ModelFolder published_model(const TrainJob& job, const shards::ShardSet& set) {
  pretrained::Checkpoint published = pretrained::load_checkpoint(job.from);
  if (job.autoencoder_only) {
    models::ModelFolder model;
    model.autoencoder = published.autoencoder;
    model.hash = pretrained::weights_sha256(job.from);
    return model;
  }
  const std::size_t levels = published.unet->config().block_out_channels.size();
  models::ModelFolder model =
      pretrained::with_layouts(std::move(published), layout_config(job, set, levels), job.from.string());
  model.hash = pretrained::weights_sha256(job.from);
  // Not ours to say what it was trained on.
  model.card = {{"started_from", std::filesystem::weakly_canonical(job.from).filename().string()}};
  return model;
}

models::ReferenceEncoder new_reference_encoder(const TrainJob& job, models::ReferenceEncoderConfig config) {
  if (job.reference_weights.empty()) return models::ReferenceEncoder(config);
  const models::ClipVisionModel vision = pretrained::load_clip_vision(job.reference_weights);
  config.vision = vision->config();
  config.size = vision->config().image_size;
  models::ReferenceEncoder encoder(config);
  encoder->adopt_vision(vision);
  return encoder;
}

}  // namespace

std::int64_t norm_groups(const std::vector<std::int64_t>& channels) {
  for (const std::int64_t groups : {32, 16, 8, 4, 2}) {
    if (std::ranges::all_of(channels, [&](std::int64_t c) { return c > 0 && c % groups == 0; })) return groups;
  }
  throw RequestError("the channels of a level must be positive and even");
}

void check_bands_fit(const models::ModelFolder& model, const shards::ShardSet& set, const TrainJob& job) {
  if (static_cast<std::size_t>(model.autoencoder->config().in_channels) != set.bands.size()) {
    throw RequestError(std::format("{} is for {} bands, the data have {}", job.from.string(),
                                   model.autoencoder->config().in_channels, set.bands.size()));
  }
}

void fit_classes(models::ModelFolder& model, const shards::ShardSet& set, bool references) {
  if (!model.layout_encoder) return;
  const auto& config = model.layout_encoder->config();
  const layout::Taxonomy taxonomy = classes_of(set, references || model.reference_encoder);
  if (config.taxonomy == taxonomy && config.tasks == set.tasks) return;
  model.layout_encoder = models::with_classes(model.layout_encoder, taxonomy, set.tasks);
}

models::ModelFolder starting_model(const TrainJob& job, const shards::ShardSet& set) {
  models::ModelFolder model =
      pretrained::is_published(job.from) ? published_model(job, set) : models::load_model(job.from);
  if (!model.autoencoder) throw RequestError(std::format("{} holds no autoencoder", job.from.string()));
  check_bands_fit(model, set, job);
  if (job.autoencoder_only) {
    model.unet = nullptr;
    model.layout_encoder = nullptr;
    model.reference_encoder = nullptr;
    model.captions = nullptr;
  }
  const bool references = job.generator_loss.reference_share > 0;
  fit_classes(model, set, references);
  if (model.unet) {
    check_network_options(job, model);
  } else {
    add_new_generator(job, set, model);
  }
  const std::int64_t step = model.autoencoder->config().downscale()
                            << (model.unet->config().block_out_channels.size() - 1);
  if (job.crop % step != 0) throw RequestError(std::format("crops of {} pixels are no multiple of {}", job.crop, step));
  if (!job.reference_weights.empty() && (!references || model.reference_encoder)) {
    throw RequestError("an image encoder is for a new reference encoder",
                       references ? "this model has one already" : "train with --reference-share");
  }
  if (references && !model.reference_encoder) {
    if (model.unet->config().layout_token_dim == 0) {
      throw RequestError("references are told by tokens, and this network takes none", "train with the vector branch");
    }
    model.reference_encoder = new_reference_encoder(
        job, {.bands = std::ssize(set.bands), .token_dim = model.unet->config().layout_token_dim});
  }
  return model;
}

}  // namespace terragen::training
