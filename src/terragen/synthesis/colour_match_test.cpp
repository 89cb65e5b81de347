#include "terragen/synthesis/colour_match.h"

#include <gtest/gtest.h>

#include "terragen/core/error.h"
#include "terragen/tensor/seeded_noise.h"

namespace terragen::synthesis {
namespace {

TEST(ColourMatch, BringsMeanAndDeviationUnderTheMaskAsFarAsAsked) {
  const torch::Tensor image = 0.4 * tensor::seeded_uniform({3, 20, 20}, 1);
  const torch::Tensor example = 0.1 * tensor::seeded_uniform({3, 20, 20}, 2) - 0.5;
  torch::Tensor mask = torch::zeros({20, 20});
  mask.slice(0, 5, 15).slice(1, 3, 12).fill_(1);
  const ColourMoments has = colour_moments(image, mask);
  const ColourMoments wanted = colour_moments(example, torch::ones({20, 20}));
  for (const double share : {0.0, 0.5, 1.0}) {
    const torch::Tensor matched = colour_matched(image, mask, wanted, share);
    const ColourMoments now = colour_moments(matched, mask);
    EXPECT_TRUE(torch::allclose(now.mean, has.mean + share * (wanted.mean - has.mean), 1e-4, 1e-5)) << share;
    EXPECT_TRUE(torch::allclose(now.deviation, has.deviation + share * (wanted.deviation - has.deviation), 1e-4, 1e-5))
        << share;
    EXPECT_TRUE(torch::equal(matched * mask.eq(0), image * mask.eq(0)));
  }
}

TEST(ColourMatch, DoesNotRaiseTheContrast) {
  const torch::Tensor image = 0.01 * tensor::seeded_uniform({1, 20, 20}, 3);
  const torch::Tensor mask = torch::ones({20, 20});
  const ColourMoments has = colour_moments(image, mask);
  const ColourMoments now =
      colour_moments(colour_matched(image, mask, {torch::zeros({1, 1}), torch::full({1, 1}, 0.5)}, 1.0), mask);
  EXPECT_NEAR(now.mean.item<double>(), 0, 1e-5);
  EXPECT_NEAR(now.deviation.item<double>(), has.deviation.item<double>(), 1e-6);
}

TEST(ColourMatch, RefusesAnEmptyMask) {
  EXPECT_THROW(colour_moments(torch::zeros({3, 4, 4}), torch::zeros({4, 4})), InternalError);
}

}  // namespace
}  // namespace terragen::synthesis
