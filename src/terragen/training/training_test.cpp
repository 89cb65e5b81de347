#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "terragen/core/atomic_file.h"
#include "terragen/core/error.h"
#include "terragen/core/interrupt.h"
#include "terragen/core/test_paths.h"
#include "terragen/models/model_io.h"
#include "terragen/shards/shard_writer.h"
#include "terragen/tensor/seeded_noise.h"
#include "terragen/training/checkpoint.h"
#include "terragen/training/small_job.h"

namespace terragen::training {
namespace {

namespace fs = std::filesystem;

// A handful of small samples with a box each; `broken` puts a value into one that no loss survives, `unlabelled` gives
// them masks that name no class, `high` is the highest value of the band.
void write_shards(const fs::path& folder, bool broken = false, bool unlabelled = false, const std::string& name = "set",
                  const std::string& class_name = "thing", double high = 1) {
  fs::create_directories(folder);
  shards::ShardSet set;
  set.data_type = "float32";
  set.bands = {{"a", -1, high}};
  set.taxonomy = layout::Taxonomy({{class_name, {}}});
  set.tasks = {"detection"};
  set.sources = {{.dataset = name, .task = "detection", .licence = "CC0 1.0", .attribution = "us", .samples = 4}};
  shards::ShardWriter writer(set, folder);
  for (std::uint64_t i = 0; i < 4; ++i) {
    layout::Layout layout{.task = "detection", .width = 32, .height = 32};
    layout.features.push_back({0, layout::make_box({4, 4, 20, 24}), false, {}});
    if (unlabelled) {
      layout.features.clear();
      layout.mask = layout::DenseMask{32, 32, std::vector<std::uint8_t>(32 * 32, layout::kUnlabelled)};
    }
    torch::Tensor image = tensor::seeded_uniform({1, 32, 32}, i) * 2 - 1;
    if (broken) image[0][5][5] = std::numeric_limits<float>::quiet_NaN();
    writer.add("train", image, {}, layout, "set/" + std::to_string(i));
  }
  writer.finish();
}

void expect_same_checkpoint(const fs::path& a, const fs::path& b) {
  for (const char* file : {"model.safetensors", "ema.safetensors", "optimiser.safetensors"}) {
    EXPECT_EQ(read_file(*newest_checkpoint(a) / file), read_file(*newest_checkpoint(b) / file)) << file;
  }
}

TEST(Trainer, TenAndTenStepsAreTwentyBitForBit) {
  const test::ScratchFolder scratch;
  write_shards(scratch.path() / "shards");
  EXPECT_EQ(run_train_job(small_job(scratch.path(), "whole")), TrainingEnd::finished);
  TrainJob parts = small_job(scratch.path(), "parts");
  parts.trainer.stop_after = 10;
  EXPECT_EQ(run_train_job(parts), TrainingEnd::paused);
  EXPECT_THROW(run_train_job(parts), RequestError);  // not without resume
  parts.trainer.resume = true;
  // What a run goes on with is what it was begun with.
  TrainJob other = parts;
  other.crop = 16;
  EXPECT_THROW(run_train_job(other), RequestError);
  other = parts;
  other.trainer.ema_decay = 0.5;
  EXPECT_THROW(run_train_job(other), RequestError);
  other = parts;
  other.shards = scratch.path() / "more";
  write_shards(other.shards, false, false, "other set");
  EXPECT_THROW(run_train_job(other), RequestError);
  EXPECT_EQ(run_train_job(parts), TrainingEnd::finished);
  expect_same_checkpoint(scratch.path() / "whole", scratch.path() / "parts");

  // And for a generator on top of it.
  for (const char* name : {"g-whole", "g-parts"}) {
    TrainJob job = small_job(scratch.path(), name);
    job.model = "generator";
    job.from = scratch.path() / "whole" / "model";
    if (std::string(name) == "g-parts") {
      job.trainer.stop_after = 10;
      run_train_job(job);
      job.trainer.resume = true;
    }
    EXPECT_EQ(run_train_job(job), TrainingEnd::finished);
  }
  expect_same_checkpoint(scratch.path() / "g-whole", scratch.path() / "g-parts");
  EXPECT_TRUE(fs::exists(scratch.path() / "g-parts" / "loss.png"));
  EXPECT_NO_THROW(models::load_model(scratch.path() / "g-parts" / "model"));
}

TEST(Trainer, PartsSideBySideAndACycleAreResumedBitForBitToo) {
  const test::ScratchFolder scratch;
  write_shards(scratch.path() / "shards");
  run_train_job(small_job(scratch.path(), "autoencoder"));
  for (const char* name : {"whole", "parts"}) {
    TrainJob job = small_job(scratch.path(), name);
    job.model = "generator";
    job.from = scratch.path() / "autoencoder" / "model";
    job.cycle = 4;
    job.generator_loss.adversarial.weight = 1.0;
    job.compute.threads = 2;
    job.trainer.data_parallel = 2;
    if (std::string(name) == "parts") {
      job.trainer.stop_after = 10;
      run_train_job(job);
      job.trainer.resume = true;
    }
    EXPECT_EQ(run_train_job(job), TrainingEnd::finished);
  }
  expect_same_checkpoint(scratch.path() / "whole", scratch.path() / "parts");
  // What was trained against a judge is saved without it, and says that it wants ancestral steps.
  const models::ModelFolder model = models::load_model(scratch.path() / "whole" / "model");
  EXPECT_EQ(model.scheduler.at("_class_name"), "DDPMScheduler");
  EXPECT_FALSE(fs::exists(scratch.path() / "whole" / "model" / "discriminator"));
}

TEST(Trainer, ADecoderIsTrainedAloneAndTheRestOfTheModelStays) {
  const test::ScratchFolder scratch;
  write_shards(scratch.path() / "shards");
  TrainJob job = small_job(scratch.path(), "decoder");
  job.model = "decoder";
  EXPECT_THROW(run_train_job(job), RequestError);  // of which autoencoder?
  run_train_job(small_job(scratch.path(), "autoencoder"));
  job.from = scratch.path() / "autoencoder" / "model";
  EXPECT_THROW(run_train_job(job), RequestError);  // nothing there that could denoise
  TrainJob generator = small_job(scratch.path(), "generator");
  generator.model = "generator";
  generator.from = scratch.path() / "autoencoder" / "model";
  run_train_job(generator);
  for (const char* name : {"whole", "parts"}) {
    job.run = scratch.path() / name;
    job.from = scratch.path() / "generator" / "model";
    job.generator_loss.adversarial.weight = 0.5;
    job.compute.threads = 2;
    job.trainer.data_parallel = 2;
    job.trainer.stop_after = 10;
    job.trainer.resume = false;
    if (std::string(name) == "parts") {
      EXPECT_EQ(run_train_job(job), TrainingEnd::paused);
      job.trainer.resume = true;
    }
    job.trainer.stop_after = 0;
    EXPECT_EQ(run_train_job(job), TrainingEnd::finished);
  }
  expect_same_checkpoint(scratch.path() / "whole", scratch.path() / "parts");
  const models::ModelFolder before = models::load_model(job.from);
  const models::ModelFolder after = models::load_model(job.run / "model");
  const auto differ = [](const torch::nn::Module& a, const torch::nn::Module& b, const std::string& part) {
    bool any = false;
    const auto others = b.named_parameters();
    for (const auto& item : a.named_parameters()) {
      if (item.key().starts_with(part)) any = any || !torch::equal(item.value(), others[item.key()]);
    }
    return any;
  };
  EXPECT_TRUE(differ(*before.autoencoder, *after.autoencoder, "decoder."));
  EXPECT_FALSE(differ(*before.autoencoder, *after.autoencoder, "encoder."));
  EXPECT_FALSE(differ(*before.autoencoder, *after.autoencoder, "linear_shortcut.down"));
  // The card tells of every stage, and names the data once.
  ASSERT_EQ(after.card.at("stages").size(), 3U);
  EXPECT_EQ(after.card.at("stages")[2].at("model"), "decoder");
  EXPECT_FALSE(after.card.at("stages")[2].contains("run"));
  EXPECT_EQ(after.card.at("stages")[2].at("data")[0].at("places"), after.card.at("trained_on")[0].at("places"));
  EXPECT_EQ(after.card.at("trained_on").size(), 1U);
  ASSERT_TRUE(after.unet);
  EXPECT_FALSE(differ(*before.unet, *after.unet, ""));
  EXPECT_EQ(before.autoencoder->config().latents_std, after.autoencoder->config().latents_std);
  // Data that show another class teach the decoder, too, and the model keeps its own; other values it does not paint.
  job.shards = scratch.path() / "other";
  job.run = scratch.path() / "other run";
  write_shards(job.shards, false, false, "other set", "other thing");
  run_train_job(job);
  const models::ModelFolder kept = models::load_model(job.run / "model");
  EXPECT_EQ(kept.layout_encoder->config().taxonomy, before.layout_encoder->config().taxonomy);
  EXPECT_FALSE(differ(*before.layout_encoder, *kept.layout_encoder, ""));
  job.shards = scratch.path() / "brighter";
  job.run = scratch.path() / "brighter run";
  write_shards(job.shards, false, false, "set", "thing", 2);
  EXPECT_THROW(run_train_job(job), RequestError);
}

TEST(Trainer, WhatGoesOnFromAModelLearnsTheRangesOfItsOwnData) {
  const test::ScratchFolder scratch;
  write_shards(scratch.path() / "shards");
  TrainJob job = small_job(scratch.path(), "first");
  job.model = "segmenter";
  job.crop = 64;
  job.trainer.steps = 1;
  run_train_job(job);
  job.from = job.run / "model";
  job.run = scratch.path() / "second";
  job.shards = scratch.path() / "brighter";
  write_shards(job.shards, false, false, "set", "thing", 2);
  run_train_job(job);
  EXPECT_EQ(models::load_perception_model(job.run / "model").config.images.bands.at(0).high, 2);
}

TEST(Trainer, WhatLooksAtImagesIsResumedBitForBit) {
  const test::ScratchFolder scratch;
  write_shards(scratch.path() / "shards");
  for (const std::string model : {"segmenter", "detector", "classifier"}) {
    for (const char* name : {"-whole", "-parts"}) {
      TrainJob job = small_job(scratch.path(), model + name);
      job.model = model;
      job.crop = 64;
      job.trainer.steps = 6;
      job.trainer.preview_every = 3;
      if (std::string(name) == "-parts") {
        job.trainer.stop_after = 3;
        run_train_job(job);
        job.trainer.resume = true;
      }
      EXPECT_EQ(run_train_job(job), TrainingEnd::finished);
    }
    expect_same_checkpoint(scratch.path() / (model + "-whole"), scratch.path() / (model + "-parts"));
    const models::PerceptionModel back = models::load_perception_model(scratch.path() / (model + "-whole") / "model");
    EXPECT_EQ(back.config.background, model != "detector");
    EXPECT_EQ(back.config.kind(), model);
    EXPECT_TRUE(fs::exists(scratch.path() / (model + "-whole") / "preview-00000003.png"));
  }
  TrainJob job = small_job(scratch.path(), "wrong");
  job.model = "segmenter";
  job.architecture = "fcos-resnet18";
  EXPECT_THROW(run_train_job(job), RequestError);
  job.architecture = "unet-resnet18";
  job.batch = 1;
  EXPECT_THROW(run_train_job(job), RequestError);  // one cell
  job.batch = 2;
  job.architecture = "";
  job.crop = 64;
  job.compute.threads = 2;
  job.trainer.data_parallel = 2;
  EXPECT_THROW(run_train_job(job), RequestError);
}

TEST(Trainer, WhatNoMaskNamesIsNotTrainedOnWhereLabelsAloneCount) {
  const test::ScratchFolder scratch;
  write_shards(scratch.path() / "shards", false, true);
  TrainJob autoencoder = small_job(scratch.path(), "ae");
  autoencoder.trainer.steps = 2;
  run_train_job(autoencoder);
  for (const bool labelled_only : {false, true}) {
    TrainJob job = small_job(scratch.path(), labelled_only ? "labelled" : "all");
    job.model = "generator";
    job.from = scratch.path() / "ae/model";
    job.trainer.steps = 2;
    job.trainer.log_every = 1;
    job.generator_loss.labelled_only = labelled_only;
    run_train_job(job);
    const std::string log = read_file(job.run / "log.jsonl");
    const double loss = Json::parse(log.substr(0, log.find('\n'))).at("loss");
    EXPECT_EQ(loss == 0, labelled_only) << loss;
  }
}

TEST(Trainer, ADetectorNeedsObjects) {
  const test::ScratchFolder scratch;
  write_shards(scratch.path() / "shards", false, true);
  TrainJob job = small_job(scratch.path(), "run");
  job.model = "detector";
  job.crop = 64;
  EXPECT_THROW(run_train_job(job), RequestError);
  EXPECT_FALSE(fs::exists(job.run));
}

TEST(Trainer, PartsThatDoNotComeOutEvenAreRefused) {
  const test::ScratchFolder scratch;
  write_shards(scratch.path() / "shards");
  TrainJob job = small_job(scratch.path(), "threads");
  job.trainer.data_parallel = 2;  // on one thread
  EXPECT_THROW(run_train_job(job), RequestError);
  job = small_job(scratch.path(), "batch");
  job.batch = 3;
  job.compute.threads = 2;
  job.trainer.data_parallel = 2;
  EXPECT_THROW(run_train_job(job), RequestError);
}

TEST(Trainer, OtherSettingsAreNotResumed) {
  const test::ScratchFolder scratch;
  write_shards(scratch.path() / "shards");
  TrainJob job = small_job(scratch.path(), "run");
  job.trainer.stop_after = 2;
  run_train_job(job);
  job.trainer.resume = true;
  job.trainer.learning_rate = 1;
  EXPECT_THROW(run_train_job(job), RequestError);
}

TEST(Trainer, AnInterruptKeepsTheWork) {
  const test::ScratchFolder scratch;
  write_shards(scratch.path() / "shards");
  request_interrupt();
  EXPECT_THROW(run_train_job(small_job(scratch.path(), "run")), Interrupted);
  request_interrupt(false);
  EXPECT_TRUE(newest_checkpoint(scratch.path() / "run").has_value());
}

TEST(Trainer, ANumberThatIsNoneStopsTheRunWithTheLastGoodState) {
  const test::ScratchFolder scratch;
  write_shards(scratch.path() / "shards", true);
  EXPECT_THROW(run_train_job(small_job(scratch.path(), "run")), DataError);
  const auto newest = newest_checkpoint(scratch.path() / "run");
  ASSERT_TRUE(newest.has_value());
  for (const auto& [name, value] : tensor::load_safetensors(*newest / "model.safetensors").tensors) {
    EXPECT_TRUE(torch::isfinite(value).all().item<bool>()) << name;
  }
}

// Its running statistics change with every pass forward.
TEST(Trainer, NorDoRunningStatisticsKeepWhatIsNone) {
  const test::ScratchFolder scratch;
  write_shards(scratch.path() / "shards", true);
  TrainJob job = small_job(scratch.path(), "run");
  job.model = "segmenter";
  job.architecture = "unet-resnet18";
  EXPECT_THROW(run_train_job(job), DataError);
  const auto newest = newest_checkpoint(scratch.path() / "run");
  ASSERT_TRUE(newest.has_value());
  int statistics = 0;
  for (const auto& [name, value] : tensor::load_safetensors(*newest / "model.safetensors").tensors) {
    statistics += name.ends_with("running_mean") ? 1 : 0;
    EXPECT_TRUE(torch::isfinite(value).all().item<bool>()) << name;
  }
  EXPECT_GT(statistics, 0);
}

TEST(TrainJob, SettingsThatMeanNothingAreRefused) {
  const test::ScratchFolder scratch;
  write_shards(scratch.path() / "shards");
  const auto refused = [&](const std::function<void(TrainJob&)>& change) {
    TrainJob job = small_job(scratch.path(), "run");
    change(job);
    EXPECT_THROW(run_train_job(job), RequestError);
  };
  refused([](TrainJob& job) { job.trainer.ema_decay = std::nan(""); });
  refused([](TrainJob& job) { job.trainer.warmup_steps = -100; });
  refused([](TrainJob& job) { job.trainer.final_rate_share = -1; });
  refused([](TrainJob& job) { job.trainer.stop_after_seconds = -5; });
  refused([](TrainJob& job) { job.trainer.preview_every = -1; });
  refused([](TrainJob& job) { job.autoencoder_loss.kl_weight = -1; });
  EXPECT_THROW(train_job_from_json({{"batch", 16.9}}, "job.json"), DataError);
}

TEST(TrainJob, UnknownKeysAreRefused) {
  EXPECT_THROW(train_job_from_json({{"stepps", 3}}, "job.json"), DataError);
  EXPECT_EQ(train_job_from_json(to_json(train_job_from_json({{"steps", 3}}, "j")), "j").trainer.steps, 3);
}

}  // namespace
}  // namespace terragen::training
