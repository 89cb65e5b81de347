#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "terragen/core/error.h"
#include "terragen/metrics/psnr.h"

namespace terragen::metrics {
namespace {

TEST(Psnr, FollowsItsDefinitionOverValidPixels) {
  const std::vector<float> one{0, 0, 0, 1, 1, 1};  // two bands of three pixels
  const std::vector<float> two{0.1F, 0, 0, 1, 0.8F, 9};
  const std::vector<float> valid{1, 1, 0};
  EXPECT_NEAR(psnr(one, two, valid, 2.0), 10 * std::log10(4.0 / ((0.01 + 0.04) / 4)), 1e-5);
  EXPECT_TRUE(std::isinf(psnr(one, one, valid, 2.0)));
  EXPECT_TRUE(std::isnan(psnr(one, two, std::vector<float>{0, 0, 0}, 2.0)));
  EXPECT_THROW(psnr(one, two, std::vector<float>{1, 1, 1, 1}, 2.0), RequestError);
}

}  // namespace
}  // namespace terragen::metrics
