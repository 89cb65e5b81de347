#include "terragen/training/random_blur.h"

#include <gtest/gtest.h>

#include "terragen/tensor/seeded_noise.h"

namespace terragen::training {
namespace {

double roughness(const torch::Tensor& image) {
  return (image.slice(2, 1) - image.slice(2, 0, -1)).square().mean().item<double>();
}

TEST(RandomBlur, TakesAwayDetailOfSomeImagesAndNothingElse) {
  const torch::Tensor images = tensor::seeded_normal({16, 3, 32, 40}, 1);
  const torch::Tensor blurred = randomly_blurred(images, 2.0, 7);
  ASSERT_EQ(blurred.sizes(), images.sizes());
  int kept = 0;
  int softened = 0;
  for (std::int64_t i = 0; i < 16; ++i) {
    const double ratio = roughness(blurred[i]) / roughness(images[i]);
    EXPECT_LE(ratio, 1.0 + 1e-6);
    kept += ratio > 1 - 1e-6 ? 1 : 0;
    softened += ratio < 0.5 ? 1 : 0;
    EXPECT_NEAR(blurred[i].mean().item<double>(), images[i].mean().item<double>(), 0.05);
  }
  EXPECT_GT(kept, 2);
  EXPECT_GT(softened, 2);
  EXPECT_TRUE(torch::equal(blurred, randomly_blurred(images, 2.0, 7)));
  EXPECT_FALSE(torch::equal(blurred, randomly_blurred(images, 2.0, 8)));
  EXPECT_TRUE(torch::equal(randomly_blurred(images, 0, 7), images));
}

TEST(RandomBlur, AFlatImageStaysFlat) {
  const torch::Tensor flat = torch::full({4, 1, 20, 20}, 0.3);
  EXPECT_LT((randomly_blurred(flat, 3.0, 2) - flat).abs().max().item<float>(), 1e-5F);
}

}  // namespace
}  // namespace terragen::training
