#include "terragen/data/withheld_class.h"

#include <gtest/gtest.h>

#include "terragen/core/atomic_file.h"
#include "terragen/core/error.h"
#include "terragen/core/test_paths.h"
#include "terragen/data/test_dataset.h"

namespace terragen::data {
namespace {

namespace fs = std::filesystem;

// One image of 4 x 1 pixels: grass, water, road, unlabelled; and a road as a feature.
Dataset three_classes(const fs::path& folder) {
  ImageRecord image{.file_name = "a.png"};
  image.features.push_back({2, layout::make_box({2, 0, 3, 1}), false, {}});
  return write_grey_dataset(folder, {{"grass", {}}, {"water", {}}, {"road", {}}},
                            geo::make_raster(4, 1, 1, geo::DataType::uint8), {4, 1, {0, 1, 2, layout::kUnlabelled}},
                            image);
}

TEST(WithheldClass, IsUnlabelledAndNamedNowhere) {
  const test::ScratchFolder scratch;
  const Dataset dataset = three_classes(scratch.path() / "d");
  write_without_class(dataset, "water", scratch.path() / "without");
  const Dataset without = read_dataset(scratch.path() / "without");
  EXPECT_EQ(without.taxonomy.find("water"), -1);
  EXPECT_EQ(without.taxonomy.find("road"), 1);
  const layout::Layout layout = layout_of(without, without.images.front());
  EXPECT_EQ(layout.mask->values, (std::vector<std::uint8_t>{0, layout::kUnlabelled, 1, layout::kUnlabelled}));
  ASSERT_EQ(layout.features.size(), 1U);
  EXPECT_EQ(layout.features.front().class_index, 1);
  EXPECT_EQ(without.provenance.at("withheld_class"), "water");
  EXPECT_EQ(read_file(without.folder / "images/a.png"), read_file(dataset.folder / "images/a.png"));
  write_without_class(dataset, "road", scratch.path() / "roadless");
  EXPECT_TRUE(read_dataset(scratch.path() / "roadless").images.front().features.empty());
}

TEST(WithheldClass, RefusesWhatCannotBeWithheld) {
  const test::ScratchFolder scratch;
  Dataset dataset = three_classes(scratch.path() / "d");
  EXPECT_THROW(write_without_class(dataset, "sand", scratch.path() / "out"), RequestError);
  dataset.dense = false;
  EXPECT_THROW(write_without_class(dataset, "water", scratch.path() / "out"), RequestError);
  EXPECT_FALSE(fs::exists(scratch.path() / "out"));
}

}  // namespace
}  // namespace terragen::data
