#include <gtest/gtest.h>

#include "terragen/core/error.h"
#include "terragen/models/clip_vision_model.h"
#include "terragen/models/model_io.h"
#include "terragen/models/reference_encoder.h"

namespace terragen::models {
namespace {

ClipVisionConfig small_vision() {
  return {.hidden_size = 32,
          .intermediate_size = 48,
          .num_hidden_layers = 2,
          .num_attention_heads = 4,
          .image_size = 32,
          .patch_size = 4};
}

// The same network of the library's own attention, in float64.
torch::Tensor expected_states(const tensor::TensorMap& weights, const torch::Tensor& images) {
  const auto weight = [&](const std::string& name) { return weights.at("vision_model." + name).to(torch::kFloat64); };
  const auto norm = [&](const torch::Tensor& x, const std::string& name) {
    return torch::layer_norm(x, {32}, weight(name + ".weight"), weight(name + ".bias"), 1e-5);
  };
  const auto linear = [&](const torch::Tensor& x, const std::string& name) {
    return torch::linear(x, weight(name + ".weight"), weight(name + ".bias"));
  };
  const torch::Tensor mean = torch::tensor({0.48145466, 0.4578275, 0.40821073}, torch::kFloat64).view({1, 3, 1, 1});
  const torch::Tensor spread = torch::tensor({0.26862954, 0.26130258, 0.27577711}, torch::kFloat64).view({1, 3, 1, 1});
  const torch::Tensor seen = (images.to(torch::kFloat64) - mean) / spread;
  // Patches cut out by hand.
  const torch::Tensor patches = seen.unfold(2, 4, 4).unfold(3, 4, 4).permute({0, 2, 3, 1, 4, 5}).reshape({-1, 64, 48});
  const torch::Tensor embedded = torch::matmul(patches, weight("embeddings.patch_embedding.weight").view({32, 48}).t());
  const torch::Tensor first = weight("embeddings.class_embedding").expand({images.size(0), 1, 32});
  torch::Tensor h =
      norm(torch::cat({first, embedded}, 1) + weight("embeddings.position_embedding.weight"), "pre_layrnorm");
  for (const std::string layer : {"encoder.layers.0.", "encoder.layers.1."}) {
    const torch::Tensor y = norm(h, layer + "layer_norm1");
    std::vector<torch::Tensor> heads;
    for (std::int64_t k = 0; k < 4; ++k) {
      const auto part = [&](const char* name) { return linear(y, layer + "self_attn." + name).narrow(2, 8 * k, 8); };
      const torch::Tensor scores = torch::matmul(part("q_proj"), part("k_proj").transpose(1, 2)) / std::sqrt(8.0);
      heads.push_back(torch::matmul(scores.softmax(-1), part("v_proj")));
    }
    h = h + linear(torch::cat(heads, 2), layer + "self_attn.out_proj");
    const torch::Tensor inner = linear(norm(h, layer + "layer_norm2"), layer + "mlp.fc1");
    h = h + linear(inner * torch::sigmoid(1.702 * inner), layer + "mlp.fc2");
  }
  return h;
}

TEST(ClipVision, IsTheNetworkOfThePaper) {
  const torch::NoGradGuard no_grad;
  torch::manual_seed(5);
  ClipVisionModel model(small_vision());
  const torch::Tensor images = torch::rand({2, 3, 32, 32});
  const ClipVisionOutput output = model->forward(images);
  const torch::Tensor expected = expected_states(collect_parameters(*model), images);
  EXPECT_LT((output.last_hidden_state - expected).abs().max().item<double>(), 1e-5);
  EXPECT_EQ(output.pooled.sizes(), (std::vector<std::int64_t>{2, 32}));
}

TEST(ClipVision, ReadsItsConfigAloneAndInsideAWholeModels) {
  const Json alone = to_json(small_vision());
  EXPECT_EQ(to_json(clip_vision_config_from_json(alone, "x")), alone);
  EXPECT_EQ(to_json(clip_vision_config_from_json({{"vision_config", alone}}, "x")), alone);
  Json odd = alone;
  odd["patch_size"] = 5;
  EXPECT_THROW(clip_vision_config_from_json(odd, "x"), DataError);
}

TEST(ReferenceEncoder, LooksThroughAFrozenImageEncoder) {
  torch::manual_seed(6);
  ReferenceEncoderConfig config{.size = 32, .token_dim = 24};
  config.vision = small_vision();
  ReferenceEncoder encoder(config);
  EXPECT_EQ(config.tokens(), 17);
  const torch::Tensor pictures = torch::cat({torch::rand({2, 3, 32, 32}) * 2 - 1, torch::ones({2, 1, 32, 32})}, 1);
  const torch::Tensor tokens = encoder->forward(pictures);
  EXPECT_EQ(tokens.sizes(), (std::vector<std::int64_t>{2, 17, 24}));
  EXPECT_TRUE(encoder->shares(pictures).equal(torch::ones({2, 17})));
  tokens.square().sum().backward();
  for (const auto& item : encoder->named_parameters()) {
    EXPECT_EQ(item.value().requires_grad(), !item.key().starts_with("vision.")) << item.key();
  }
  EXPECT_EQ(to_json(reference_encoder_config_from_json(to_json(config), "x")), to_json(config));
  config.size = 64;
  EXPECT_THROW(config.validate(), RequestError);
}

}  // namespace
}  // namespace terragen::models
