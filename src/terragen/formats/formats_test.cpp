#include <gtest/gtest.h>

#include <cmath>

#include "terragen/core/atomic_file.h"
#include "terragen/core/error.h"
#include "terragen/core/seed.h"
#include "terragen/core/test_paths.h"
#include "terragen/formats/coco.h"
#include "terragen/formats/geojson.h"
#include "terragen/formats/points_csv.h"
#include "terragen/formats/yolo.h"
#include "terragen/layout/rasterise.h"

namespace terragen::formats {
namespace {

std::vector<layout::Feature> random_shapes(int count) {
  Random random(4);
  std::vector<layout::Feature> features;
  for (int i = 0; i < count; ++i) {
    const double x = random.uniform(20, 200);
    const double y = random.uniform(20, 200);
    const double w = random.uniform(4, 40);
    const double h = random.uniform(4, 40);
    layout::Geometry shape;
    switch (i % 5) {
      case 0:
        shape = layout::make_box({x, y, x + w, y + h});
        break;
      case 1:
        shape = layout::make_oriented_box({x, y, w, h, random.uniform(-1.5, 1.5)});
        break;
      case 2:
        shape = layout::make_polygon({{x, y}, {x + w, y}, {x + w, y + h}, {x, y + h}},
                                     {{{x + 1, y + 1}, {x + w / 2, y + 1}, {x + w / 2, y + h / 2}}});
        break;
      case 3:
        shape = layout::make_polyline({{x, y}, {x + w, y + h}, {x + 2 * w, y}}, 3.5);
        break;
      default:
        shape = layout::make_point({x, y}, w / 4);
        break;
    }
    features.push_back({i % 3, shape, false, {}});
  }
  return features;
}

AnnotationSet example_set() {
  AnnotationSet set;
  set.taxonomy = layout::Taxonomy({{"a", {1, 2, 3}}, {"b", {4, 5, 6}}, {"c", {7, 8, 9}}});
  set.images = {{"one.png", 256, 256, random_shapes(1000)}, {"empty.png", 256, 256, {}}};
  return set;
}

TEST(Coco, AThousandShapesComeBackExactly) {
  const test::ScratchFolder scratch;
  const AnnotationSet set = example_set();
  write_coco(set, scratch.path() / "a.json");
  const AnnotationSet again = read_coco(scratch.path() / "a.json");
  EXPECT_EQ(again.taxonomy, set.taxonomy);
  ASSERT_EQ(again.images.size(), 2U);
  EXPECT_TRUE(again.images[1].features.empty());
  ASSERT_EQ(again.images[0].features.size(), 1000U);
  for (std::size_t i = 0; i < 1000; ++i) {
    EXPECT_EQ(again.images[0].features[i].geometry, set.images[0].features[i].geometry);
    EXPECT_EQ(again.images[0].features[i].class_index, set.images[0].features[i].class_index);
  }
}

TEST(Coco, OtherReadersSeeTheSameShapes) {
  // Without our extra key the shapes must still be there: areas of what is drawn agree.
  Json json = coco_json(example_set());
  for (Json& annotation : json["annotations"]) annotation.erase("terragen");
  const AnnotationSet plain = coco_from_json(json, "test");
  const std::vector<layout::Feature> shapes = random_shapes(1000);
  for (std::size_t i = 0; i < 1000; ++i) {
    const auto a = layout::rasterise(shapes[i].geometry, 256, 256);
    const auto b = layout::rasterise(plain.images[0].features[i].geometry, 256, 256);
    int both = 0;
    int either = 0;
    for (std::size_t p = 0; p < a.size(); ++p) both += a[p] & b[p], either += a[p] | b[p];
    EXPECT_GE(both, 0.99 * either) << i;
  }
}

TEST(Coco, RunLengths) {
  const std::vector<std::uint8_t> mask{0, 1, 1, 0, 1, 0};  // 3 wide, 2 high
  EXPECT_EQ(mask_from_rle(rle_from_mask(mask, 3, 2), 3, 2, "t"), mask);
  EXPECT_THROW(mask_from_rle({3, 2}, 3, 2, "t"), DataError);
  EXPECT_THROW(mask_from_rle({3, 4}, 3, 2, "t"), DataError);
  // The text form: five bits a character, differences to the count before last from the third on.
  EXPECT_EQ(rle_from_text("52", "t"), (std::vector<std::uint32_t>{5, 2}));
  EXPECT_THROW(rle_from_text("\x7F", "t"), DataError);
}

TEST(Coco, DamageIsNamed) {
  const auto refuse = [](const std::string& annotation) {
    const std::string text =
        R"({"images":[{"id":1,"file_name":"a","width":4,"height":4}],"categories":[{"id":1,"name":"x"}],"annotations":[)" +
        annotation + "]}";
    EXPECT_THROW(coco_from_json(Json::parse(text), "t"), DataError) << annotation;
  };
  refuse(R"({"id":1,"image_id":2,"category_id":1,"bbox":[0,0,1,1]})");
  refuse(R"({"id":1,"image_id":1,"category_id":0,"bbox":[0,0,1,1]})");
  refuse(R"({"id":1,"image_id":1,"category_id":1,"bbox":[0,0,1]})");
  refuse(R"({"id":1,"image_id":1,"category_id":1,"segmentation":[[0,0,1,1,2]]})");
  refuse(R"({"id":1,"image_id":1,"category_id":1,"segmentation":{"size":[4,4],"counts":[3,4]}})");
  refuse(R"({"id":1,"image_id":1,"category_id":1,"bbox":[0,0,null,1]})");
}

TEST(GeoJson, RoundTripAndDamage) {
  const test::ScratchFolder scratch;
  GeoFile file;
  file.crs = "EPSG:32611";
  file.members["terragen"] = {{"task", "road"}};
  file.features.push_back(
      {layout::make_polygon({{0, 0}, {9, 0}, {9, 9}}, {{{5, 1}, {8, 1}, {8, 4}}}), {{"class", "a"}}});
  file.features.push_back({layout::make_polyline({{0, 0}, {1, 1}}, 0), {{"class", "b"}}});
  write_geojson(file, scratch.path() / "a.geojson");
  const GeoFile again = read_geojson(scratch.path() / "a.geojson");
  EXPECT_EQ(again.crs, "EPSG:32611");
  EXPECT_EQ(again.members["terragen"]["task"], "road");
  ASSERT_EQ(again.features.size(), 2U);
  EXPECT_EQ(again.features[0].geometry, file.features[0].geometry);
  EXPECT_EQ(again.features[1].geometry.lines, file.features[1].geometry.lines);
  write_file(
      scratch.path() / "b.geojson",
      R"({"type":"FeatureCollection","features":[{"type":"Feature","geometry":{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1]]]}}]})");
  EXPECT_THROW(read_geojson(scratch.path() / "b.geojson"), DataError);
}

TEST(Yolo, RoundTripAndDamage) {
  const test::ScratchFolder scratch;
  const auto path = scratch.path() / "a.txt";
  std::vector<LabelProblem> problems;
  const std::vector<layout::Feature> boxes{{1, layout::make_box({10, 20, 30, 50}), false, {}}};
  write_yolo(boxes, YoloShape::boxes, 200, 100, path);
  EXPECT_NEAR(layout::bounds_of(read_yolo(path, YoloShape::boxes, 2, 200, 100, problems)[0].geometry).x1, 30, 1e-4);
  const std::vector<layout::Feature> turned{{0, layout::make_oriented_box({50, 50, 30, 12, 0.4}), false, {}}};
  write_yolo(turned, YoloShape::oriented, 200, 100, path);
  const auto back =
      layout::minimum_oriented_box(read_yolo(path, YoloShape::oriented, 2, 200, 100, problems)[0].geometry);
  EXPECT_NEAR(back.angle, 0.4, 1e-4);
  EXPECT_TRUE(problems.empty());
  write_file(path,
             "\xEF\xBB\xBF"
             "0 0.5 0.5 0.1 0.1\r\n\r\n");
  EXPECT_EQ(read_yolo(path, YoloShape::boxes, 1, 100, 100, problems).size(), 1U);
  for (const char* damaged : {"0 0.5 0.5 0.1", "7 0.5 0.5 0.1 0.1", "0 0.5 x 0.1 0.1", "0 0.5 nan 0.1 0.1",
                              "0.5 0.5 0.5 0.1 0.1", "0 0.5 0.5 -0.1 0.1", "\xFF"}) {
    write_file(path, damaged);
    EXPECT_THROW(read_yolo(path, YoloShape::boxes, 1, 100, 100, problems), DataError) << damaged;
  }
  write_file(scratch.path() / "data.yaml", "path: x\nnames:\n  0: car\n  1: 'big truck'\n");
  EXPECT_EQ(read_yolo_names(scratch.path() / "data.yaml"), (std::vector<std::string>{"car", "big truck"}));
  write_file(scratch.path() / "data.yaml", "names: ['small, vehicle', \"ship #2\", driver's cab]  # three\n");
  EXPECT_EQ(read_yolo_names(scratch.path() / "data.yaml"),
            (std::vector<std::string>{"small, vehicle", "ship #2", "driver's cab"}));
}

TEST(PointsCsv, ColumnsInAnyOrder) {
  const test::ScratchFolder scratch;
  write_file(scratch.path() / "a.csv", "Y, x,label\r\n2,1,tree\r\n");
  const auto points = read_points_csv(scratch.path() / "a.csv");
  ASSERT_EQ(points.size(), 1U);
  EXPECT_EQ(points[0].position, (layout::Point{1, 2}));
  EXPECT_EQ(points[0].class_name, "tree");
  write_file(scratch.path() / "a.csv", "x,y\n1\n");
  EXPECT_THROW(read_points_csv(scratch.path() / "a.csv"), DataError);
}

}  // namespace
}  // namespace terragen::formats
