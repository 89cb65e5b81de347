#include "terragen/data/example_windows.h"

#include <gtest/gtest.h>

#include "terragen/core/error.h"
#include "terragen/core/test_paths.h"
#include "terragen/data/test_dataset.h"
#include "terragen/geo/raster_io.h"

namespace terragen::data {
namespace {

namespace fs = std::filesystem;

constexpr int kWidth = 10;
constexpr int kHeight = 6;

// Grass with two ponds of 2 x 2 pixels, at columns 1 and 6 of rows 2 and 3, and a wall below the second; each pixel's
// value is its number.
Dataset two_ponds(const fs::path& folder) {
  geo::Raster raster = geo::make_raster(kWidth, kHeight, 1, geo::DataType::uint8);
  layout::DenseMask mask{kWidth, kHeight, std::vector<std::uint8_t>(kWidth * kHeight, 0)};
  for (int y = 0; y < kHeight; ++y) {
    for (int x = 0; x < kWidth; ++x) {
      raster.set(0, x, y, y * kWidth + x);
      const bool pond = y >= 2 && y < 4 && ((x >= 1 && x < 3) || (x >= 6 && x < 8));
      mask.values[static_cast<std::size_t>(y * kWidth + x)] = pond ? 1 : y == 4 ? 2 : 0;
    }
  }
  ImageRecord image{.file_name = "a.tif", .place = "here"};
  image.crs = "EPSG:32611";
  image.crs_from_pixel = {{400000, 2, 0, 4000000, 0, -2}};
  image.gsd = 2;
  image.features = {{2, layout::make_box({6, 4, 8, 5}), false, {}}};
  raster.georeference = {image.crs, image.crs_from_pixel};
  return write_grey_dataset(folder, {{"grass", {}}, {"pond", {}}, {"wall", {}}}, raster, mask, image);
}

TEST(ExampleWindows, ShowOneThingEachWhereItLies) {
  const test::ScratchFolder scratch;
  const Dataset dataset = two_ponds(scratch.path() / "d");
  const fs::path output = scratch.path() / "examples";
  write_example_windows(dataset, "pond", {{0, layout::make_box({1, 2, 3, 4})}, {0, layout::make_box({6, 2, 8, 4})}}, 6,
                        output);
  const Dataset examples = read_dataset(output);
  EXPECT_EQ(examples.taxonomy, dataset.taxonomy);
  ASSERT_EQ(examples.images.size(), 2U);
  const ImageRecord& second = examples.images[1];
  EXPECT_EQ(second.place, "here");
  ASSERT_TRUE(second.crs_from_pixel);
  EXPECT_EQ((*second.crs_from_pixel)[0], 400008);  // the window begins at the fifth column
  const geo::Raster raster = geo::read_raster(output / "images" / second.file_name);
  EXPECT_EQ(raster.width, 6);
  EXPECT_EQ(raster.at(0, 0, 0), 4);
  EXPECT_EQ(raster.georeference.crs_from_pixel, second.crs_from_pixel);
  const layout::Layout layout = layout_of(examples, second);
  EXPECT_EQ(layout.mask->at(2, 2), 1);
  EXPECT_EQ(layout.mask->at(0, 4), 2);
  EXPECT_EQ(layout.mask->at(0, 0), 0);
  ASSERT_EQ(layout.features.size(), 1U);
  EXPECT_EQ(layout.features.front().geometry, layout::make_box({2, 4, 4, 5}));
  // The first window, moved inside, shows a column of the other pond.
  const layout::Layout first = layout_of(examples, examples.images.front());
  EXPECT_EQ(first.mask->at(1, 2), 1);
  EXPECT_EQ(std::ranges::count(first.mask->values, 1), 4);
}

TEST(ExampleWindows, LeaveOtherThingsOfTheClassUnlabelled) {
  const test::ScratchFolder scratch;
  const Dataset dataset = two_ponds(scratch.path() / "d");
  write_example_windows(dataset, "pond", {{0, layout::make_box({1, 2, 3, 4})}}, 100, scratch.path() / "whole");
  const Dataset whole = read_dataset(scratch.path() / "whole");
  EXPECT_EQ(whole.images.front().width, kWidth);
  const layout::Layout layout = layout_of(whole, whole.images.front());
  EXPECT_EQ(layout.mask->at(1, 2), 1);
  EXPECT_EQ(layout.mask->at(6, 2), layout::kUnlabelled);
}

TEST(ExampleWindows, RefuseWhatSaysNothing) {
  const test::ScratchFolder scratch;
  Dataset dataset = two_ponds(scratch.path() / "d");
  const std::vector<MarkedThing> marked{{0, layout::make_box({1, 2, 3, 4})}};
  EXPECT_THROW(write_example_windows(dataset, "sea", marked, 6, scratch.path() / "out"), RequestError);
  EXPECT_THROW(write_example_windows(dataset, "pond", marked, 0, scratch.path() / "out"), RequestError);
  dataset.dense = false;
  EXPECT_THROW(write_example_windows(dataset, "pond", marked, 6, scratch.path() / "out"), RequestError);
  EXPECT_FALSE(fs::exists(scratch.path() / "out"));
}

}  // namespace
}  // namespace terragen::data
