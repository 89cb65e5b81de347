#include "terragen/pretrained/checkpoint.h"

#include <gtest/gtest.h>

#include "terragen/core/error.h"
#include "terragen/core/test_paths.h"
#include "terragen/nn/relative_error.h"
#include "terragen/pretrained/small_model.h"
#include "terragen/pretrained/stable_diffusion.h"
#include "terragen/tensor/device.h"
#include "terragen/tensor/seeded_noise.h"
#include "terragen/tensor/weight_files.h"

namespace terragen::pretrained {
namespace {

namespace fs = std::filesystem;

class Folder : public testing::Test {
 protected:
  Folder() { model_.write_folder(path()); }
  fs::path path() const { return scratch_.path() / "sd"; }
  // The sentence of the DataError.
  std::string refusal() const {
    try {
      load_checkpoint(path());
    } catch (const DataError& error) {
      return error.what();
    }
    return "accepted";
  }
  void expect_refused(const std::string& words) const {
    EXPECT_NE(refusal().find(words), std::string::npos) << refusal() << " does not say " << words;
  }
  static bool same(const torch::nn::Module& one, const torch::nn::Module& other) {
    const tensor::TensorMap a = models::collect_parameters(one);
    const tensor::TensorMap b = models::collect_parameters(other);
    return std::ranges::equal(
        a, b, [](const auto& x, const auto& y) { return x.first == y.first && torch::equal(x.second, y.second); });
  }
  const test::SmallModel model_;
  test::ScratchFolder scratch_;
};

TEST_F(Folder, IsReadAndPaints) {
  Checkpoint read = load_checkpoint(path());
  EXPECT_TRUE(same(*read.unet, *model_.unet));
  EXPECT_TRUE(same(*read.autoencoder, *model_.autoencoder));
  EXPECT_TRUE(same(*read.text_encoder, *model_.text_encoder));
  EXPECT_EQ(read.scheduler.class_name, "PNDMScheduler");
  StableDiffusion pipeline(std::move(read));
  const torch::NoGradGuard no_grad;
  PaintingRequest request{.text = pipeline.encode({"a field"}), .negative = pipeline.encode({""})};
  request.noise = tensor::seeded_normal({1, 4, 8, 8}, 1);
  request.steps = 3;
  const torch::Tensor image = pipeline.decode(pipeline.paint(request));
  EXPECT_EQ(image.sizes(), (std::vector<std::int64_t>{1, 3, 16, 16}));
  EXPECT_TRUE(image.isfinite().all().item<bool>());
  request.text = pipeline.encode({"the sea"});
  EXPECT_FALSE(torch::equal(image, pipeline.decode(pipeline.paint(request))));
}

TEST_F(Folder, RequestsThatCannotBeAreRefused) {
  StableDiffusion pipeline(load_checkpoint(path()));
  const PaintingRequest good{.text = torch::zeros({1, 7, 64}),
                             .negative = torch::zeros({1, 7, 64}),
                             .noise = torch::zeros({1, 4, 8, 8}),
                             .steps = 2};
  EXPECT_NO_THROW(pipeline.paint(good));
  const auto refused = [&](const std::function<void(PaintingRequest&)>& change) {
    PaintingRequest request = good;
    change(request);
    EXPECT_THROW(pipeline.paint(request), RequestError);
  };
  refused([](auto& r) { r.negative = torch::Tensor(); });
  refused([](auto& r) { r.text = torch::zeros({1, 7, 32}); });
  refused([](auto& r) { r.noise = torch::zeros({1, 3, 8, 8}); });
  refused([](auto& r) { r.noise = torch::Tensor(); });
  refused([](auto& r) { r.strength = 0.5; });
  refused([](auto& r) { r.strength = 0; });
  refused([](auto& r) { r.steps = 0; });
  refused([](auto& r) { r.eta = 0.5; });
  refused([](auto& r) { r.repaint = torch::ones({1, 1, 8, 8}); });
  refused([](auto& r) { r.image = torch::zeros({1, 4, 4, 4}); });
  refused([](auto& r) { r.boxes.embeddings = torch::zeros({1, 3, 64}); });
  refused([](auto& r) {
    r.control.net = models::ControlNet(models::ControlNetConfig{.unet = test::SmallModel().unet->config()});
  });
}

TEST_F(Folder, ShardsOldNamesAndHalfPrecisionAreTheSameModel) {
  // The U-Net in two shards.
  tensor::TensorMap first, second;
  Json map = Json::object();
  for (const auto& [name, value] : models::collect_parameters(*model_.unet)) {
    const bool down = name < "mid_block";
    (down ? first : second)[name] = value;
    map[name] = down ? "part-1.safetensors" : "part-2.safetensors";
  }
  fs::remove(path() / "unet" / "diffusion_pytorch_model.safetensors");
  tensor::save_safetensors(path() / "unet" / "part-1.safetensors", first);
  tensor::save_safetensors(path() / "unet" / "part-2.safetensors", second);
  write_json(path() / "unet" / "diffusion_pytorch_model.safetensors.index.json", {{"weight_map", map}});
  // The autoencoder's attention as it was once called.
  tensor::TensorMap old;
  for (const auto& [name, value] : models::collect_parameters(*model_.autoencoder)) {
    std::string before = name;
    for (const auto& [now, then] : std::map<std::string, std::string>{
             {"to_q", "query"}, {"to_k", "key"}, {"to_v", "value"}, {"to_out.0", "proj_attn"}}) {
      if (const std::size_t at = before.find(now); at != std::string::npos) before.replace(at, now.size(), then);
    }
    old[before] = value;
  }
  tensor::save_safetensors(path() / "vae" / "diffusion_pytorch_model.safetensors", old);
  // The text encoder in half precision, with the positions' numbers.
  tensor::TensorMap halves = {{"text_model.embeddings.position_ids", torch::arange(77).unsqueeze(0)}};
  for (const auto& [name, value] : models::collect_parameters(*model_.text_encoder))
    halves[name] = value.to(torch::kHalf);
  fs::remove(path() / "text_encoder" / "model.safetensors");
  tensor::save_safetensors(path() / "text_encoder" / "model.fp16.safetensors", halves);

  const Checkpoint read = load_checkpoint(path());
  EXPECT_TRUE(same(*read.unet, *model_.unet));
  EXPECT_TRUE(same(*read.autoencoder, *model_.autoencoder));
  for (const auto& [name, value] : models::collect_parameters(*read.text_encoder)) {
    EXPECT_EQ(value.scalar_type(), torch::kFloat32);
    EXPECT_TRUE(torch::equal(value, halves.at(name).to(torch::kFloat32))) << name;
  }
}

// Where the file has the network's own number type, its mapped pages are the network's memory.
TEST_F(Folder, WeightsAreNotCopied) {
  const tensor::TensorMap mapped = tensor::map_weights(path() / "unet" / "diffusion_pytorch_model.safetensors");
  models::UNet2DConditionModel unet(model_.unet->config());
  models::adopt_parameters(*unet, mapped, "x");
  for (const auto& [name, value] : models::collect_parameters(*unet)) {
    EXPECT_EQ(value.data_ptr(), mapped.at(name).data_ptr()) << name;
  }
}

TEST_F(Folder, ASingleFileIsTheSameModel) {
  const fs::path file = scratch_.path() / "sd.safetensors";
  tensor::save_safetensors(file, model_.single_file());
  const Checkpoint read = load_checkpoint(file, {.tokenizer = path() / "tokenizer"});
  EXPECT_TRUE(same(*read.unet, *model_.unet));
  EXPECT_TRUE(same(*read.autoencoder, *model_.autoencoder));
  EXPECT_TRUE(same(*read.text_encoder, *model_.text_encoder));
  EXPECT_TRUE(read.tokenizer.has_value());
  EXPECT_THROW(load_checkpoint(file, {.prediction_type = "guess"}), RequestError);
  StableDiffusion without(load_checkpoint(file));
  EXPECT_THROW(without.encode({"a field"}), RequestError);
}

TEST_F(Folder, MissingPartsAreNamed) {
  for (const char* part : {"vae", "unet", "text_encoder", "tokenizer", "scheduler"}) {
    const fs::path kept = scratch_.path() / "kept";
    fs::rename(path() / part, kept);
    expect_refused(part);
    fs::rename(kept, path() / part);
  }
  for (const char* file : {"unet/config.json", "vae/diffusion_pytorch_model.safetensors", "tokenizer/merges.txt",
                           "text_encoder/model.safetensors", "model_index.json"}) {
    const fs::path kept = scratch_.path() / "kept";
    fs::rename(path() / file, kept);
    expect_refused(fs::path(file).begin()->string());
    fs::rename(kept, path() / file);
  }
  EXPECT_EQ(refusal(), "accepted");
  EXPECT_THROW(load_checkpoint(scratch_.path() / "nothing"), DataError);
}

TEST_F(Folder, OtherKindsOfPartsAreNotGuessedAt) {
  const fs::path index = path() / "model_index.json";
  Json json = read_json(index);
  json["unet"] = {"diffusers", "SD3Transformer2DModel"};
  write_json(index, json);
  expect_refused("SD3Transformer2DModel");
  json["unet"] = {nullptr, nullptr};
  write_json(index, json);
  expect_refused("\"unet\"");
  json["unet"] = "UNet2DConditionModel";
  write_json(index, json);
  expect_refused("\"unet\"");
}

TEST_F(Folder, BrokenWeightsAreNamed) {
  const fs::path file = path() / "unet" / "diffusion_pytorch_model.safetensors";
  const tensor::TensorMap whole = models::collect_parameters(*model_.unet);
  tensor::TensorMap broken = whole;
  broken.erase("conv_in.weight");
  tensor::save_safetensors(file, broken);
  expect_refused("diffusion_pytorch_model.safetensors: tensor \"conv_in.weight\" is missing");
  broken = whole;
  broken["conv_in.weight"] = torch::zeros({32, 4, 1, 1});
  tensor::save_safetensors(file, broken);
  expect_refused("tensor \"conv_in.weight\" has shape");
  broken = whole;
  broken["conv_in.bias"] = torch::zeros({32}, torch::kInt32);
  tensor::save_safetensors(file, broken);
  expect_refused("tensor \"conv_in.bias\" holds whole numbers");
  broken = whole;
  broken["extra"] = torch::zeros({1});
  tensor::save_safetensors(file, broken);
  expect_refused("\"extra\"");
  tensor::save_safetensors(file, whole);
  const std::string bytes = read_file(file);
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{5}, std::size_t{300}, bytes.size() / 2, bytes.size() - 1}) {
    write_file(file, bytes.substr(0, size));
    expect_refused("diffusion_pytorch_model.safetensors");
  }
}

TEST_F(Folder, ASchedulerWithPythonsInfinityIsRead) {
  write_file(path() / "scheduler" / "scheduler_config.json",
             R"({"_class_name": "DPMSolverMultistepScheduler", "lambda_min_clipped": -Infinity, "solver_order": 3})");
  EXPECT_EQ(load_checkpoint(path()).scheduler.solver_order, 3);
}

TEST_F(Folder, BrokenSettingsAreNamed) {
  const auto broken = [&](const char* file, const char* key, const Json& value) {
    const Json before = read_json(path() / file);
    Json json = before;
    json[key] = value;
    write_json(path() / file, json);
    expect_refused(key);
    write_json(path() / file, before);
  };
  broken("unet/config.json", "block_out_channels", {33, 64});
  broken("unet/config.json", "block_out_channels", {32, 1 << 20});
  broken("vae/config.json", "block_out_channels", Json::array({1 << 20}));
  broken("unet/config.json", "attention_type", "gated-text-image");
  broken("unet/config.json", "in_channels", "four");
  broken("unet/config.json", "cross_attention_dim", -1);
  broken("vae/config.json", "act_fn", "relu");
  broken("text_encoder/config.json", "hidden_act", "relu");
  broken("text_encoder/config.json", "num_attention_heads", 7);
  broken("scheduler/scheduler_config.json", "_class_name", "KarrasVeScheduler");
  broken("scheduler/scheduler_config.json", "prediction_type", "guess");
  broken("scheduler/scheduler_config.json", "thresholding", true);
  broken("scheduler/scheduler_config.json", "beta_start", "small");
  write_file(path() / "unet" / "config.json", "{");
  expect_refused("config.json");
}

TEST(Checkpoint, InBfloat16StaysWithinItsBound) {
  const test::ScratchFolder scratch;
  test::SmallModel().write_folder(scratch.path() / "sd");
  const torch::NoGradGuard no_grad;
  Checkpoint whole = load_checkpoint(scratch.path() / "sd");
  Checkpoint half = load_checkpoint(scratch.path() / "sd", {.bf16 = true});
  EXPECT_EQ(torch::get_default_dtype(), torch::scalarTypeToTypeMeta(torch::kFloat32));
  const torch::Tensor x = torch::randn({2, 4, 8, 8});
  const torch::Tensor text = torch::randn({2, 7, 64});
  const torch::Tensor t = torch::tensor(300.0);
  const torch::Tensor said = whole.unet->forward(x, t, {text});
  const torch::Tensor decoded = whole.autoencoder->decode(x);
  const tensor::AutocastGuard autocast(torch::kCPU, true);
  constexpr double kBound = 3e-2;  // of every such network in bfloat16
  EXPECT_LT(test::relative_error(half.unet->forward(x, t, {text}), said), kBound);
  EXPECT_LT(test::relative_error(half.autoencoder->decode(x), decoded), kBound);
  EXPECT_EQ(half.unet->named_parameters()["conv_norm_out.weight"].scalar_type(), torch::kFloat32);
  EXPECT_EQ(half.unet->named_parameters()["conv_in.weight"].scalar_type(), torch::kBFloat16);
}

}  // namespace
}  // namespace terragen::pretrained
