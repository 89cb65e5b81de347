#include "terragen/data/folder_guess.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <format>

#include "terragen/core/atomic_file.h"
#include "terragen/core/error.h"
#include "terragen/core/seed.h"
#include "terragen/core/test_paths.h"
#include "terragen/data/exporter.h"
#include "terragen/data/importer.h"
#include "terragen/geo/raster_io.h"
#include "terragen/layout/rasterise.h"

namespace terragen::data {
namespace {

namespace fs = std::filesystem;

constexpr int kSize = 256;
constexpr int kObjects = 20;  // an image

layout::Geometry random_shape(const std::string& kind, Random& random) {
  const double x = random.uniform(40, 200);
  const double y = random.uniform(40, 200);
  const double w = random.uniform(4, 40);
  const double h = random.uniform(4, 40);
  if (kind == "boxes") return layout::make_box({x - w / 2, y - h / 2, x + w / 2, y + h / 2});
  if (kind == "oriented") return layout::make_oriented_box({x, y, w, h, random.uniform(-1.5, 1.5)});
  if (kind == "polygons") {
    layout::Vertices ring;
    for (int i = 0; i < 7; ++i) {
      const double angle = 2 * 3.14159265 * i / 7;
      const double r = random.uniform(0.5, 1.0);
      ring.push_back({x + r * w * std::cos(angle) / 2, y + r * h * std::sin(angle) / 2});
    }
    return layout::make_polygon(ring);
  }
  layout::Geometry holed = layout::make_polygon(
      {{x, y}, {x + w, y}, {x + w, y + h}, {x, y + h}},
      {{{x + w / 4, y + h / 4}, {x + w / 2, y + h / 4}, {x + w / 2, y + h / 2}, {x + w / 4, y + h / 2}}});
  holed.parts.push_back({{{x - 30, y - 30}, {x - 20, y - 30}, {x - 20, y - 18}}, {}});
  return holed;
}

// 1,000 shapes over 50 images, and one image without any; splits by place.
Dataset example(const fs::path& folder, const std::string& kind) {
  fs::create_directories(folder / "images");
  Dataset dataset;
  dataset.folder = folder;
  dataset.name = "d";
  dataset.task = "detection";
  dataset.data_type = "uint8";
  dataset.taxonomy = layout::Taxonomy({{"car", {}}, {"bus", {}}, {"ship", {}}});
  dataset.bands = {{"grey", 0, 255}};
  Random random(7);
  for (int i = 0; i <= 1000 / kObjects; ++i) {
    const std::string name = std::format("t{}.tif", i);
    geo::Raster raster = geo::make_raster(kSize, kSize, 1, geo::DataType::uint8);
    raster.georeference = {"EPSG:32645", geo::GeoTransform{350000 + 100.0 * i, 0.5, 0, 3057000, 0, -0.5}};
    geo::write_raster(folder / "images" / name, raster);
    ImageRecord image{.file_name = name, .width = kSize, .height = kSize, .crs = "EPSG:32645"};
    image.split = i % 5 == 0 ? Split::test : Split::train;
    image.crs_from_pixel = raster.georeference.crs_from_pixel;
    image.gsd = 0.5;
    for (int k = 0; k < kObjects && i * kObjects < 1000; ++k)
      image.features.push_back({k % 3, random_shape(kind, random), false, {}});
    dataset.images.push_back(image);
  }
  write_dataset(dataset, folder);
  return read_dataset(folder);
}

double drawn_iou(const layout::Geometry& a, const layout::Geometry& b) {
  // Drawn at eight times the size: the labels' own error is to be seen, not the grid's.
  const layout::Affine larger{.a = 8, .e = 8};
  const auto one = layout::rasterise(layout::transform(a, larger), 8 * kSize, 8 * kSize);
  const auto two = layout::rasterise(layout::transform(b, larger), 8 * kSize, 8 * kSize);
  double both = 0;
  double either = 0;
  for (std::size_t i = 0; i < one.size(); ++i) both += one[i] & two[i], either += one[i] | two[i];
  return either > 0 ? both / either : 0;
}

struct Case {
  std::string format;
  std::string shape;
};

void PrintTo(const Case& value, std::ostream* out) { *out << value.format << " " << value.shape; }

class RoundTrip : public testing::TestWithParam<Case> {};

TEST_P(RoundTrip, AThousandShapesThroughExportAndImportWithoutARecipe) {
  const auto& [format, shape] = GetParam();
  const test::ScratchFolder scratch;
  const Dataset before = example(scratch.path() / "d", shape);
  export_dataset(before, {.format = format, .shape = format == "yolo" ? shape : ""}, scratch.path() / "out");
  const Recipe recipe = parse_recipe(guess_recipe(scratch.path() / "out"), "guess");
  const Dataset after = import_dataset(recipe, {scratch.path() / "out"}, scratch.path() / "again");
  ASSERT_EQ(after.images.size(), before.images.size());
  double worst = 1;
  std::size_t empty = 0;
  for (const ImageRecord& image : before.images) {
    const auto found = std::ranges::find_if(after.images, [&](const ImageRecord& other) {
      return other.source.find("/" + image.file_name + " ") != std::string::npos;
    });
    ASSERT_NE(found, after.images.end()) << image.file_name;
    EXPECT_EQ(found->split, image.split);
    EXPECT_EQ(found->crs, image.crs);
    ASSERT_EQ(found->features.size(), image.features.size()) << image.file_name;
    if (image.features.empty()) ++empty;
    for (std::size_t i = 0; i < image.features.size(); i += 5) {  // every shape has its like among five
      const layout::Feature& one = image.features[i];
      const layout::Feature& two = found->features[i];
      EXPECT_EQ(before.taxonomy.at(one.class_index).name, after.taxonomy.at(two.class_index).name);
      worst = std::min(worst, drawn_iou(one.geometry, two.geometry));
      if (shape == "oriented") {
        const double turn =
            layout::minimum_oriented_box(one.geometry).angle - layout::minimum_oriented_box(two.geometry).angle;
        EXPECT_NEAR(std::remainder(turn, 3.14159265358979 / 2), 0, 0.01);
      }
    }
  }
  EXPECT_GE(worst, 0.99);
  EXPECT_EQ(empty, 1U);
}

INSTANTIATE_TEST_SUITE_P(Formats, RoundTrip,
                         testing::Values(Case{"coco", "boxes"}, Case{"coco", "oriented"}, Case{"coco", "polygons"},
                                         Case{"coco", "holes"}, Case{"yolo", "boxes"}, Case{"yolo", "oriented"},
                                         Case{"yolo", "polygons"}, Case{"dota", "boxes"}, Case{"dota", "oriented"},
                                         Case{"voc", "boxes"}, Case{"geojson", "oriented"}, Case{"geojson", "holes"}),
                         [](const auto& one) { return one.param.format + "_" + one.param.shape; });

TEST(FolderGuess, ImagesBesideMasks) {
  const test::ScratchFolder scratch;
  const Dataset before = example(scratch.path() / "d", "holes");
  export_dataset(before, {.format = "masks"}, scratch.path() / "out");
  const Recipe recipe = parse_recipe(guess_recipe(scratch.path() / "out"), "guess");
  EXPECT_EQ(recipe.labels_format, "index-masks");
  std::vector<std::string> names;
  for (const Recipe::Class& entry : recipe.classes) names.push_back(entry.name);
  EXPECT_EQ(names, (std::vector<std::string>{"car", "bus", "ship", "(background)"}));  // with what no object covers
  write_file(scratch.path() / "out/classes.json", R"({"classes":[{"name":"car"}]})");
  EXPECT_THROW(guess_recipe(scratch.path() / "out"), DataError);
}

TEST(FolderGuess, YoloWithAListOfNames) {
  const test::ScratchFolder scratch;
  const fs::path out = scratch.path() / "out";
  export_dataset(example(scratch.path() / "d", "oriented"), {.format = "yolo", .shape = "oriented"}, out);
  fs::remove(out / "data.yaml");
  EXPECT_THROW(guess_recipe(out), DataError);
  write_file(out / "classes.txt", "car\nbus\nship\n");
  const Recipe recipe = parse_recipe(guess_recipe(out), "guess");
  EXPECT_EQ(recipe.labels_format, "yolo-obb");
  ASSERT_EQ(recipe.classes.size(), 3U);
  EXPECT_EQ(recipe.classes[2].name, "ship");
  EXPECT_EQ(recipe.classes[2].ids, std::vector<int>{2});
  EXPECT_EQ(recipe.test, std::vector<std::string>{"images/test/**"});
  // Labels beside their images, as Darknet has them, and a list of images among them.
  const fs::path flat = scratch.path() / "flat";
  fs::create_directories(flat);
  for (const fs::path& file : {out / "images/train/t1.tif", out / "labels/train/t1.txt"}) {
    fs::copy_file(file, flat / file.filename());
  }
  write_file(flat / "obj.names", "car\nbus\nship\n");
  write_file(flat / "train.txt", "t1.tif\n");
  const Dataset dataset =
      import_dataset(parse_recipe(guess_recipe(flat), "guess"), {flat, flat}, scratch.path() / "again");
  EXPECT_EQ(dataset.images.at(0).features.size(), static_cast<std::size_t>(kObjects));
}

TEST(FolderGuess, SplitsOfAnotherMachineAreFoundOrRefused) {
  const test::ScratchFolder scratch;
  const Dataset before = example(scratch.path() / "d", "boxes");
  const fs::path out = scratch.path() / "out";
  export_dataset(before, {.format = "yolo"}, out);
  const std::string names = "names: [car, bus, ship]\n";
  write_file(out / "data.yaml", "train: /content/ds/images/train\ntest: /content/ds/images/test\n" + names);
  const Recipe recipe = parse_recipe(guess_recipe(out), "guess");
  EXPECT_EQ(recipe.train, std::vector<std::string>{"images/train/**"});
  EXPECT_EQ(recipe.test, std::vector<std::string>{"images/test/**"});
  // A list of folders, as Ultralytics takes it, and a folder without images.
  fs::create_directories(out / "images/later");
  write_file(out / "data.yaml",
             "train: [images/train, images/later]\nval: images/later\ntest:\n  - images/test  # all\n" + names);
  const Recipe listed = parse_recipe(guess_recipe(out), "guess");
  EXPECT_EQ(listed.train, std::vector<std::string>{"images/train/**"});
  EXPECT_TRUE(listed.val.empty());
  EXPECT_EQ(listed.test, std::vector<std::string>{"images/test/**"});
  // By the folders' names where the file's are not there, and refused where these say nothing either.
  write_file(out / "data.yaml", "train: a/learn\ntest: a/exam\n" + names);
  EXPECT_FALSE(parse_recipe(guess_recipe(out), "guess").test.empty());
  fs::rename(out / "images/test", out / "images/exam");
  fs::rename(out / "labels/test", out / "labels/exam");
  EXPECT_THROW(guess_recipe(out), DataError);
}

TEST(FolderGuess, TestFoldersStaySo) {
  const test::ScratchFolder scratch;
  for (const char* split : {"Train", "TEST"}) {
    const fs::path folder = scratch.path() / "voc" / split;
    for (const char* part : {"JPEGImages", "Annotations"}) fs::create_directories(folder / part);
    geo::write_raster(folder / "JPEGImages" / (std::string(split) + ".png"),
                      geo::make_raster(8, 8, 3, geo::DataType::uint8));
    write_file(
        folder / "Annotations" / (std::string(split) + ".xml"),
        "<annotation><size><width>8</width><height>8</height></size><object><name>car</name><bndbox><xmin>2</xmin>"
        "<ymin>2</ymin><xmax>5</xmax><ymax>5</ymax></bndbox></object></annotation>");
  }
  const Recipe recipe = parse_recipe(guess_recipe(scratch.path() / "voc"), "guess");
  EXPECT_EQ(recipe.train, std::vector<std::string>{"Train/**"});
  EXPECT_EQ(recipe.test, std::vector<std::string>{"TEST/**"});
  // An image beside the splits could be of either.
  fs::create_directories(scratch.path() / "voc/images");
  geo::write_raster(scratch.path() / "voc/images/more.png", geo::make_raster(8, 8, 3, geo::DataType::uint8));
  EXPECT_THROW(guess_recipe(scratch.path() / "voc"), DataError);
}

TEST(FolderGuess, MasksKeep255Unlabelled) {
  const test::ScratchFolder scratch;
  for (const char* part : {"images", "masks"}) fs::create_directories(scratch.path() / "in" / part);
  geo::Raster raster = geo::make_raster(4, 1, 1, geo::DataType::uint8);
  geo::write_raster(scratch.path() / "in/images/a.png", raster);
  for (const auto& [x, value] : {std::pair{1, 1}, {2, 2}, {3, 255}}) raster.set(0, x, 0, value);
  geo::write_raster(scratch.path() / "in/masks/a.png", raster);
  const Recipe recipe = parse_recipe(guess_recipe(scratch.path() / "in"), "guess");
  const Dataset dataset = import_dataset(recipe, {scratch.path() / "in", scratch.path() / "in"}, scratch.path() / "d");
  EXPECT_EQ(layout_of(dataset, dataset.images.at(0)).mask->values,
            (std::vector<std::uint8_t>{0, 1, 2, layout::kUnlabelled}));
}

TEST(FolderGuess, WhatIsNotRecognisedSaysWhatWasLookedFor) {
  const test::ScratchFolder scratch;
  write_file(scratch.path() / "notes.txt", "nothing here");
  EXPECT_THROW(guess_recipe(scratch.path()), DataError);
}

}  // namespace
}  // namespace terragen::data
