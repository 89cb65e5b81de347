#include "terragen/data/recipe.h"

#include <gtest/gtest.h>

#include "terragen/core/error.h"
#include "terragen/core/test_paths.h"
#include "terragen/data/importer.h"
#include "terragen/geo/raster_io.h"

namespace terragen::data {
namespace {

const std::string kImagesAlone = R"(
name = "ground"
task = "ground"
[images]
path = "*.tif"
georeference = "none"
[splits]
train = ["*.tif"]
)";

TEST(Recipe, ImagesAloneNeedNoClasses) {
  const test::ScratchFolder scratch;
  geo::Raster raster = geo::make_raster(8, 8, 3, geo::DataType::uint8);
  raster.set(1, 2, 3, 7);
  geo::write_raster(scratch.path() / "one.tif", raster);
  const Dataset dataset =
      import_dataset(parse_recipe(kImagesAlone, "recipe"), {scratch.path()}, scratch.path() / "dataset");
  EXPECT_EQ(dataset.taxonomy.size(), 0);
  ASSERT_EQ(dataset.images.size(), 1U);
  EXPECT_TRUE(dataset.images.front().features.empty());
  EXPECT_EQ(read_dataset(scratch.path() / "dataset").images.size(), 1U);
}

TEST(Recipe, LabelsNeedClasses) {
  const std::string labelled = kImagesAlone + "[labels]\nformat = \"coco\"\npath = \"labels.json\"\n";
  EXPECT_THROW(parse_recipe(labelled, "recipe"), DataError);
  EXPECT_EQ(parse_recipe(labelled + "[[classes]]\nname = \"pool\"\n", "recipe").classes.size(), 1U);
}

TEST(Recipe, ClassesAreAnArrayOfTables) {
  EXPECT_THROW(parse_recipe(kImagesAlone + "[classes]\nname = \"pool\"\n", "recipe"), DataError);
}

TEST(Recipe, WhatLabelsAreToldByBelongsToOneClass) {
  const std::string labels = "[labels]\nformat = \"index-masks\"\npath = \"*.png\"\n";
  const auto parse = [&](const std::string& a, const std::string& b, const std::string& more = "") {
    return parse_recipe(
        kImagesAlone + labels + more + "[[classes]]\nname = \"a\"\n" + a + "\n[[classes]]\nname = \"b\"\n" + b + "\n",
        "recipe");
  };
  EXPECT_EQ(parse("id = 1", "id = [2, 3]").classes.size(), 2U);
  EXPECT_THROW(parse("id = 1", "id = [2, 1]"), DataError);
  EXPECT_THROW(parse("color = \"#102030\"", "color = \"#102030\""), DataError);
  EXPECT_THROW(parse("alias = \"c\"", "alias = [\"c\"]"), DataError);
  EXPECT_THROW(parse("id = 1", "id = 2", "ignore = [2]\n"), DataError);
  EXPECT_THROW(parse("id = 1", "id = 2", "ignore = [2147483647]\n"), DataError);
}

TEST(Recipe, RefusesKeysThatItDoesNotKnow) {
  EXPECT_THROW(parse_recipe(kImagesAlone + "[tiles]\nsise = 256\n", "recipe"), DataError);
}

}  // namespace
}  // namespace terragen::data
