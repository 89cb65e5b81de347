#include "terragen/models/low_rank.h"

#include <gtest/gtest.h>

#include "terragen/core/error.h"
#include "terragen/models/model_io.h"
#include "terragen/models/unet.h"

namespace terragen::models {
namespace {

UNet2DConditionModel small_unet() {
  torch::manual_seed(1);
  UNetConfig config;
  config.block_out_channels = {32, 64};
  config.down_block_types = {"CrossAttnDownBlock2D", "DownBlock2D"};
  config.up_block_types = {"UpBlock2D", "CrossAttnUpBlock2D"};
  config.cross_attention_dim = 16;
  return UNet2DConditionModel(config);
}

torch::Tensor said_by(UNet2DConditionModel& unet) {
  const torch::NoGradGuard no_grad;
  torch::manual_seed(2);
  return unet->forward(torch::randn({1, 4, 8, 8}), torch::tensor(300.0), {torch::randn({1, 3, 16})});
}

TEST(LowRank, ChangesNothingAtFirstAndGoesIntoTheWeights) {
  UNet2DConditionModel unet = small_unet();
  const torch::Tensor before = said_by(unet);
  const std::size_t names = collect_parameters(*unet).size();
  EXPECT_TRUE(low_rank_of(collect_parameters(*unet)).empty());
  add_low_rank(*unet, 4);
  EXPECT_TRUE(torch::equal(said_by(unet), before));

  const torch::NoGradGuard no_grad;
  for (auto& item : unet->named_parameters()) {
    if (item.key().ends_with("lora_B.weight")) item.value().normal_(0, 0.2);
  }
  const torch::Tensor adapted = said_by(unet);
  EXPECT_GT((adapted - before).abs().max().item<double>(), 1e-2);

  const tensor::TensorMap merged = without_low_rank(collect_parameters(*unet));
  EXPECT_EQ(merged.size(), names);
  UNet2DConditionModel plain = small_unet();
  load_parameters(*plain, merged);
  EXPECT_TRUE(torch::allclose(said_by(plain), adapted, 1e-4, 1e-5));

  // Three attentions, in a self- and a cross-attention each, with four layers of two matrices.
  const std::int64_t transformers = 2 + 1 + 3;
  EXPECT_EQ(std::ssize(low_rank_of(collect_parameters(*unet))), transformers * 2 * 4 * 2);
}

TEST(LowRank, RefusesARankThatIsNone) {
  UNet2DConditionModel unet = small_unet();
  EXPECT_THROW(add_low_rank(*unet, 0), RequestError);
}

}  // namespace
}  // namespace terragen::models
