#include "terragen/data/importer.h"

#include <gtest/gtest.h>

#include "terragen/core/atomic_file.h"
#include "terragen/core/error.h"
#include "terragen/core/json_file.h"
#include "terragen/core/test_paths.h"
#include "terragen/data/exporter.h"
#include "terragen/data/recipe.h"
#include "terragen/geo/raster_io.h"

namespace terragen::data {
namespace {

namespace fs = std::filesystem;

void write_image(const fs::path& path, geo::DataType type, const geo::Georeference& georeference = {}) {
  fs::create_directories(path.parent_path());
  geo::Raster raster = geo::make_raster(64, 64, 1, type);
  for (int y = 0; y < 64; ++y) {
    for (int x = 0; x < 64; ++x) raster.set(0, x, y, x + y);
  }
  raster.georeference = georeference;
  geo::write_raster(path, raster);
}

Recipe recipe_of(const std::string& images, const std::string& rest) {
  return parse_recipe(
      "name = \"d\"\ntask = \"detection\"\n[[classes]]\nname = \"a\"\n[images]\npath = \"**/*.tif\"\n" + images + rest,
      "recipe");
}

const std::string kUnlabelledImages = "[labels]\nformat = \"none\"\n";

TEST(Importer, TilesKeepLinesAndWhatCoversThem) {
  const test::ScratchFolder scratch;
  write_image(scratch.path() / "1.tif", geo::DataType::uint8, {"EPSG:32645", geo::GeoTransform{0, 1, 0, 64, 0, -1}});
  // A road and a lake of which one tile holds less than a tenth, and a hut of which it holds an edge.
  write_file(scratch.path() / "labels.geojson", R"({"type": "FeatureCollection",
    "crs": {"type": "name", "properties": {"name": "EPSG:32645"}}, "features": [
    {"type": "Feature", "properties": {}, "geometry": {"type": "LineString", "coordinates": [[-2000, 50], [2000, 50]]}},
    {"type": "Feature", "properties": {}, "geometry": {"type": "Polygon",
      "coordinates": [[[-900, -900], [900, -900], [900, 900], [-900, 900], [-900, -900]]]}},
    {"type": "Feature", "properties": {}, "geometry": {"type": "Polygon",
      "coordinates": [[[31.5, 31], [43, 31], [43, 19], [31.5, 19], [31.5, 31]]]}}]})");
  const Dataset dataset = import_dataset(
      recipe_of("", "[labels]\nformat = \"geojson\"\npath = \"*.geojson\"\nwidth = 4\n[tiles]\nsize = 32\n"),
      {scratch.path(), scratch.path()}, scratch.path() / "d");
  ASSERT_EQ(dataset.images.size(), 4U);
  std::vector<std::size_t> found;
  for (const ImageRecord& image : dataset.images) found.push_back(image.features.size());
  EXPECT_EQ(found, (std::vector<std::size_t>{2, 2, 1, 2}));
}

TEST(Importer, EveryEntryOfTheSplitsMeansSomething) {
  const test::ScratchFolder scratch;
  const ImportRoots roots{scratch.path(), scratch.path()};
  for (const char* name : {"a.tif", "b.tif"}) write_image(scratch.path() / name, geo::DataType::uint8);
  const auto import_with = [&](const std::string& splits, const char* output) {
    return import_dataset(recipe_of("", kUnlabelledImages + "[splits]\n" + splits), roots, scratch.path() / output);
  };
  EXPECT_THROW(import_with("train = [\"*\"]\ntest = [\"tests/*\"]\n", "glob"), DataError);
  write_file(scratch.path() / "test.txt", "/data/b.tif\n");
  EXPECT_THROW(import_with("train = [\"*\"]\ntest = [\"@test.txt\"]\n", "list"), DataError);
  write_file(scratch.path() / "test.txt", "b\nc\n");
  const Dataset dataset = import_with("train = [\"*\"]\ntest = [\"@test.txt\"]\n", "some");
  EXPECT_EQ(dataset.images.at(1).split, Split::test);
  ASSERT_EQ(dataset.problems.size(), 1U);
  EXPECT_NE(dataset.problems.front().sentence.find("such as c"), std::string::npos);
}

TEST(Importer, APlaceIsFoundOrTheImageRefused) {
  const test::ScratchFolder scratch;
  for (const char* name : {"train/austin_1.tif", "test/austin_2.tif"}) {
    write_image(scratch.path() / name, geo::DataType::uint8);
  }
  const Recipe recipe = recipe_of("place = \"^train/([a-z]+)_\"\n", kUnlabelledImages);
  EXPECT_THROW(import_dataset(recipe, {scratch.path(), scratch.path()}, scratch.path() / "d"), DataError);
}

TEST(Importer, BandsInAnotherOrderAreNotCalledColours) {
  const test::ScratchFolder scratch;
  geo::write_raster(scratch.path() / "1.tif", geo::make_raster(8, 8, 4, geo::DataType::uint8));
  const auto names_of = [&](const std::string& bands, const char* output) {
    const Dataset dataset =
        import_dataset(recipe_of(bands, kUnlabelledImages), {scratch.path(), scratch.path()}, scratch.path() / output);
    std::vector<std::string> names;
    for (const BandInfo& band : dataset.bands) names.push_back(band.name);
    return names;
  };
  EXPECT_EQ(names_of("bands = [3, 0, 1]\n", "nir"), (std::vector<std::string>{"band4", "band1", "band2"}));
  EXPECT_EQ(names_of("bands = [0, 1, 2]\n", "rgb"), (std::vector<std::string>{"red", "green", "blue"}));
}

TEST(Importer, PercentilesNeedTrainingImages) {
  const test::ScratchFolder scratch;
  write_image(scratch.path() / "1.tif", geo::DataType::uint16);
  const ImportRoots roots{scratch.path(), scratch.path()};
  const std::string all_test = kUnlabelledImages + "[splits]\ntest = [\"**\"]\n";
  EXPECT_THROW(import_dataset(recipe_of("", all_test), roots, scratch.path() / "d"), DataError);
  const Dataset dataset = import_dataset(recipe_of("range = [0, 200]\n", all_test), roots, scratch.path() / "e");
  EXPECT_EQ(dataset.bands.at(0).high, 200);
}

TEST(Importer, TheGeoreferenceSaysTheGroundSamplingDistance) {
  const test::ScratchFolder scratch;
  write_image(scratch.path() / "here.tif", geo::DataType::uint8,
              {"EPSG:32645", geo::GeoTransform{0, 10, 0, 0, 0, -10}});
  write_image(scratch.path() / "nowhere.tif", geo::DataType::uint8);
  const Dataset dataset = import_dataset(recipe_of("gsd = 0.3\n", kUnlabelledImages), {scratch.path(), scratch.path()},
                                         scratch.path() / "d");
  EXPECT_NEAR(*dataset.images.at(0).gsd, 10, 0.1);
  EXPECT_EQ(*dataset.images.at(1).gsd, 0.3);
}

TEST(Importer, NamesOfAnyScriptStayApart) {
  const test::ScratchFolder scratch;
  for (const char* name : {"北.tif", "南.tif", "St..tif"}) write_image(scratch.path() / name, geo::DataType::uint8);
  import_dataset(recipe_of("", kUnlabelledImages), {scratch.path(), scratch.path()}, scratch.path() / "d");
  EXPECT_EQ(read_dataset(scratch.path() / "d").images.size(), 3U);
}

TEST(Importer, ADenseMaskIsExportedAsAMaskAlone) {
  const test::ScratchFolder scratch;
  write_image(scratch.path() / "images/1.tif", geo::DataType::uint8);
  fs::create_directories(scratch.path() / "masks");
  geo::write_raster(scratch.path() / "masks/1.png", geo::make_raster(64, 64, 1, geo::DataType::uint8));
  const Recipe recipe = parse_recipe(
      "name = \"d\"\ntask = \"segmentation\"\n[[classes]]\nname = \"a\"\nid = 0\n[images]\npath = \"images/*.tif\"\n"
      "[labels]\nformat = \"index-masks\"\npath = \"masks/*.png\"\n",
      "recipe");
  const Dataset dataset = import_dataset(recipe, {scratch.path(), scratch.path()}, scratch.path() / "d");
  EXPECT_THROW(export_dataset(dataset, {.format = "coco"}, scratch.path() / "coco"), RequestError);
  EXPECT_EQ(export_dataset(dataset, {.format = "masks"}, scratch.path() / "masks-again").images, 1U);
}

}  // namespace
}  // namespace terragen::data
