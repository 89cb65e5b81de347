// The real folders, each through its recipe in examples/recipes/.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "terragen/core/test_paths.h"
#include "terragen/data/importer.h"
#include "terragen/data/packing.h"
#include "terragen/formats/geojson.h"
#include "terragen/geo/georeference.h"
#include "terragen/shards/shard_reader.h"

namespace terragen::data {
namespace {

namespace fs = std::filesystem;

Dataset import_real(const std::string& recipe, const std::string& folder, const fs::path& output) {
  const fs::path file = fs::path(TERRAGEN_SOURCE_DIR) / "examples" / "recipes" / (recipe + ".toml");
  import_dataset(read_recipe(file), {test::data_folder() / folder}, output);
  return read_dataset(output);  // what other readers see
}

std::size_t objects(const Dataset& dataset) {
  std::size_t count = 0;
  for (const ImageRecord& image : dataset.images) count += image.features.size();
  return count;
}

#define SKIP_WITHOUT(folder) \
  if (!fs::exists(test::data_folder() / (folder))) GTEST_SKIP() << "no real data in " << test::data_folder() / (folder)

TEST(RealImport, KitVehicles) {
  SKIP_WITHOUT("kit_vehicles");
  const test::ScratchFolder scratch;
  const Dataset dataset = import_real("kit_vehicles", "kit_vehicles", scratch.path() / "d");
  EXPECT_EQ(dataset.taxonomy.size(), 5);
  EXPECT_GT(objects(dataset), 1000U);
  EXPECT_TRUE(dataset.problems.empty());
  for (const ImageRecord& image : dataset.images) EXPECT_TRUE(image.crs.empty());
}

// Images of two folders share a name, and the labels lie elsewhere.
TEST(RealImport, BoxesApartFromTheImages) {
  SKIP_WITHOUT("dubai_landcover");
  const test::ScratchFolder scratch;
  const fs::path here = fs::path(TERRAGEN_SOURCE_DIR) / "examples" / "five_ponds";
  const Dataset dataset = import_dataset(read_recipe(here / "ponds.toml"),
                                         {test::data_folder() / "dubai_landcover", here}, scratch.path() / "d");
  ASSERT_EQ(dataset.images.size(), 5U);
  for (const ImageRecord& image : dataset.images) EXPECT_EQ(image.features.size(), 1U) << image.source;
  const auto found = std::ranges::find_if(dataset.images, [](const ImageRecord& image) {
    return image.source.starts_with("Tile 4/images/image_part_001");
  });
  ASSERT_NE(found, dataset.images.end());
  EXPECT_EQ(layout::bounds_of(found->features.at(0).geometry).x0, 233);
}

TEST(RealImport, ShipsOfFiveBandsPackAndRead) {
  SKIP_WITHOUT("sen2_ships");
  const test::ScratchFolder scratch;
  const Dataset dataset = import_real("sen2_ships", "sen2_ships", scratch.path() / "d");
  EXPECT_EQ(dataset.data_type, "uint16");
  ASSERT_EQ(dataset.bands.size(), 5U);
  const PackSummary summary = pack_datasets({scratch.path() / "d"}, scratch.path() / "s", {});
  EXPECT_EQ(summary.train + summary.val + summary.test, std::ssize(dataset.images));
  const shards::ShardReader reader(scratch.path() / "s", "train");
  const shards::Sample sample = reader.get(0);
  EXPECT_EQ(sample.image.size(0), 5);
  EXPECT_GT(sample.image.std().item<double>(), 0.01);
}

TEST(RealImport, TreesInPixelsAndInUtmAgree) {
  SKIP_WITHOUT("naip_trees");
  const test::ScratchFolder scratch;
  const Dataset dataset = import_real("naip_trees", "naip_trees", scratch.path() / "d");
  ASSERT_EQ(dataset.bands.size(), 4U);
  int compared = 0;
  for (const ImageRecord& image : dataset.images) {
    EXPECT_NEAR(*image.gsd, 0.6, 0.01);
    const std::string stem = fs::path(image.file_name).stem().string().substr(std::string("images_").size());
    const fs::path file = test::data_folder() / "naip_trees" / "points_geojson" / (stem + ".json");
    if (!fs::exists(file)) continue;
    const formats::GeoFile points = formats::read_geojson(file);
    const geo::CrsTransform transform(points.crs, image.crs);
    const std::size_t count = std::min<std::size_t>({5, points.features.size(), image.features.size()});
    for (std::size_t i = 0; i < count; ++i) {
      const layout::Point p = points.features[i].geometry.points.at(0);
      geo::Position at{p.x, p.y};
      if (std::abs(p.x) <= 180) at = transform.apply(at).value();
      const geo::Position pixel = geo::pixel_from_crs(*image.crs_from_pixel, at);
      double nearest = 1e9;
      for (const layout::Feature& f : image.features) {
        nearest =
            std::min(nearest, std::hypot(f.geometry.points.at(0).x - pixel.x, f.geometry.points.at(0).y - pixel.y));
      }
      EXPECT_LT(nearest, 1.5) << stem;
      ++compared;
    }
  }
  EXPECT_GT(compared, 100);
}

TEST(RealImport, BuildingsByTileName) {
  SKIP_WITHOUT("oam_buildings_geotiff");
  const test::ScratchFolder scratch;
  const Dataset dataset = import_real("oam_buildings_geotiff", "oam_buildings_geotiff", scratch.path() / "d");
  EXPECT_EQ(dataset.images.size(), 48U);
  EXPECT_GT(objects(dataset), 1500U);
  for (const ImageRecord& image : dataset.images) EXPECT_EQ(image.crs, "EPSG:3857");
}

TEST(RealImport, ThirteenBandsAndAMaskWithHoles) {
  SKIP_WITHOUT("sen1floods11_sample");
  const test::ScratchFolder scratch;
  const Dataset dataset = import_real("sen1floods11_sample", "sen1floods11_sample", scratch.path() / "d");
  ASSERT_EQ(dataset.images.size(), 1U);
  EXPECT_EQ(dataset.bands.size(), 13U);
  EXPECT_EQ(dataset.data_type, "int16");
  const layout::Layout layout = layout_of(dataset, dataset.images[0]);
  EXPECT_EQ(std::ranges::count(layout.mask->values, layout::kUnlabelled), 99);
}

TEST(RealImport, FloodsPairedByNumber) {
  SKIP_WITHOUT("ombria_floods");
  const test::ScratchFolder scratch;
  const Dataset dataset = import_real("ombria_floods", "ombria_floods", scratch.path() / "d");
  EXPECT_EQ(dataset.images.size(), 191U);
}

}  // namespace
}  // namespace terragen::data
