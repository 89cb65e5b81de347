#include "terragen/data/label_source.h"

#include <gtest/gtest.h>

#include <format>

#include "terragen/core/atomic_file.h"
#include "terragen/core/error.h"
#include "terragen/core/test_paths.h"

namespace terragen::data {
namespace {

namespace fs = std::filesystem;

// What the labels below `root` say of images of 100x100 pixels, half a metre each where `located`.
class Labels {
 public:
  Labels(const fs::path& root, const std::string& labels, const std::string& classes)
      : recipe_(parse_recipe("name = \"d\"\ntask = \"detection\"\n" + classes +
                                 "[images]\npath = \"**/*.png\"\ngeoreference = \"none\"\n[labels]\n" + labels,
                             "recipe")),
        source_(recipe_, root, root, taxonomy_) {}

  std::vector<layout::Feature> of(const std::string& path) {
    SourceImage image{path, 100, 100, {"EPSG:32645", geo::GeoTransform{0, 0.5, 0, 50, 0, -0.5}}, 0.5};
    return source_.labels_of(image)->features;
  }
  std::vector<formats::LabelProblem> problems() {
    source_.finish();
    return source_.problems();
  }

 private:
  Recipe recipe_;
  layout::Taxonomy taxonomy_{{{"a", {}}, {"b", {}}}};
  LabelSource source_;
};

const std::string kTwo = "[[classes]]\nname = \"a\"\n[[classes]]\nname = \"b\"\n";
const std::string kOne = "[[classes]]\nname = \"a\"\n";

void write_below(const fs::path& root, const std::string& path, const std::string& text) {
  fs::create_directories((root / path).parent_path());
  write_file(root / path, text);
}

TEST(LabelSource, EqualNamesAreToldApartByTheFoldersAnywhereInThePath) {
  const test::ScratchFolder scratch;
  write_below(scratch.path(), "labels/train/1.txt", "0 0.5 0.5 0.2 0.2\n");
  write_below(scratch.path(), "labels/val/1.txt", "1 0.5 0.5 0.2 0.2\n");
  Labels labels(scratch.path(), "format = \"yolo\"\npath = \"labels/**/*.txt\"\n", kTwo);
  EXPECT_EQ(labels.of("images/train/1.png").at(0).class_index, 0);
  EXPECT_EQ(labels.of("images/val/1.png").at(0).class_index, 1);
  EXPECT_THROW(labels.of("images/1.png"), DataError);
}

TEST(LabelSource, LabelsThatBelongToNoImageAreAProblem) {
  const test::ScratchFolder scratch;
  for (const char* label : {"1", "2", "3"}) {
    write_below(scratch.path(), std::format("labels/{}.txt", label), "0 0.5 0.5 0.2 0.2\n");
  }
  write_below(scratch.path(), "labels/classes.txt", "a\nb\n");
  Labels yolo(scratch.path(), "format = \"yolo\"\npath = \"labels/*.txt\"\n", kTwo);
  EXPECT_EQ(yolo.of("images/1.png").size(), 1U);
  auto problems = yolo.problems();
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_EQ(problems[0].place, "labels/2.txt");
  EXPECT_EQ(problems[0].sentence, "the label file belongs to no image, and so do 1 more: left out");
  write_below(scratch.path(), "all.json",
              R"({"images":[{"id":1,"file_name":"1.png"},{"id":2,"file_name":"2.png"}],"annotations":[],
                  "categories":[{"id":1,"name":"a"}]})");
  write_below(scratch.path(), "images/1.png", "");
  Labels coco(scratch.path(), "format = \"coco\"\npath = \"all.json\"\n", kOne);
  coco.of("images/1.png");
  problems = coco.problems();
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_EQ(problems[0].place, "all.json: 2.png");
}

TEST(LabelSource, ALabelIsTheNearestImages) {
  const test::ScratchFolder scratch;
  for (const char* image : {"a/images/1.png", "b/images/1.png"}) write_below(scratch.path(), image, "");
  write_below(scratch.path(), "b/labels/1.txt", "1 0.5 0.5 0.2 0.2\n");
  const std::string named = "format = \"yolo\"\npath = \"**/labels/*.txt\"\n";
  EXPECT_EQ(Labels(scratch.path(), named, kTwo).of("b/images/1.png").size(), 1U);
  EXPECT_TRUE(Labels(scratch.path(), named, kTwo).of("a/images/1.png").empty());
  EXPECT_THROW(Labels(scratch.path(), named + "missing = \"refuse\"\n", kTwo).of("a/images/1.png"), DataError);
}

std::string coco_of(const std::string& file_name, int category) {
  return std::format(
      R"({{"images": [{{"id": 1, "file_name": "{}", "width": 100, "height": 100}}],
           "annotations": [{{"id": 1, "image_id": 1, "category_id": {}, "bbox": [10, 10, 20, 20]}}],
           "categories": [{{"id": 1, "name": "a"}}, {{"id": 2, "name": "b"}}]}})",
      file_name, category);
}

TEST(LabelSource, CocoFilesThatCouldBothMeanAnImageAreRefused) {
  const test::ScratchFolder scratch;
  write_below(scratch.path(), "annotations/train.json", coco_of("1.png", 1));
  write_below(scratch.path(), "annotations/val.json", coco_of("1.png", 2));
  const std::string named = "format = \"coco\"\npath = \"**/*.json\"\n";
  EXPECT_THROW(Labels(scratch.path(), named, kTwo).of("val/1.png"), DataError);
  write_below(scratch.path(), "annotations/train.json", coco_of("train/1.png", 1));
  write_below(scratch.path(), "annotations/val.json", coco_of("val/1.png", 2));
  EXPECT_EQ(Labels(scratch.path(), named, kTwo).of("val/1.png").at(0).class_index, 1);
}

TEST(LabelSource, ACocoEntryIsTheImageOfItsFolder) {
  const test::ScratchFolder scratch;
  for (const char* image : {"a/1.png", "b/1.png"}) write_below(scratch.path(), image, "");
  write_below(scratch.path(), "all.json", coco_of("b/1.png", 1));
  const std::string named = "format = \"coco\"\npath = \"*.json\"\n";
  EXPECT_EQ(Labels(scratch.path(), named, kTwo).of("b/1.png").size(), 1U);
  EXPECT_THROW(Labels(scratch.path(), named, kTwo).of("a/1.png"), DataError);
  EXPECT_TRUE(Labels(scratch.path(), named + "missing = \"empty\"\n", kTwo).of("a/1.png").empty());
}

std::string square_at(double x) {
  return std::format(
      R"({{"type": "FeatureCollection", "crs": {{"type": "name", "properties": {{"name": "EPSG:32645"}}}},
           "features": [{{"type": "Feature", "properties": {{}}, "geometry": {{"type": "Polygon",
             "coordinates": [[[{0}, 10], [{1}, 10], [{1}, 15], [{0}, 15], [{0}, 10]]]}}}}]}})",
      x, x + 5);
}

TEST(LabelSource, SeveralGeoJsonFilesSpeakForAllImagesUnlessTheyLieAmongThem) {
  const test::ScratchFolder scratch;
  write_below(scratch.path(), "labels/one.geojson", square_at(5));
  write_below(scratch.path(), "labels/two.geojson", square_at(25));
  const std::string named = "format = \"geojson\"\npath = \"**/*.geojson\"\n";
  EXPECT_EQ(Labels(scratch.path(), named, kOne).of("images/1.png").size(), 2U);
  write_below(scratch.path(), "images/here/1.png", "");
  write_below(scratch.path(), "images/here/three.geojson", square_at(15));
  EXPECT_EQ(Labels(scratch.path(), named, kOne).of("images/here/1.png").size(), 3U);
  EXPECT_EQ(Labels(scratch.path(), named, kOne).of("images/there/1.png").size(), 2U);
}

TEST(LabelSource, FeaturesMustSayTheirClassWhereThereAreSeveral) {
  const test::ScratchFolder scratch;
  write_below(scratch.path(), "labels/one.geojson", square_at(5));
  EXPECT_THROW(Labels(scratch.path(), "format = \"geojson\"\npath = \"**/*.geojson\"\n", kTwo), DataError);
}

TEST(LabelSource, YolosNumbersAreTheClassesOrderAlsoWhereSomeAreIgnored) {
  const test::ScratchFolder scratch;
  write_below(scratch.path(), "labels/1.txt", "1 0.5 0.5 0.2 0.2\n3 0.2 0.2 0.1 0.1\n");
  Labels labels(scratch.path(), "format = \"yolo\"\npath = \"labels/*.txt\"\nignore = [3]\n", kTwo);
  const auto features = labels.of("images/1.png");
  ASSERT_EQ(features.size(), 1U);
  EXPECT_EQ(features.front().class_index, 1);
}

TEST(LabelSource, DifficultObjectsStaySo) {
  const test::ScratchFolder scratch;
  write_below(scratch.path(), "labelTxt/1.txt", "10 10 20 10 20 20 10 20 a 1\n30 30 40 30 40 40 30 40 b 0\n");
  Labels labels(scratch.path(), "format = \"dota\"\npath = \"labelTxt/*.txt\"\n", kTwo);
  EXPECT_TRUE(labels.of("images/1.png").at(0).difficult);
  EXPECT_FALSE(labels.of("images/1.png").at(1).difficult);
}

}  // namespace
}  // namespace terragen::data
