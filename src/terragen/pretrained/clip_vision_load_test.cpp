#include <gtest/gtest.h>

#include "terragen/core/error.h"
#include "terragen/core/test_paths.h"
#include "terragen/models/model_io.h"
#include "terragen/pretrained/clip_vision.h"
#include "terragen/pretrained/small_model.h"

namespace terragen::pretrained {
namespace {

TEST(ClipVisionWeights, ComeOfAWholeModelsFolderToo) {
  const test::ScratchFolder scratch;
  models::ClipVisionModel model = test::SmallModel::write_clip_vision(scratch.path());
  tensor::TensorMap weights = models::collect_parameters(*model);
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
