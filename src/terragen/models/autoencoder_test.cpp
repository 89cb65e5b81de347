#include "terragen/models/autoencoder.h"

#include <gtest/gtest.h>

#include "terragen/core/error.h"
#include "terragen/core/test_paths.h"
#include "terragen/models/model_folder.h"
#include "terragen/tensor/seeded_noise.h"

namespace terragen::models {
namespace {

AutoencoderConfig small_autoencoder_config() {
  AutoencoderConfig config;
  config.in_channels = config.out_channels = 4;  // bands
  config.block_out_channels = {16, 32};
  config.layers_per_block = 1;
  config.latent_channels = 6;
  config.norm_num_groups = 8;
  config.patch_size = 2;
  config.use_quant_conv = config.use_post_quant_conv = false;
  config.mid_block_add_attention = false;
  config.linear_shortcut = true;
  return config;
}

// Images whose 4x4 cells lie in a space of `rank` dimensions around a mean.
torch::Tensor low_rank_images(std::int64_t rank) {
  const torch::Tensor factors = tensor::seeded_normal({3, rank, 8, 8}, 1);
  const torch::Tensor axes = 0.1 * tensor::seeded_normal({4 * 16, rank, 1, 1}, 2);
  return torch::pixel_shuffle(torch::conv2d(factors, axes), 4) + 0.2;
}

TEST(Autoencoder, StartsAtThePrincipalComponents) {
  const torch::NoGradGuard no_grad;
  AutoencoderKL autoencoder(small_autoencoder_config());
  const torch::Tensor images = low_rank_images(6);
  autoencoder->fit_shortcut(images);
  const Posterior posterior = autoencoder->encode(images);
  EXPECT_LT((autoencoder->decode(posterior.mean) - images).abs().max().item<float>(), 1e-4F);
  const torch::Tensor rows = posterior.mean.transpose(0, 1).flatten(1);
  EXPECT_LT(rows.mean(1).abs().max().item<float>(), 1e-4F);
  EXPECT_LT((rows.std(1) - 1.0).abs().max().item<float>(), 0.01F);
  EXPECT_LT(posterior.logvar.max().item<float>(), -7.0F);
}

TEST(Autoencoder, MoreChannelsThanTheImagesFillAreRefused) {
  AutoencoderKL autoencoder(small_autoencoder_config());
  EXPECT_THROW(autoencoder->fit_shortcut(torch::zeros({1, 4, 8, 8})), RequestError);
}

TEST(Autoencoder, ComesBackFromDiskWithItsShortcut) {
  const torch::NoGradGuard no_grad;
  const test::ScratchFolder scratch;
  ModelFolder model;
  model.images.bands.resize(4, {"band", 0, 255});
  model.autoencoder = AutoencoderKL(small_autoencoder_config());
  const torch::Tensor images = low_rank_images(6);
  model.autoencoder->fit_shortcut(images);
  model.autoencoder->set_latent_statistics(std::vector<double>(6, 0.1), std::vector<double>(6, 2.0));
  save_model(model, scratch.path() / "m");
  ModelFolder again = load_model(scratch.path() / "m");
  ASSERT_TRUE(again.autoencoder->config().linear_shortcut);
  const torch::Tensor z = again.autoencoder->encode(images).mean;
  // Weights travel as fp16.
  EXPECT_LT((again.autoencoder->decode(again.autoencoder->denormalise(again.autoencoder->normalise(z))) - images)
                .abs()
                .max()
                .item<float>(),
            0.02F);
}

}  // namespace
}  // namespace terragen::models
