#include "terragen/training/train_job.h"

#include <algorithm>
#include <cmath>
#include <format>
#include <functional>
#include <map>
#include <memory>

#include "terragen/core/error.h"
#include "terragen/core/require_share.h"
#include "terragen/models/model_io.h"
#include "terragen/pretrained/weights_hash.h"
#include "terragen/shards/shard_reader.h"
#include "terragen/training/classification_task.h"
#include "terragen/training/starting_model.h"

namespace terragen::training {
namespace {

// Every key of a job beside the member it sets: reading, writing and refusing unknown keys come from one table.
class Keys {
 public:
  explicit Keys(TrainJob& job) {
    add("model", job.model);
    add_path("shards", job.shards);
    add_path("run", job.run);
    add_path("from", job.from);
    add_path("reference_weights", job.reference_weights);
    add("autoencoder_only", job.autoencoder_only);
    add("batch", job.batch);
    add("crop", job.crop);
    add("loader_threads", job.loader_threads);
    add("scale_jitter", job.scale_jitter);
    add("balance", job.balance);
    add("most_synthetic", job.most_synthetic);
    add("real_last", job.real_last);
    add("class_share", job.class_share);
    add("cycle", job.cycle);
    add("steps", job.trainer.steps);
    add("learning_rate", job.trainer.learning_rate);
    add("weight_decay", job.trainer.weight_decay);
    add("warmup_steps", job.trainer.warmup_steps);
    add("final_rate_share", job.trainer.final_rate_share);
    add("clip_norm", job.trainer.clip_norm);
    add("ema_decay", job.trainer.ema_decay);
    add("seed", job.trainer.seed);
    add("log_every", job.trainer.log_every);
    add("preview_every", job.trainer.preview_every);
    add("checkpoint_every", job.trainer.checkpoint_every);
    add("stop_after", job.trainer.stop_after);
    add("stop_after_seconds", job.trainer.stop_after_seconds);
    add("resume", job.trainer.resume);
    add("data_parallel", job.trainer.data_parallel);
    add("device", job.compute.device);
    add("precision", job.compute.precision);
    add("threads", job.compute.threads);
    add("difference_weight", job.autoencoder_loss.difference_weight);
    add("kl_weight", job.autoencoder_loss.kl_weight);
    add("latent_noise", job.latent_noise);
    add("denoise_steps", job.denoise_steps);
    add("object_weight", job.generator_loss.object_weight);
    add("weight_exponent", job.generator_loss.weight_exponent);
    add("drop_layout", job.generator_loss.drop_layout);
    add("drop_task", job.generator_loss.drop_task);
    add("drop_metadata", job.generator_loss.drop_metadata);
    add("drop_all", job.generator_loss.drop_all);
    add("inpaint_share", job.generator_loss.inpaint_share);
    add("labelled_only", job.generator_loss.labelled_only);
    add("reference_share", job.generator_loss.reference_share);
    add("transplant_share", job.generator_loss.transplant_share);
    add("drop_reference", job.generator_loss.drop_reference);
    add("drop_text", job.generator_loss.drop_text);
    add("tuning", job.generator_loss.tuning);
    add("lora_rank", job.generator_loss.lora_rank);
    add("min_snr_gamma", job.generator_loss.min_snr_gamma);
    add("adversarial_weight", job.generator_loss.adversarial.weight);
    add("adversarial_rate_factor", job.generator_loss.adversarial.rate_factor);
    add("adversarial_lowest", job.generator_loss.adversarial.lowest);
    add("adversarial_highest", job.generator_loss.adversarial.highest);
    add("architecture", job.architecture);
    add("colour_jitter", job.perception.colour_jitter);
    add("blur", job.perception.blur);
    add("dice_weight", job.perception.dice_weight);
    add("latent_channels", job.latent_channels);
    add("patch_size", job.patch_size);
    add("autoencoder_attention", job.autoencoder_attention);
    add("autoencoder_channels", job.autoencoder_channels);
    add("unet_channels", job.unet_channels);
    add("layout_channels", job.layout_channels);
    add("prediction_type", job.prediction_type);
    add("vector_branch", job.vector_branch);
    add("raster_branch", job.raster_branch);
    add("single_scale", job.single_scale);
  }
  void read(const Json& value, const std::string& place) const {
    if (!value.is_object()) throw DataError(place, "is no JSON object");
    for (const auto& [key, ignored] : value.items()) {
      if (!members_.contains(key)) throw DataError(place, std::format("key \"{}\" is not known", key));
    }
    for (const auto& [key, member] : members_) {
      if (value.contains(key)) member.read(value, place);
    }
  }
  Json write() const {
    Json json = Json::object();
    for (const auto& [key, member] : members_) json[key] = member.write();
    return json;
  }

 private:
  struct Member {
    std::function<void(const Json&, const std::string&)> read;
    std::function<Json()> write;
  };
  template <class T>
  void add(const std::string& key, T& member) {
    members_[key] = {
        [key, &member](const Json& value, const std::string& place) { member = json_member<T>(value, key, place); },
        [&member] { return Json(member); }};
  }
  void add_path(const std::string& key, std::filesystem::path& member) {
    members_[key] = {[key, &member](const Json& value, const std::string& place) {
                       member = json_member<std::string>(value, key, place);
                     },
                     [&member] { return Json(member.string()); }};
  }
  std::map<std::string, Member> members_;
};

models::ImageInfo image_info(const shards::ShardSet& set) {
  models::ImageInfo info;
  info.data_type = set.data_type;
  for (const shards::ShardBand& band : set.bands) info.bands.push_back({band.name, band.low, band.high});
  return info;
}

Json data_of(const shards::ShardSet& set) {
  Json data = Json::array();
  for (const shards::ShardSource& source : set.sources) {
    data.push_back({{"dataset", source.dataset}, {"samples", source.samples}, {"places", source.places}});
  }
  return data;
}

// Adds to a model's card what this job trains it on, with licences, and the job's settings (not the folders it ran in).
// What earlier stages were trained on stays: their data are in the weights, too.
void tell_of(const TrainJob& job, const shards::ShardSet& set, Json& card) {
  if (!card.contains("trained_on")) card["trained_on"] = Json::array();
  for (const shards::ShardSource& source : set.sources) {
    const Json told{{"dataset", source.dataset},         {"task", source.task},       {"licence", source.licence},
                    {"attribution", source.attribution}, {"samples", source.samples}, {"places", source.places}};
    if (std::ranges::find(card["trained_on"], told) == card["trained_on"].end()) card["trained_on"].push_back(told);
  }
  Json settings = to_json(job);
  for (const char* local : {"shards", "run", "from", "reference_weights"}) settings.erase(local);
  settings["data"] = data_of(set);
  if (!set.dataset_sha256.empty()) settings["dataset_sha256"] = set.dataset_sha256;
  card["stages"].push_back(std::move(settings));
}

// A run goes on with the settings, data and starting model it was begun with. What may differ is where it runs, and
// how often it says or keeps something.
TrainerOptions trainer_options(const TrainJob& job, const shards::ShardSet& set, const std::string& from_hash) {
  TrainerOptions options = job.trainer;
  options.agreed = to_json(job);
  for (const char* free :
       {"shards", "run", "from", "reference_weights", "loader_threads", "threads", "device", "resume", "log_every",
        "preview_every", "checkpoint_every", "stop_after", "stop_after_seconds"}) {
    options.agreed.erase(free);
  }
  options.agreed["from_sha256"] = from_hash;
  if (!job.reference_weights.empty()) {
    options.agreed["reference_weights_sha256"] = pretrained::weights_sha256(job.reference_weights);
  }
  options.agreed["data"] = data_of(set);
  if (!set.dataset_sha256.empty()) options.agreed["dataset_sha256"] = set.dataset_sha256;
  return options;
}

models::AutoencoderKL new_autoencoder(const TrainJob& job, std::int64_t bands) {
  models::AutoencoderConfig config;
  config.in_channels = config.out_channels = bands;
  config.block_out_channels = job.autoencoder_channels;
  config.layers_per_block = 1;
  config.latent_channels = job.latent_channels;
  config.norm_num_groups = norm_groups(job.autoencoder_channels);
  config.patch_size = job.patch_size;
  config.linear_shortcut = true;
  config.use_quant_conv = config.use_post_quant_conv = false;
  config.mid_block_add_attention = job.autoencoder_attention;
  return models::AutoencoderKL(config);
}

shards::LoaderOptions loader_options(const TrainJob& job) {
  shards::LoaderOptions options;
  options.batch = job.batch;
  options.seed = job.trainer.seed;
  options.threads = job.loader_threads;
  options.cycle = job.cycle;
  options.augment.crop = job.crop;
  options.augment.scale_jitter = job.scale_jitter;
  options.augment.class_share = job.class_share;
  options.balance = job.balance;
  options.most_synthetic = job.most_synthetic;
  if (job.real_last > 0) options.real_from = std::llround(static_cast<double>(job.trainer.steps) * (1 - job.real_last));
  return options;
}

// The same few validation samples (training ones where there are none) for every preview: spread over the data, each
// the first from its place on that shows an object in its crop.
shards::Batch shown_samples(const TrainJob& job, const shards::ShardReader& train, std::size_t count) {
  const shards::ShardReader held_out(job.shards, "val");
  const shards::ShardReader& reader = held_out.size() > 0 ? held_out : train;
  std::vector<shards::Sample> samples;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t first = i * reader.size() / count;
    const std::size_t end = std::max(first + 1, (i + 1) * reader.size() / count);
    shards::Sample chosen = shards::centre_crop(reader.get(first), job.crop);
    for (std::size_t k = first + 1; k < end && chosen.layout.features.empty() && !chosen.layout.mask; ++k) {
      shards::Sample next = shards::centre_crop(reader.get(k), job.crop);
      if (!next.layout.features.empty() || next.layout.mask) chosen = std::move(next);
    }
    samples.push_back(std::move(chosen));
  }
  return shards::collate(samples);
}

void require_crop(const TrainJob& job, const models::AutoencoderKLImpl& autoencoder) {
  const std::int64_t cell = autoencoder.config().downscale();
  if (job.crop % cell != 0) throw RequestError(std::format("crops of {} pixels are no multiple of {}", job.crop, cell));
}

TrainingEnd train_autoencoder(const TrainJob& job, const shards::ShardReader& reader, shards::Loader& loader) {
  models::AutoencoderKL autoencoder{nullptr};
  Json card = Json::object();
  std::string from_hash;
  std::vector<torch::Tensor> images;
  for (std::int64_t i = 0; std::ssize(images) * job.batch < 96; ++i) images.push_back(loader.batch_of(-1 - i).images);
  if (!job.from.empty()) {
    const models::ModelFolder model = models::load_model(job.from);
    if (!model.autoencoder) throw RequestError(std::format("{} holds no autoencoder", job.from.string()));
    check_bands_fit(model, reader.set(), job);
    autoencoder = model.autoencoder;
    card = model.card;
    from_hash = model.hash;
  } else {
    autoencoder = new_autoencoder(job, std::ssize(reader.set().bands));
    autoencoder->fit_shortcut(torch::cat(images));
  }
  require_crop(job, *autoencoder);
  tell_of(job, reader.set(), card);
  AutoencoderTask task(autoencoder, image_info(reader.set()), card, torch::cat(images), job.autoencoder_loss);
  return Trainer(task, loader, job.run, trainer_options(job, reader.set(), from_hash), job.compute).train();
}

// A decoder learns the values that the model paints: those of other data are not the same numbers.
void require_same_values(const models::ModelFolder& model, const shards::ShardSet& set, const TrainJob& job) {
  const models::ImageInfo data = image_info(set);
  const auto same = [](const models::BandRange& a, const models::BandRange& b) {
    return a.name == b.name && a.low == b.low && a.high == b.high;
  };
  if (data.data_type == model.images.data_type && std::ranges::equal(data.bands, model.images.bands, same)) return;
  throw RequestError(std::format("{} paints other bands or value ranges than the data have", job.from.string()),
                     "train on the data of its generator, or give images.band_names and images.range in the recipe");
}

TrainingEnd train_decoder(const TrainJob& job, const shards::ShardReader& reader, shards::Loader& loader) {
  if (job.from.empty()) {
    throw RequestError("a decoder is trained on an autoencoder's latents", "name the model that holds it with --from");
  }
  models::ModelFolder model = models::load_model(job.from);
  if (!model.autoencoder) throw RequestError(std::format("{} holds no autoencoder", job.from.string()));
  check_bands_fit(model, reader.set(), job);
  require_same_values(model, reader.set(), job);
  require_crop(job, *model.autoencoder);
  // The data need not show all that the model paints: what it is saved with stays as it was.
  models::ModelFolder painter = model;
  fit_classes(painter, reader.set());
  const DecoderTaskOptions options{.difference_weight = job.autoencoder_loss.difference_weight,
                                   .latent_noise = job.latent_noise,
                                   .denoise_steps = job.denoise_steps,
                                   .adversarial_weight = job.generator_loss.adversarial.weight,
                                   .rate_factor = job.generator_loss.adversarial.rate_factor};
  tell_of(job, reader.set(), model.card);
  DecoderTask task(model, painter.layout_encoder, shown_samples(job, reader, 8), options);
  return Trainer(task, loader, job.run, trainer_options(job, reader.set(), model.hash), job.compute).train();
}

TrainingEnd train_generator(const TrainJob& job, const shards::ShardReader& reader, shards::Loader& loader) {
  if (job.from.empty()) {
    throw RequestError("a generator needs an autoencoder to start from",
                       "train one with `terragen train autoencoder` and name its model with --from");
  }
  const shards::ShardSet& set = reader.set();
  models::ModelFolder model = starting_model(job, set);
  model.images = image_info(set);
  model.dense_tasks = set.dense_tasks;
  tell_of(job, set, model.card);
  GeneratorTask task(model, shown_samples(job, reader, 8), job.generator_loss);
  return Trainer(task, loader, job.run, trainer_options(job, set, model.hash), job.compute).train();
}

void require_objects(const shards::ShardReader& reader) {
  for (std::size_t i = 0; i < reader.size(); ++i) {
    if (!reader.layout(i).features.empty()) return;
  }
  throw RequestError("the data hold no objects, and a detector learns from nothing else",
                     "dense masks are for `terragen train segmenter`");
}

// Where every task is labelled by full masks of several classes nothing is left to be background.
bool needs_background(const TrainJob& job, const shards::ShardSet& set) {
  if (job.model == "detector") return false;
  const bool partly = set.dense_tasks.size() < set.tasks.size();
  return partly || (job.model == "segmenter" && set.taxonomy.size() == 1);
}

TrainingEnd train_perception(const TrainJob& job, const shards::ShardReader& reader, shards::Loader& loader) {
  const shards::ShardSet& set = reader.set();
  const bool classifier = job.model == "classifier";  // which cuts windows of its own
  if (job.model == "detector") require_objects(reader);
  if (!classifier && job.crop % 32 != 0) {
    throw RequestError(std::format("crops of {} pixels are no multiple of 32", job.crop));
  }
  models::PerceptionModel model;
  if (!job.from.empty()) {
    model = models::load_perception_model(job.from);
    if (!(model.config.taxonomy == set.taxonomy) || model.config.images.bands.size() != set.bands.size()) {
      throw RequestError(std::format("{} knows other classes or bands than the data", job.from.string()));
    }
    const models::ImageInfo images = image_info(set);
    for (std::size_t b = 0; b < images.bands.size(); ++b) {
      const std::string& known = model.config.images.bands[b].name;
      if (images.bands[b].name == known) continue;
      throw RequestError(
          std::format("band {} is {} in the data and {} in {}", b + 1, images.bands[b].name, known, job.from.string()));
    }
    model.config.images = images;  // the data's own ranges are what it is trained on from here
    if (needs_background(job, set) && !model.config.background) {
      throw RequestError(
          std::format("{} has no background class, and the data label things before a background", job.from.string()));
    }
    if (!job.architecture.empty() && job.architecture != model.config.architecture) {
      throw RequestError(
          std::format("{} is a {}, not a {}", job.from.string(), model.config.architecture, job.architecture));
    }
  } else {
    models::PerceptionConfig config{.architecture = job.architecture, .taxonomy = set.taxonomy};
    if (config.architecture.empty()) {
      config.architecture = classifier ? "resnet18" : job.model == "segmenter" ? "segformer-b0" : "fcos-resnet18";
    }
    config.images = image_info(set);
    config.background = needs_background(job, set);
    model = models::new_perception_model(config);
  }
  if (job.model != model.config.kind()) {
    throw RequestError(std::format("a {} is no {}", model.config.architecture, job.model));
  }
  // Whose batch normalisation goes down to the deepest level.
  const bool deep = model.config.architecture != "segformer-b0" && !classifier;
  if (deep && job.crop == 32 && job.batch < 2 * job.trainer.data_parallel) {
    throw RequestError("one crop of 32 pixels is one cell of the deepest level, and no statistic can be taken of it",
                       "use larger crops, or a larger batch");
  }
  if (classifier && model.config.outputs() < 2) {
    throw RequestError("the data have one class and no background: there is nothing to tell apart");
  }
  tell_of(job, set, model.config.card);
  if (classifier) {
    ClassificationTask task(model, shown_samples(job, reader, 8), job.perception);
    return Trainer(task, loader, job.run, trainer_options(job, set, model.hash), job.compute).train();
  }
  PerceptionTask task(model, shown_samples(job, reader, 8), job.perception);
  return Trainer(task, loader, job.run, trainer_options(job, set, model.hash), job.compute).train();
}

}  // namespace

TrainJob train_job_from_json(const Json& value, const std::string& place) {
  TrainJob job;
  Keys(job).read(value, place);
  return job;
}

Json to_json(const TrainJob& job) {
  TrainJob copy = job;
  return Keys(copy).write();
}

TrainingEnd run_train_job(const TrainJob& job) {
  job.compute.validate();
  job.trainer.validate();
  job.generator_loss.validate();
  require_share("real_last", job.real_last);
  using Train = TrainingEnd (*)(const TrainJob&, const shards::ShardReader&, shards::Loader&);
  const std::map<std::string, Train> models{{"generator", train_generator}, {"autoencoder", train_autoencoder},
                                            {"decoder", train_decoder},     {"segmenter", train_perception},
                                            {"detector", train_perception}, {"classifier", train_perception}};
  const auto train = models.find(job.model);
  if (train == models.end()) {
    throw RequestError(std::format("a model \"{}\" cannot be trained", job.model),
                       "choose generator, autoencoder, decoder, segmenter, detector or classifier");
  }
  tensor::set_threads(job.compute.threads);
  torch::manual_seed(job.trainer.seed);  // the new layers' first weights
  const shards::ShardReader reader(job.shards, "train");
  shards::Loader loader(reader, loader_options(job));
  return train->second(job, reader, loader);
}

}  // namespace terragen::training
