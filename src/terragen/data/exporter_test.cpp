#include "terragen/data/exporter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "terragen/core/atomic_file.h"
#include "terragen/core/error.h"
#include "terragen/core/test_paths.h"
#include "terragen/data/importer.h"
#include "terragen/formats/coco.h"
#include "terragen/formats/geojson.h"
#include "terragen/formats/voc.h"
#include "terragen/formats/yolo.h"
#include "terragen/geo/raster_io.h"

namespace terragen::data {
namespace {

Dataset example(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder / "images");
  Dataset dataset;
  dataset.folder = folder;
  dataset.name = "d";
  dataset.task = "detection";
  dataset.data_type = "uint8";
  dataset.taxonomy = layout::Taxonomy({{"car", {}}, {"bus", {}}});
  dataset.bands = {{"grey", 0, 255}};
  for (const char* name : {"a.tif", "empty.tif"}) {
    geo::Raster raster = geo::make_raster(64, 48, 1, geo::DataType::uint8);
    raster.georeference = {"EPSG:32645", geo::GeoTransform{350000, 0.5, 0, 3057000, 0, -0.5}};
    geo::write_raster(folder / "images" / name, raster);
    ImageRecord image{.file_name = name, .width = 64, .height = 48, .crs = "EPSG:32645"};
    image.crs_from_pixel = raster.georeference.crs_from_pixel;
    image.gsd = 0.5;
    dataset.images.push_back(image);
  }
  dataset.images[0].features.push_back({1, layout::make_oriented_box({30, 20, 20, 8, 0.3}), false, {}});
  write_dataset(dataset, folder);
  return read_dataset(folder);
}

TEST(Exporter, OrientedYoloKeepsTheAngleAndEmptyImages) {
  const test::ScratchFolder scratch;
  const Dataset dataset = example(scratch.path() / "d");
  EXPECT_THROW(export_dataset(dataset, {.format = "yolo"}, scratch.path() / "boxes"), RequestError);
  EXPECT_FALSE(std::filesystem::exists(scratch.path() / "boxes"));
  EXPECT_EQ(export_dataset(dataset, {.format = "yolo", .lossy = true}, scratch.path() / "boxes").approximated, 1U);
  export_dataset(dataset, {.format = "yolo", .shape = "oriented"}, scratch.path() / "y");
  std::vector<formats::LabelProblem> problems;
  const auto labels =
      formats::read_yolo(scratch.path() / "y/labels/train/a.txt", formats::YoloShape::oriented, 2, 64, 48, problems);
  EXPECT_NEAR(layout::minimum_oriented_box(labels.at(0).geometry).angle, 0.3, 1e-5);
  EXPECT_EQ(read_file(scratch.path() / "y/labels/train/empty.txt"), "");
  EXPECT_EQ(formats::read_yolo_names(scratch.path() / "y/data.yaml"), (std::vector<std::string>{"car", "bus"}));
}

TEST(Exporter, CocoMasksAndGeoJson) {
  const test::ScratchFolder scratch;
  const Dataset dataset = example(scratch.path() / "d");
  export_dataset(dataset, {.format = "coco"}, scratch.path() / "c");
  const auto coco = formats::read_coco(scratch.path() / "c/train/_annotations.coco.json");
  EXPECT_EQ(coco.images.at(0).features.at(0).geometry, dataset.images[0].features[0].geometry);
  export_dataset(dataset, {.format = "masks"}, scratch.path() / "m");
  EXPECT_EQ(geo::read_raster(scratch.path() / "m/masks/train/a.png").at(0, 30, 20), 1);
  export_dataset(dataset, {.format = "geojson"}, scratch.path() / "g");
  const auto map = formats::read_geojson(scratch.path() / "g/labels.geojson");
  EXPECT_EQ(map.features.at(0).properties.at("class"), "bus");
  EXPECT_NEAR(map.features[0].geometry.parts[0].exterior[0].x, 85.48, 0.05);
  EXPECT_THROW(export_dataset(dataset, {.format = "shapefile"}, scratch.path() / "x"), RequestError);
}

std::vector<layout::Feature> exported_yolo(const std::filesystem::path& folder, formats::YoloShape shape) {
  std::vector<formats::LabelProblem> problems;
  const auto features = formats::read_yolo(folder / "labels/train/a.txt", shape, 2, 64, 48, problems);
  EXPECT_TRUE(problems.empty()) << problems.front().sentence;
  return features;
}

TEST(Exporter, NothingReachesBeyondTheImage) {
  const test::ScratchFolder scratch;
  Dataset dataset = example(scratch.path() / "d");
  dataset.images[0].features = {{0, layout::make_polyline({{0, 40}, {64, 44}}, 20), false, {}},
                                {1, layout::make_point({62, 4}, 6), false, {}}};
  export_dataset(dataset, {.format = "yolo", .lossy = true}, scratch.path() / "y");
  for (const layout::Feature& feature : exported_yolo(scratch.path() / "y", formats::YoloShape::boxes)) {
    const layout::Bounds b = layout::bounds_of(feature.geometry);
    EXPECT_GE(std::min(b.x0, b.y0), -1e-6);
    EXPECT_LE(b.x1, 64 + 1e-6);
    EXPECT_LE(b.y1, 48 + 1e-6);
  }
  export_dataset(dataset, {.format = "coco"}, scratch.path() / "c");
  const Json coco = read_json(scratch.path() / "c/train/_annotations.coco.json");
  ASSERT_EQ(coco.at("annotations").size(), 2U);
  for (const Json& annotation : coco.at("annotations")) {
    const auto box = annotation.at("bbox").get<std::vector<double>>();
    EXPECT_GE(std::min(box[0], box[1]), 0);
    EXPECT_LE(box[0] + box[2], 64);
    EXPECT_LE(box[1] + box[3], 48);
    for (const Json& ring : annotation.at("segmentation")) {
      for (std::size_t i = 0; i < ring.size(); i += 2) {
        EXPECT_TRUE(ring[i] >= 0 && ring[i] <= 64 && ring[i + 1] >= 0 && ring[i + 1] <= 48);
      }
    }
  }
  // A disc whose right side lies outside.
  EXPECT_LT(coco.at("annotations")[1].at("area").get<double>(), 0.8 * 3.14159 * 36);
}

TEST(Exporter, WhatIsNotToBeCountedStaysSoOrIsRefused) {
  const test::ScratchFolder scratch;
  Dataset dataset = example(scratch.path() / "d");
  dataset.images[0].features = {{0, layout::make_box({2, 2, 30, 30}), false, {}, true},
                                {1, layout::make_box({40, 2, 50, 30}), true, {}}};
  export_dataset(dataset, {.format = "geojson"}, scratch.path() / "g");
  const Recipe recipe = parse_recipe(
      "name = \"d\"\ntask = \"detection\"\n[[classes]]\nname = \"car\"\n[[classes]]\nname = \"bus\"\n"
      "[images]\npath = \"**/a.tif\"\n[labels]\nformat = \"geojson\"\npath = \"labels.geojson\"\n"
      "class_property = \"class\"\n",
      "recipe");
  const Dataset back =
      import_dataset(recipe, {scratch.path() / "g", scratch.path() / "g"}, scratch.path() / "imported");
  ASSERT_EQ(back.images.at(0).features.size(), 2U);
  EXPECT_TRUE(back.images[0].features[0].difficult);
  EXPECT_TRUE(back.images[0].features[1].crowd);
  dataset.images[0].features.pop_back();
  EXPECT_THROW(export_dataset(dataset, {.format = "yolo"}, scratch.path() / "y"), RequestError);
}

TEST(Exporter, ALineWithBendsIsAPolygonAlongIt) {
  const test::ScratchFolder scratch;
  Dataset dataset = example(scratch.path() / "d");
  const layout::Geometry road = layout::make_polyline({{4, 4}, {40, 4}, {40, 40}}, 4);
  dataset.images[0].features = {{0, road, false, {}}};
  export_dataset(dataset, {.format = "yolo", .shape = "polygons", .lossy = true}, scratch.path() / "y");
  const auto features = exported_yolo(scratch.path() / "y", formats::YoloShape::polygons);
  ASSERT_EQ(features.size(), 1U);
  EXPECT_NEAR(layout::area_of(features[0].geometry), 36 * 4 * 2, 40);
}

TEST(Exporter, CrowdsAreNoObjects) {
  const test::ScratchFolder scratch;
  Dataset dataset = example(scratch.path() / "d");
  dataset.images[0].features = {{0, layout::make_box({2, 2, 30, 30}), true, {}},
                                {1, layout::make_box({40, 2, 50, 30}), false, {}}};
  EXPECT_THROW(export_dataset(dataset, {.format = "yolo"}, scratch.path() / "y"), RequestError);
  EXPECT_EQ(export_dataset(dataset, {.format = "yolo", .lossy = true}, scratch.path() / "y").left_out, 1U);
  EXPECT_EQ(exported_yolo(scratch.path() / "y", formats::YoloShape::boxes).size(), 1U);
  export_dataset(dataset, {.format = "voc"}, scratch.path() / "v");
  std::vector<formats::LabelProblem> problems;
  const formats::VocFile voc = formats::read_voc(scratch.path() / "v/Annotations/a.xml", problems);
  EXPECT_TRUE(voc.objects.at(0).difficult);
  EXPECT_FALSE(voc.objects.at(1).difficult);
}

TEST(Exporter, YoloListsWhatTrainersAskFor) {
  const test::ScratchFolder scratch;
  Dataset dataset = example(scratch.path() / "d");
  dataset.taxonomy = layout::Taxonomy({{"a \"b\" \\c", {}}, {"bus", {}}});
  export_dataset(dataset, {.format = "yolo", .shape = "oriented"}, scratch.path() / "y");
  const std::string yaml = read_file(scratch.path() / "y/data.yaml");
  EXPECT_NE(yaml.find("train: images/train\nval: images/train\n"), std::string::npos) << yaml;
  EXPECT_EQ(yaml.find("path:"), std::string::npos);
  EXPECT_EQ(formats::read_yolo_names(scratch.path() / "y/data.yaml"), (std::vector<std::string>{"a \"b\" \\c", "bus"}));
}

TEST(Exporter, MasksOfObjectsHaveABackground) {
  const test::ScratchFolder scratch;
  const Dataset dataset = example(scratch.path() / "d");
  export_dataset(dataset, {.format = "masks"}, scratch.path() / "m");
  EXPECT_EQ(geo::read_raster(scratch.path() / "m/masks/train/a.png").at(0, 1, 1), 2);
  EXPECT_EQ(geo::read_raster(scratch.path() / "m/masks/train/empty.png").at(0, 30, 20), 2);
  EXPECT_EQ(read_json(scratch.path() / "m/classes.json").at("classes").at(2).at("name"), "(background)");
}

TEST(Exporter, RefusesWhatWouldBeLost) {
  const test::ScratchFolder scratch;
  Dataset dataset = example(scratch.path() / "d");
  EXPECT_THROW(export_dataset(dataset, {.format = "coco", .shape = "boxes"}, scratch.path() / "x"), RequestError);
  std::filesystem::rename(dataset.folder / "images/empty.tif", dataset.folder / "images/a.tiff");
  dataset.images[1].file_name = "a.tiff";
  EXPECT_THROW(export_dataset(dataset, {.format = "voc", .lossy = true}, scratch.path() / "x"), RequestError);
  dataset.taxonomy = layout::Taxonomy({{"small car", {}}, {"small-car", {}}});
  dataset.images.pop_back();
  EXPECT_THROW(export_dataset(dataset, {.format = "dota"}, scratch.path() / "x"), RequestError);
}

// What pycocotools' index, annToMask and evaluation take for granted.
void expect_coco_readers_content(const Json& coco) {
  std::map<std::int64_t, std::pair<double, double>> images;
  for (const Json& image : coco.at("images")) {
    EXPECT_TRUE(image.at("file_name").is_string());
    const auto [entry, fresh] = images.emplace(image.at("id"), std::pair{image.at("width"), image.at("height")});
    EXPECT_TRUE(fresh);
  }
  std::set<std::int64_t> categories;
  for (const Json& category : coco.at("categories")) {
    EXPECT_TRUE(categories.insert(category.at("id").get<std::int64_t>()).second);
    EXPECT_GT(category.at("id").get<int>(), 0);  // 0 is the background to many readers
    EXPECT_TRUE(category.at("name").is_string());
  }
  std::set<std::int64_t> annotations;
  for (const Json& annotation : coco.at("annotations")) {
    EXPECT_TRUE(annotations.insert(annotation.at("id").get<std::int64_t>()).second);
    EXPECT_TRUE(categories.contains(annotation.at("category_id")));
    ASSERT_TRUE(images.contains(annotation.at("image_id")));
    const auto [width, height] = images[annotation.at("image_id")];
    const auto box = annotation.at("bbox").get<std::vector<double>>();
    ASSERT_EQ(box.size(), 4U);
    EXPECT_GT(box[2], 0);
    EXPECT_GT(box[3], 0);
    EXPECT_LT(box[0], width);
    EXPECT_LT(box[1], height);
    EXPECT_GT(annotation.at("area").get<double>(), 0);
    const int crowd = annotation.at("iscrowd");
    EXPECT_TRUE(crowd == 0 || crowd == 1);
    const Json& segmentation = annotation.at("segmentation");
    if (segmentation.is_array()) {
      EXPECT_FALSE(segmentation.empty());
      for (const Json& ring : segmentation) {
        EXPECT_GE(ring.size(), 6U);
        EXPECT_EQ(ring.size() % 2, 0U);
      }
    } else {
      double sum = 0;
      for (const Json& count : segmentation.at("counts")) sum += count.get<double>();
      EXPECT_EQ(sum, width * height);
      EXPECT_EQ(segmentation.at("size"), (Json{height, width}));
    }
  }
}

TEST(Exporter, CocoReadersFindWhatTheyTakeForGranted) {
  const test::ScratchFolder scratch;
  Dataset dataset = example(scratch.path() / "d");
  layout::Geometry holed = layout::make_polygon({{5, 5}, {30, 5}, {30, 30}, {5, 30}}, {{{9, 9}, {15, 9}, {15, 15}}});
  dataset.images[0].features.push_back({0, holed, false, {}});
  dataset.images[0].features.push_back({0, layout::make_polyline({{0, 40}, {60, 44}}, 3), false, {}});
  dataset.images[0].features.push_back({1, layout::make_point({50, 10}, 4), true, {}});
  write_dataset(dataset, dataset.folder);
  expect_coco_readers_content(read_json(dataset.folder / "annotations.json"));
  export_dataset(dataset, {.format = "coco"}, scratch.path() / "c");
  expect_coco_readers_content(read_json(scratch.path() / "c/train/_annotations.coco.json"));
}

}  // namespace
}  // namespace terragen::data
