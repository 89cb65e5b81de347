#include <gtest/gtest.h>

#include "terragen/core/error.h"
#include "terragen/core/test_paths.h"
#include "terragen/models/model_io.h"
#include "terragen/pretrained/clip_vision.h"

namespace terragen::pretrained {
namespace {

TEST(ClipVisionWeights, ComeOfAWholeModelsFolderToo) {
  const models::ClipVisionConfig config{.hidden_size = 16,
                                        .intermediate_size = 16,
                                        .num_hidden_layers = 1,
                                        .num_attention_heads = 2,
                                        .image_size = 16,
                                        .patch_size = 4};
  models::ClipVisionModel model(config);
  tensor::TensorMap weights = models::collect_parameters(*model);
  const test::ScratchFolder scratch;
  write_json(scratch.path() / "config.json", {{"model_type", "clip"}, {"vision_config", to_json(config)}});
  weights["logit_scale"] = torch::zeros({1});
  weights["text_model.final_layer_norm.weight"] = torch::ones({8});
  weights["vision_model.embeddings.position_ids"] = torch::arange(17).unsqueeze(0);
  tensor::save_safetensors(scratch.path() / "model.safetensors", weights);
  const torch::NoGradGuard no_grad;
  models::ClipVisionModel back = load_clip_vision(scratch.path());
  const torch::Tensor image = torch::rand({1, 3, 16, 16});
  EXPECT_TRUE(torch::equal(back->forward(image).pooled, model->forward(image).pooled));

  weights.erase("vision_model.pre_layrnorm.bias");
  tensor::save_safetensors(scratch.path() / "model.safetensors", weights);
  EXPECT_THROW(load_clip_vision(scratch.path()), DataError);
}

}  // namespace
}  // namespace terragen::pretrained
