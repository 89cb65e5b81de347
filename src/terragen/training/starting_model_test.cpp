// Fine-tuning from a published model of a few thousand weights.
#include "terragen/training/starting_model.h"

#include <gtest/gtest.h>

#include <functional>

#include "terragen/core/error.h"
#include "terragen/core/test_paths.h"
#include "terragen/models/layout_tensors.h"
#include "terragen/models/model_io.h"
#include "terragen/pretrained/lora.h"
#include "terragen/pretrained/small_model.h"
#include "terragen/shards/shard_writer.h"
#include "terragen/tensor/seeded_noise.h"
#include "terragen/training/checkpoint.h"
#include "terragen/training/small_job.h"

namespace terragen::training {
namespace {

namespace fs = std::filesystem;

layout::Layout two_ships() {
  layout::Layout layout{.task = "detection", .width = 32, .height = 32, .gsd = 0.5};
  layout.features.push_back({0, layout::make_box({4, 4, 20, 14}), false, {}});
  layout.features.push_back({0, layout::make_box({8, 18, 28, 30}), false, {}});
  return layout;
}

class PublishedStart : public testing::Test {
 protected:
  PublishedStart() {
    test::SmallModel().write_folder(scratch_.path() / "sd");
    shards::ShardSet set;
    set.data_type = "uint8";
    set.bands = {{"red", 0, 255}, {"green", 0, 255}, {"blue", 0, 255}};
    set.taxonomy = layout::Taxonomy({{"ship", {}}});
    set.tasks = {"detection"};
    set.sources = {{.dataset = "set", .task = "detection", .licence = "CC0 1.0", .attribution = "us", .samples = 4}};
    fs::create_directories(scratch_.path() / "shards");
    shards::ShardWriter writer(set, scratch_.path() / "shards");
    for (std::uint64_t i = 0; i < 4; ++i) {
      writer.add("train", tensor::seeded_uniform({3, 32, 32}, i) * 2 - 1, {}, two_ships(), "set/" + std::to_string(i));
    }
    writer.finish();
  }
  TrainJob job(const std::string& tuning, const std::string& run) const {
    TrainJob job = small_job(scratch_.path(), run);
    job.model = "generator";
    job.from = scratch_.path() / "sd";
    job.unet_channels = TrainJob().unet_channels;  // the published one's are as they are
    job.layout_channels = {16, 24};
    job.generator_loss.tuning = tuning;
    job.generator_loss.lora_rank = 4;
    job.trainer.steps = 6;
    job.trainer.learning_rate = 1e-2;
    job.trainer.warmup_steps = 1;
    job.trainer.log_every = 2;
    return job;
  }
  // Names of the published weights that training has changed, first convolution aside.
  std::vector<std::string> changed(const fs::path& model) const {
    const models::ModelFolder after = models::load_model(model);
    const tensor::TensorMap before = models::collect_parameters(*test::SmallModel().unet);
    std::vector<std::string> names;
    for (const auto& [name, value] : models::collect_parameters(*after.unet)) {
      if (name == "conv_in.weight" || !before.contains(name)) continue;
      if (!torch::allclose(value, before.at(name), 1e-3, 1e-4)) names.push_back(name);
    }
    return names;
  }
  const test::ScratchFolder scratch_;
};

TEST_F(PublishedStart, AdapterLeavesThePublishedWeights) {
  EXPECT_EQ(run_train_job(job("adapter", "run")), TrainingEnd::finished);
  const fs::path model = scratch_.path() / "run" / "model";
  for (const std::string& name : changed(model)) EXPECT_TRUE(name.starts_with("conv_in.")) << name;
  EXPECT_FALSE(fs::exists(model / "pytorch_lora_weights.safetensors"));
  // A checkpoint keeps what is trained alone.
  const tensor::TensorMap kept =
      tensor::load_safetensors(*newest_checkpoint(scratch_.path() / "run") / "model.safetensors").tensors;
  EXPECT_FALSE(kept.contains("unet.time_embedding.linear_1.weight"));
  EXPECT_TRUE(kept.contains("unet.mid_block.layout_modulation.gamma.weight"));
}

TEST_F(PublishedStart, AdaptationGoesIntoTheWeightsAndIntoAFile) {
  EXPECT_EQ(run_train_job(job("lora", "run")), TrainingEnd::finished);
  const fs::path model = scratch_.path() / "run" / "model";
  const std::vector<std::string> names = changed(model);
  EXPECT_FALSE(names.empty());
  for (const std::string& name : names) {
    EXPECT_TRUE(name.starts_with("conv_in.") || name.find(".to_") != std::string::npos) << name;
  }
  // The file does to the published model what training did to it.
  pretrained::Checkpoint published = pretrained::load_checkpoint(scratch_.path() / "sd");
  pretrained::add_lora(published, model / "pytorch_lora_weights.safetensors", 1.0);
  const tensor::TensorMap adapted = models::collect_parameters(*published.unet);
  const models::ModelFolder after = models::load_model(model);
  for (const auto& [name, value] : models::collect_parameters(*after.unet)) {
    if (name.find(".to_q.") == std::string::npos) continue;
    EXPECT_TRUE(torch::allclose(value, adapted.at(name), 2e-3, 1e-3)) << name;
  }
}

TEST_F(PublishedStart, FullTrainingIsResumedBitForBitWithoutAverages) {
  for (const char* name : {"whole", "parts"}) {
    TrainJob full = job("full", name);
    full.trainer.ema_decay = 0;
    if (std::string(name) == "parts") {
      full.trainer.stop_after = 3;
      EXPECT_EQ(run_train_job(full), TrainingEnd::paused);
      full.trainer.resume = true;
    }
    EXPECT_EQ(run_train_job(full), TrainingEnd::finished);
  }
  const auto weights = [&](const char* run) {
    return tensor::load_safetensors(*newest_checkpoint(scratch_.path() / run) / "model.safetensors").tensors;
  };
  const tensor::TensorMap whole = weights("whole");
  const tensor::TensorMap parts = weights("parts");
  ASSERT_EQ(whole.size(), parts.size());
  for (const auto& [name, value] : whole) EXPECT_TRUE(torch::equal(value, parts.at(name))) << name;
  EXPECT_FALSE(changed(scratch_.path() / "whole" / "model").empty());
}

TEST_F(PublishedStart, OtherPublishedWeightsAreNoResume) {
  const fs::path clip = scratch_.path() / "clip";
  test::SmallModel::write_clip_vision(clip);
  TrainJob part = job("full", "run");
  part.reference_weights = clip;
  part.generator_loss.reference_share = 0.5;
  part.trainer.stop_after = 3;
  EXPECT_EQ(run_train_job(part), TrainingEnd::paused);
  part.trainer.resume = true;
  const auto change = [](const fs::path& weights) {
    tensor::TensorMap tensors = tensor::load_safetensors(weights).tensors;
    tensors.begin()->second = tensors.begin()->second + 1;
    tensor::save_safetensors(weights, tensors);
  };
  const fs::path kept = scratch_.path() / "kept.safetensors";
  for (const fs::path& weights :
       {clip / "model.safetensors", scratch_.path() / "sd/vae/diffusion_pytorch_model.safetensors"}) {
    fs::copy_file(weights, kept, fs::copy_options::overwrite_existing);
    change(weights);
    EXPECT_THROW(run_train_job(part), RequestError) << weights;
    fs::copy_file(kept, weights, fs::copy_options::overwrite_existing);
  }
  part.trainer.stop_after = 0;
  EXPECT_EQ(run_train_job(part), TrainingEnd::finished);
}

TEST_F(PublishedStart, SavedModelSaysWhatTheTrainedOneSays) {
  run_train_job(job("full", "run"));
  const torch::NoGradGuard no_grad;
  models::ModelFolder first = models::load_model(scratch_.path() / "run" / "model");
  models::save_model(first, scratch_.path() / "again");
  models::ModelFolder second = models::load_model(scratch_.path() / "again");
  EXPECT_EQ(first.hash, second.hash);
  const auto said = [](models::ModelFolder& model) {
    models::LayoutEncoding encoding = model.layout_encoder->forward(
        models::layout_tensors(std::vector{two_ships()}, model.layout_encoder->config().tensor_options(0.0)));
    encoding.text = model.captions->encode({"an aerial image with 2 ships"});
    return model.unet->forward(tensor::seeded_normal({1, 9, 16, 16}, 3), torch::tensor(400.0),
                               models::condition_of(encoding));
  };
  EXPECT_TRUE(torch::equal(said(first), said(second)));
}

TEST_F(PublishedStart, ReferencesMayLookThroughAFrozenImageEncoder) {
  const fs::path folder = scratch_.path() / "clip";
  const models::ClipVisionModel clip = test::SmallModel::write_clip_vision(folder);
  TrainJob told = job("full", "run");
  told.reference_weights = folder;
  EXPECT_THROW(run_train_job(told), RequestError);  // without references
  told.generator_loss.reference_share = 0.5;
  EXPECT_EQ(run_train_job(told), TrainingEnd::finished);
  const models::ModelFolder model = models::load_model(scratch_.path() / "run" / "model");
  ASSERT_TRUE(model.reference_encoder);
  const tensor::TensorMap before = models::collect_parameters(*clip);
  const tensor::TensorMap after = models::collect_parameters(*model.reference_encoder);
  for (const auto& [name, value] : before) {
    EXPECT_TRUE(torch::equal(after.at("vision." + name), value.to(torch::kFloat16).to(torch::kFloat32))) << name;
  }
}

TEST_F(PublishedStart, RefusesWhatCannotBe) {
  EXPECT_THROW(run_train_job(job("some", "run")), RequestError);
  TrainJob against = job("lora", "run");
  against.generator_loss.adversarial.weight = 1;
  EXPECT_THROW(run_train_job(against), RequestError);
  TrainJob deep = job("full", "run");
  deep.layout_channels = {16, 16, 16};
  EXPECT_THROW(run_train_job(deep), RequestError);
}

TEST_F(PublishedStart, RefusesToChangeANetworkThatIsThere) {
  TrainJob first = job("full", "run");
  first.trainer.steps = 1;
  EXPECT_EQ(run_train_job(first), TrainingEnd::finished);
  const auto refused = [&](const fs::path& from, const std::function<void(TrainJob&)>& ask) {
    TrainJob again = job("full", "again");
    again.from = from;
    ask(again);
    EXPECT_THROW(run_train_job(again), RequestError) << from;
  };
  for (const fs::path& from : {scratch_.path() / "sd", scratch_.path() / "run" / "model"}) {
    refused(from, [](TrainJob& asked) { asked.unet_channels = {8, 8}; });
    refused(from, [](TrainJob& asked) { asked.prediction_type = "v-prediction"; });
    refused(from, [](TrainJob& asked) { asked.single_scale = true; });
  }
  const fs::path own = scratch_.path() / "run" / "model";
  refused(own, [](TrainJob& asked) { asked.layout_channels = {16, 16}; });
  refused(own, [](TrainJob& asked) { asked.vector_branch = false; });
  // What it is may be said.
  TrainJob again = job("full", "again");
  again.from = own;
  again.trainer.steps = 1;
  EXPECT_EQ(run_train_job(again), TrainingEnd::finished);
}

}  // namespace
}  // namespace terragen::training
