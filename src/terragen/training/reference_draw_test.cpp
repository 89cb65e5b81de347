#include "terragen/training/reference_draw.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "terragen/layout/rasterise.h"
#include "terragen/shards/reference_picture.h"
#include "terragen/tensor/seeded_noise.h"

namespace terragen::training {
namespace {

constexpr int kSize = 64;

// One building of 20 x 12 pixels, red on grey.
shards::Sample one_building(bool dense) {
  shards::Sample sample;
  sample.image = torch::zeros({3, kSize, kSize});
  sample.image.slice(1, 20, 32).slice(2, 30, 50).select(0, 0).fill_(0.8);
  sample.valid = torch::ones({kSize, kSize});
  sample.layout = {.task = "building", .width = kSize, .height = kSize};
  sample.layout.features.push_back({1, layout::make_box({30, 20, 50, 32}), false, {}});
  if (dense) {
    sample.layout.mask = layout::rasterise_classes(sample.layout, 0);
    sample.layout.features.clear();
  }
  return sample;
}

TEST(ReferencePicture, ShowsTheThingInItsMiddleWithAMargin) {
  const shards::Sample sample = one_building(false);
  torch::Tensor mask = torch::zeros({kSize, kSize});
  mask.slice(0, 20, 32).slice(1, 30, 50).fill_(1);
  const torch::Tensor picture = shards::reference_picture(sample.image, mask, 32);
  ASSERT_EQ(picture.sizes(), (std::vector<std::int64_t>{4, 32, 32}));
  EXPECT_NEAR(picture[3][16][16].item<double>(), 1, 1e-6);
  EXPECT_NEAR(picture[0][16][16].item<double>(), 0.8, 1e-6);
  EXPECT_NEAR(picture[3].slice(1, 0, 2).max().item<double>(), 0, 1e-6);
  // 20 x 12 of 28 x 28 pixels.
  EXPECT_NEAR(picture[3].mean().item<double>(), 240.0 / 784.0, 0.02);
  // At a corner the window leaves the image.
  torch::Tensor corner = torch::zeros({kSize, kSize});
  corner.slice(0, 0, 10).slice(1, 54, 64).fill_(1);
  EXPECT_NEAR(shards::reference_picture(sample.image, corner, 36)[3].mean().item<double>(), 100.0 / 324.0, 0.02);
}

TEST(ReferenceDraw, CutsAThingAndGivesItsClassAway) {
  for (const bool dense : {false, true}) {
    std::vector<shards::Sample> samples(8, one_building(dense));
    const shards::Batch batch = shards::collate(samples);
    const ReferenceDrawOptions options{.share = 1, .class_index = 2, .cell = 8, .picture = 32};
    const ReferenceDraw draw = draw_references(batch, options, 5);
    const ReferenceDraw again = draw_references(batch, options, 5);
    EXPECT_TRUE(torch::equal(draw.pictures, again.pictures));
    EXPECT_TRUE(torch::equal(draw.paint, again.paint));
    int boxes = 0;
    int cut = 0;
    for (std::int64_t i = 0; i < 8; ++i) {
      const layout::Layout& layout = draw.layouts[static_cast<std::size_t>(i)];
      if (!draw.present[i].item<bool>()) continue;  // dense: the rest of the image, too large to be cut
      ++cut;
      // Every cell that the thing touches is painted, and not all of the image.
      EXPECT_EQ(draw.paint[i][0].slice(0, 2, 4).slice(1, 3, 7).min().item<float>(), 1.0F);
      EXPECT_LT(draw.paint[i].mean().item<float>(), 0.8F);
      boxes += draw.paint[i].sum().item<double>() == 8;
      EXPECT_GT(draw.pictures[i][3].mean().item<double>(), 0.2);
      if (dense) {
        EXPECT_EQ(layout.mask->at(35, 25), 2);
        EXPECT_EQ(layout.mask->at(5, 5), 0);
      } else {
        EXPECT_EQ(layout.features.front().class_index, 2);
      }
    }
    EXPECT_GE(cut, dense ? 1 : 8);
    EXPECT_LT(boxes, cut);  // holes tell nothing of the outline
  }
}

// The second sample is of another colour, and its left half is unlabelled.
shards::Batch two_grounds(bool dense) {
  shards::Sample other = one_building(dense);
  other.image.fill_(-0.6);
  if (dense) {
    for (int i = 0; i < kSize * kSize; ++i) {
      if (i % kSize < kSize / 2) other.layout.mask->values[static_cast<std::size_t>(i)] = layout::kUnlabelled;
    }
  }
  return shards::collate({one_building(dense), other});
}

TEST(ReferenceDraw, ATransplantIsOfAnotherSampleAndOfWhatIsLabelled) {
  constexpr int kCell = 4;
  for (const bool dense : {false, true}) {
    const shards::Batch batch = two_grounds(dense);
    // Latents that say which sample and column they are of.
    torch::Tensor latents = torch::arange(kSize / kCell).view({1, 1, 1, -1}).expand({2, 1, kSize / kCell, -1}).clone();
    latents[1] += 100;
    int into_first = 0;
    for (std::uint64_t seed = 0; seed < 40; ++seed) {
      const ReferenceDraw draw =
          draw_references(batch, {.share = 1, .transplants = 1, .class_index = 2, .cell = kCell, .picture = 32}, seed);
      EXPECT_EQ(std::ssize(draw.transplants), draw.present.sum().item<std::int64_t>());
      const torch::Tensor moved = transplanted(latents, draw.transplants);
      const torch::Tensor foreign = moved[0][0].ge(100);
      if (!draw.present[0].item<bool>()) {
        EXPECT_FALSE(foreign.any().item<bool>());
        continue;
      }
      ++into_first;
      if (dense) {
        EXPECT_GE(moved[0][0].masked_select(foreign).min().item<double>(), 100 + kSize / kCell / 2);
      }
      // It is to be painted, and named, where it lies, and the picture shows what lies there.
      EXPECT_EQ(draw.paint[0][0].masked_select(foreign).min().item<double>(), 1);
      const layout::Layout& layout = draw.layouts[0];
      const torch::Tensor cell = foreign.nonzero()[0];
      const int x = static_cast<int>(cell[1].item<std::int64_t>()) * kCell + 1;
      const int y = static_cast<int>(cell[0].item<std::int64_t>()) * kCell + 1;
      if (dense) {
        EXPECT_EQ(layout.mask->at(x, y), 2);
      } else {
        ASSERT_EQ(layout.features.size(), 2U);
        EXPECT_EQ(layout.features.back().class_index, 2);
        EXPECT_EQ(
            layout::rasterise(layout.features.back().geometry, kSize, kSize)[static_cast<std::size_t>(y * kSize + x)],
            1);
      }
      const torch::Tensor shown = draw.pictures[0].slice(0, 0, 3).masked_select(draw.pictures[0][3].gt(0.99));
      EXPECT_LT(shown.max().item<double>(), 0) << "the first sample is nowhere as dark";
    }
    EXPECT_GT(into_first, 10);
  }
}

TEST(ReferenceDraw, LeavesTheRestAsItIs) {
  const shards::Batch batch = shards::collate({one_building(false), one_building(false)});
  const ReferenceDraw none = draw_references(batch, {.share = 0, .class_index = 2}, 1);
  EXPECT_FALSE(none.present.any().item<bool>());
  EXPECT_EQ(none.paint.min().item<float>(), 1.0F);
  EXPECT_EQ(none.layouts, batch.layouts);
}

}  // namespace
}  // namespace terragen::training
