// Masks taken apart and put together again.
#include "terragen/models/mask_ops.h"

#include <gtest/gtest.h>

#include "terragen/core/error.h"
#include "terragen/models/mask_regions.h"
#include "terragen/models/mask_run_lengths.h"

namespace terragen::models {
namespace {

// Rows of '#' and '.'.
torch::Tensor drawn(const std::vector<std::string>& rows) {
  torch::Tensor mask = torch::zeros({std::ssize(rows), std::ssize(rows[0])}, torch::kBool);
  for (std::size_t y = 0; y < rows.size(); ++y) {
    for (std::size_t x = 0; x < rows[y].size(); ++x) {
      mask[static_cast<std::int64_t>(y)][static_cast<std::int64_t>(x)] = rows[y][x] == '#';
    }
  }
  return mask;
}

TEST(MaskRegions, CornersConnect) {
  const torch::Tensor stairs = drawn({"#...", ".#..", "..#.", "...#"});
  EXPECT_FALSE(remove_small_islands(stairs, 4).changed);
  const MendedMask removed = remove_small_islands(drawn({"##..#", "##...", ".....", "#...."}), 2);
  EXPECT_TRUE(removed.changed);
  EXPECT_TRUE(torch::equal(removed.mask, drawn({"##...", "##...", ".....", "....."})));
  // The two holes touch at a corner: one of two pixels.
  const torch::Tensor ring = drawn({"####", "#.##", "##.#", "####"});
  EXPECT_FALSE(fill_small_holes(ring, 2).changed);
  EXPECT_TRUE(fill_small_holes(ring, 3).mask.all().item<bool>());
}

TEST(MaskRegions, OfOnlySmallIslandsTheLargestStays) {
  const MendedMask mended = remove_small_islands(drawn({"#..##", ".....", "##...", "....."}), 100);
  EXPECT_TRUE(mended.changed);
  EXPECT_TRUE(torch::equal(mended.mask, drawn({"...##", ".....", ".....", "....."})));
}

TEST(MaskRegions, NothingAndEverything) {
  const torch::Tensor none = torch::zeros({3, 4}, torch::kBool), all = torch::ones({3, 4}, torch::kBool);
  EXPECT_FALSE(remove_small_islands(none, 5).changed);
  EXPECT_FALSE(fill_small_holes(all, 5).changed);
  EXPECT_FALSE(fill_small_holes(none, 12).changed);
  EXPECT_TRUE(torch::equal(fill_small_holes(none, 13).mask, all));
  EXPECT_TRUE(torch::equal(remove_small_islands(all, 13).mask, all));
}

TEST(MaskRunLengths, ThereAndBack) {
  torch::manual_seed(4);
  const torch::Tensor masks = torch::rand({5, 7, 9}).gt(torch::linspace(0, 1, 5).view({5, 1, 1}));
  const std::vector<metrics::RunLengths> runs = run_lengths(masks);
  for (std::size_t i = 0; i < runs.size(); ++i) {
    EXPECT_TRUE(torch::equal(mask_of_run_lengths(runs[i], 7, 9), masks[static_cast<std::int64_t>(i)])) << i;
  }
  EXPECT_EQ(run_lengths(drawn({"#.", "##"}).unsqueeze(0))[0], (metrics::RunLengths{0, 2, 1, 1}));
  EXPECT_THROW(mask_of_run_lengths({3, 2}, 2, 3), InternalError);
  EXPECT_THROW(mask_of_run_lengths({3, 4}, 2, 3), InternalError);
}

TEST(MaskOps, PartsOfAnImageCoverIt) {
  for (const ImageSize& size : {ImageSize{37, 64}, ImageSize{300, 17}}) {
    torch::Tensor seen = torch::zeros({3, size.height, size.width});
    for (const auto& [window, layer] : crop_windows(size, 2, 0.3)) {
      seen[layer].slice(0, window.y0, window.y1).slice(1, window.x0, window.x1).fill_(1);
    }
    EXPECT_TRUE(seen.eq(1).all().item<bool>());
  }
  EXPECT_THROW(crop_windows({5, 3}, 3, 0.0), RequestError);
  EXPECT_THROW(crop_windows({50, 30}, -1, 0.3), RequestError);
  EXPECT_THROW(crop_windows({50, 30}, 1, 1.0), RequestError);
  EXPECT_THROW(point_grid(0), RequestError);
  EXPECT_TRUE(torch::equal(point_grid(1), torch::full({1, 2}, 0.5, torch::kFloat64)));
}

}  // namespace
}  // namespace terragen::models
