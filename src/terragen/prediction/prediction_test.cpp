// Rasters of any size through a network, and the files that come out.
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "terragen/core/error.h"
#include "terragen/core/seed.h"
#include "terragen/core/test_paths.h"
#include "terragen/prediction/image_strips.h"
#include "terragen/prediction/predict.h"
#include "terragen/prediction/shape_file.h"
#include "terragen/prediction/tiled_segmentation.h"

namespace terragen::prediction {
namespace {

namespace fs = std::filesystem;

TEST(ShapeFile, AKnownBoxOnEarthAndInPixels) {
  const test::ScratchFolder scratch;
  geo::RasterInfo info{.width = 100, .height = 80, .bands = 1};
  const layout::Geometry box = layout::make_box({10, 20, 30, 40});
  ShapeFile pixels("a.tif", info, {{"model_sha256", "x"}});
  pixels.add(box, {{"class", "ship"}});
  pixels.write(scratch.path() / "pixels.geojson");
  const auto in_pixels = formats::read_geojson(scratch.path() / "pixels.geojson");
  EXPECT_EQ(in_pixels.members.at("terragen").at("coordinates"), "pixel");
  EXPECT_EQ(in_pixels.members.at("terragen").at("image"), "a.tif");
  EXPECT_EQ(in_pixels.features.at(0).geometry.parts, box.parts);

  info.georeference = {"EPSG:3857", geo::GeoTransform{1000000, 10, 0, 6000000, 0, -10}};
  ShapeFile map("a.tif", info, {{"model_sha256", "x"}});
  map.add(box, {{"class", "ship"}});
  map.write(scratch.path() / "map.geojson");
  const auto on_map = formats::read_geojson(scratch.path() / "map.geojson");
  EXPECT_FALSE(on_map.members.at("terragen").contains("coordinates"));
  EXPECT_EQ(on_map.crs, "EPSG:4326");
  const layout::Vertices& ring = on_map.features.at(0).geometry.parts.at(0).exterior;
  constexpr double kRadius = 6378137;
  constexpr double kDegrees = 180 / std::numbers::pi;
  const auto longitude = [&](double x) { return (1000000 + 10 * x) / kRadius * kDegrees; };
  const auto latitude = [&](double y) { return std::atan(std::sinh((6000000 - 10 * y) / kRadius)) * kDegrees; };
  ASSERT_EQ(ring.size(), 4U);
  double twice_area = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    const layout::Point p = ring[i];
    const layout::Point q = ring[(i + 1) % 4];
    twice_area += p.x * q.y - q.x * p.y;
    EXPECT_LT(std::min(std::abs(p.x - longitude(10)), std::abs(p.x - longitude(30))), 1e-9);
    EXPECT_LT(std::min(std::abs(p.y - latitude(20)), std::abs(p.y - latitude(40))), 1e-9);
  }
  EXPECT_GT(twice_area, 0);  // counterclockwise
}

models::PerceptionModel small_model(const std::string& architecture) {
  torch::manual_seed(3);
  models::PerceptionConfig config{.architecture = architecture,
                                  .taxonomy = layout::Taxonomy({{"water", {0, 0, 255}}, {"road", {90, 90, 90}}})};
  config.images = {{{"red", 100, 1100}, {"nir", 0, 2000}}, "uint16"};
  config.background = config.is_segmenter();
  return models::new_perception_model(config);
}

geo::Raster scene(bool located) {
  Random random(11);
  geo::Raster raster = geo::make_raster(150, 100, 2, geo::DataType::uint16);
  for (int b = 0; b < 2; ++b) {
    for (int y = 0; y < 100; ++y) {
      for (int x = 0; x < 150; ++x) raster.set(b, x, y, 600 + 500 * std::sin(x / 9.0 + b) + random.uniform(0, 300));
    }
  }
  raster.nodata = 0;
  for (int y = 0; y < 100; ++y) {
    for (int x = 0; x < 20; ++x) raster.set(0, x, y, 0);
  }
  if (located) raster.georeference = {"EPSG:32633", geo::GeoTransform{500000, 2, 0, 5000000, 0, -2}};
  return raster;
}

TEST(Predict, SegmentsRastersByTiles) {
  const test::ScratchFolder scratch;
  geo::write_raster(scratch.path() / "there.tif", scene(true));
  geo::write_raster(scratch.path() / "nowhere.tif", scene(false));
  const models::PerceptionInference inference(small_model("unet-resnet18"), {});
  const PredictOptions options{.tiles = {64, 32}, .probabilities = "float32", .polygons = true};
  const fs::path out = scratch.path() / "out";
  std::vector<PredictedImage> done;
  predict(inference, {scratch.path() / "there.tif", scratch.path() / "nowhere.tif"}, options, out,
          [&](const PredictedImage& image) { done.push_back(image); });
  ASSERT_EQ(done.size(), 2U);
  EXPECT_EQ(done[0].width, 150);
  for (const fs::path& file : done[1].files) EXPECT_TRUE(fs::exists(file)) << file;

  ImageStrips image(scratch.path() / "there.tif", inference.model().config.images, {});
  std::vector<torch::Tensor> parts;
  blend_tiles(
      150, 100, 3, options.tiles,
      [&](const geo::PixelWindow& w) { return inference.class_probabilities(image.pixels(w)); },
      [&](int, const torch::Tensor& rows) { parts.push_back(rows.clone()); });
  const torch::Tensor expected = torch::cat(parts, 1);
  EXPECT_NEAR(image.pixels({30, 20, 10, 10})[0][2][3].item<double>(), (scene(true).at(0, 33, 22) - 100) / 1000 * 2 - 1,
              1e-6);
  const geo::Raster classes = geo::read_raster(out / "there_classes.tif");
  const geo::Raster probabilities = geo::read_raster(out / "there_probabilities.tif");
  EXPECT_EQ(classes.type, geo::DataType::uint8);
  EXPECT_EQ(classes.nodata, 255);
  EXPECT_EQ(classes.georeference.crs, "EPSG:32633");
  EXPECT_EQ(classes.georeference.crs_from_pixel, scene(true).georeference.crs_from_pixel);
  EXPECT_EQ(probabilities.georeference.crs_from_pixel, scene(true).georeference.crs_from_pixel);
  ASSERT_EQ(probabilities.bands, 3);
  const torch::Tensor best = expected.argmax(0);
  for (int y = 0; y < 100; ++y) {
    for (int x = 0; x < 150; ++x) {
      ASSERT_EQ(classes.at(0, x, y), x < 20 ? 255 : static_cast<double>(best[y][x].item<std::int64_t>()));
      if (x < 20) {
        ASSERT_TRUE(std::isnan(probabilities.at(1, x, y)));
      } else {
        ASSERT_NEAR(probabilities.at(1, x, y), expected[1][y][x].item<double>(), 1e-6);
      }
    }
  }
  const Json list = read_json(out / "classes.json");
  EXPECT_EQ(list.at("nodata"), 255);
  EXPECT_EQ(list.at("classes").at(0), Json({{"number", 0}, {"name", "water"}, {"color", "#0000FF"}}));
  EXPECT_EQ(list.at("classes").at(2).at("name"), "(background)");

  // Polygons cover just the pixels of their class.
  const geo::Raster mask = geo::read_raster(out / "nowhere_classes.tif");
  EXPECT_FALSE(mask.georeference.crs_from_pixel.has_value());
  EXPECT_EQ(mask.samples, classes.samples);
  std::array<double, 2> pixels{};
  for (int y = 0; y < 100; ++y) {
    for (int x = 0; x < 150; ++x) {
      if (const double k = mask.at(0, x, y); k < 2) ++pixels.at(static_cast<std::size_t>(k));
    }
  }
  const auto regions = formats::read_geojson(out / "nowhere_polygons.geojson");
  EXPECT_EQ(regions.features.size(), done[1].shapes);
  std::array<double, 2> areas{};
  for (const formats::GeoFeature& f : regions.features) {
    areas.at(f.properties.at("class") == "water" ? 0 : 1) += layout::area_of(f.geometry);
  }
  EXPECT_EQ(areas, pixels);
}

TEST(Predict, DetectsInRasters) {
  const test::ScratchFolder scratch;
  geo::write_raster(scratch.path() / "a.tif", scene(false));
  const models::PerceptionInference inference(small_model("fcos-resnet18"), {});
  const PredictOptions options{.tiles = {64, 32}, .least_score = 0.01};
  predict(inference, {scratch.path() / "a.tif"}, options, scratch.path() / "out", [](const PredictedImage&) {});
  const auto objects = formats::read_geojson(scratch.path() / "out/a_objects.geojson");
  EXPECT_EQ(objects.members.at("terragen").at("coordinates"), "pixel");
  ASSERT_FALSE(objects.features.empty());
  for (const formats::GeoFeature& object : objects.features) {
    const layout::Bounds b = layout::bounds_of(object.geometry);
    EXPECT_GE(object.properties.at("score").get<double>(), 0.01);
    EXPECT_GE((b.x0 + b.x1) / 2, 20);  // nothing was measured left of there
    EXPECT_TRUE(object.properties.at("class") == "water" || object.properties.at("class") == "road");
  }
  EXPECT_FALSE(fs::exists(scratch.path() / "out/classes.json"));
}

// A building site's own grid leads to no degrees.
TEST(Predict, ShapesOfASitesOwnGridAreInPixels) {
  const test::ScratchFolder scratch;
  geo::Raster raster = scene(true);
  raster.georeference.crs = "LOCAL_CS[\"site grid\",UNIT[\"metre\",1],AXIS[\"x\",EAST],AXIS[\"y\",NORTH]]";
  geo::write_raster(scratch.path() / "site.tif", raster);
  const models::PerceptionInference inference(small_model("unet-resnet18"), {});
  const PredictOptions options{.tiles = {64, 32}, .polygons = true};
  predict(inference, {scratch.path() / "site.tif"}, options, scratch.path() / "out", [](const PredictedImage&) {});
  const auto shapes = formats::read_geojson(scratch.path() / "out/site_polygons.geojson");
  EXPECT_EQ(shapes.members.at("terragen").at("coordinates"), "pixel");
}

TEST(Predict, RefusesWhatItCannotDo) {
  const test::ScratchFolder scratch;
  const fs::path out = scratch.path() / "out";
  fs::create_directory(scratch.path() / "b");
  geo::write_raster(scratch.path() / "a.tif", scene(true));
  geo::write_raster(scratch.path() / "b/a.tif", scene(true));
  geo::write_raster(scratch.path() / "bytes.tif", geo::make_raster(64, 64, 2, geo::DataType::uint8));
  geo::write_raster(scratch.path() / "three.tif", geo::make_raster(64, 64, 3, geo::DataType::uint16));
  const models::PerceptionInference inference(small_model("unet-resnet18"), {});
  const auto run = [&](const std::vector<fs::path>& images, const PredictOptions& options = {}) {
    predict(inference, images, options, out, [](const PredictedImage&) {});
  };
  EXPECT_THROW(run({scratch.path() / "bytes.tif"}), RequestError);
  EXPECT_THROW(run({scratch.path() / "three.tif"}), RequestError);
  EXPECT_THROW(run({scratch.path() / "three.tif"}, {.bands = {0, 3}}), RequestError);
  EXPECT_THROW(run({scratch.path() / "a.tif", scratch.path() / "b/a.tif"}), RequestError);
  EXPECT_THROW(run({scratch.path() / "none.tif"}), DataError);
  EXPECT_THROW(run({scratch.path() / "a.tif"}, {.tiles = {100, 10}}), RequestError);
  EXPECT_THROW(run({scratch.path() / "a.tif"}, {.tiles = {64, 64}}), RequestError);
  EXPECT_THROW(run({scratch.path() / "a.tif"}, {.probabilities = "int16"}), RequestError);
  EXPECT_THROW(run({scratch.path() / "a.tif"}, {.least_score = 0.5}), RequestError);
  EXPECT_FALSE(fs::exists(out));
  run({scratch.path() / "three.tif"}, {.tiles = {64, 0}, .bands = {2, 0}});
  EXPECT_TRUE(fs::exists(out / "three_classes.tif"));
  EXPECT_THROW(run({scratch.path() / "three.tif"}, {.bands = {2, 0}}), RequestError);  // is there already
  models::PerceptionConfig detector = inference.model().config;
  detector.architecture = "fcos-resnet18";
  EXPECT_THROW(PredictOptions{.polygons = true}.validate(detector), RequestError);
}

}  // namespace
}  // namespace terragen::prediction
