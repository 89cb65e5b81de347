// Files damaged at random: every reader either reads them or says which file is wrong, and nothing else happens.
#include <gtest/gtest.h>

#include <functional>

#include "terragen/core/atomic_file.h"
#include "terragen/core/error.h"
#include "terragen/core/seed.h"
#include "terragen/core/test_paths.h"
#include "terragen/formats/coco.h"
#include "terragen/formats/dota.h"
#include "terragen/formats/geojson.h"
#include "terragen/formats/points_csv.h"
#include "terragen/formats/voc.h"
#include "terragen/formats/yolo.h"

namespace terragen::formats {
namespace {

std::string damaged(std::string text, Random& random) {
  static const std::string kAlphabet = "0123456789.-eE+,:;[]{}\"'<>/ \n\r\tnaulNI\xFF\xC3\0x";
  const auto at = [&] { return static_cast<std::size_t>(random.below(static_cast<std::int64_t>(text.size()))); };
  for (std::int64_t edits = random.below(4) + 1; edits > 0 && !text.empty(); --edits) {
    switch (random.below(4)) {
      case 0:
        text[at()] = kAlphabet[static_cast<std::size_t>(random.below(static_cast<std::int64_t>(kAlphabet.size())))];
        break;
      case 1:
        text.erase(at(), static_cast<std::size_t>(random.below(6) + 1));
        break;
      case 2:
        text.insert(at(), text.substr(at(), 12));
        break;
      default:
        text.resize(at());
    }
  }
  return text;
}

void expect_only_data_errors(const std::string& name, const std::string& sound,
                             const std::function<void(const std::filesystem::path&)>& read) {
  const test::ScratchFolder scratch;
  const auto path = scratch.path() / name;
  write_file(path, sound);
  ASSERT_NO_THROW(read(path)) << name;
  Random random(11);
  int refused = 0;
  for (int trial = 0; trial < 1500; ++trial) {
    const std::string text = damaged(sound, random);
    write_file(path, text);
    try {
      read(path);
    } catch (const DataError& error) {
      EXPECT_NE(error.place().find(name), std::string::npos) << error.what();
      ++refused;
    } catch (const std::exception& error) {
      ADD_FAILURE() << name << ": " << error.what() << "\n" << text;
      return;
    }
  }
  EXPECT_GT(refused, 300) << name;
}

TEST(Damage, EveryReaderNamesTheFile) {
  std::vector<LabelProblem> problems;
  expect_only_data_errors(
      "a.json",
      R"({"images":[{"id":1,"file_name":"a.png","width":64,"height":48}],"categories":[{"id":7,"name":"x"}],)"
      R"("annotations":[{"id":1,"image_id":1,"category_id":7,"bbox":[1,2,3,4],"segmentation":[[1,1,5,1,5,5]]},)"
      R"({"id":2,"image_id":1,"category_id":7,"segmentation":{"size":[48,64],"counts":[3000,72]},"iscrowd":1}]})",
      [](const auto& path) { read_coco(path); });
  expect_only_data_errors(
      "a.geojson",
      R"({"type":"FeatureCollection","features":[{"type":"Feature","properties":{"class":"a"},"geometry":)"
      R"({"type":"Polygon","coordinates":[[[0,0],[9,0],[9,9],[0,0]],[[2,1],[3,1],[3,2],[2,1]]]}},)"
      R"({"type":"Feature","properties":{},"geometry":{"type":"MultiLineString","coordinates":[[[0,0],[1,1]]]}}]})",
      [](const auto& path) { read_geojson(path); });
  expect_only_data_errors("a.txt", "0 0.5 0.5 0.25 0.125\n2 0.1 0.2 0.1 0.1\n",
                          [&](const auto& path) { read_yolo(path, YoloShape::boxes, 3, 640, 480, problems); });
  expect_only_data_errors("b.txt",
                          "imagesource:x\ngsd:0.5\n1 2 30 2 30 20 1 20 small-vehicle 0\n5 5 9 5 9 9 5 9 ship 1\n",
                          [&](const auto& path) { read_dota(path, problems); });
  expect_only_data_errors("a.csv", "x,y,label\n1.5,2,tree\n3,4.25,tree\n",
                          [](const auto& path) { read_points_csv(path); });
  expect_only_data_errors(
      "a.xml",
      "<annotation><filename>a.png</filename><size><width>64</width><height>48</height><depth>3</depth></size><object>"
      "<name>car</name><difficult>0</difficult><bndbox><xmin>1</xmin><ymin>2</ymin><xmax>30</xmax><ymax>40</ymax>"
      "</bndbox></object></annotation>",
      [&](const auto& path) { read_voc(path, problems); });
}

TEST(Damage, WhatIsOddButReadable) {
  const test::ScratchFolder scratch;
  std::vector<LabelProblem> problems;
  const auto dota = scratch.path() / "a.txt";
  write_file(dota,
             "\xEF\xBB\xBFimagesource:GoogleEarth\r\ngsd:null\r\n1 1 9 1 9 9 1 9 ship 0\r\n3 3 3 3 3 3 3 3 ship 0\r\n");
  EXPECT_EQ(read_dota(dota, problems).size(), 1U);
  EXPECT_EQ(problems.size(), 1U);
  const auto voc = scratch.path() / "a.xml";
  write_file(voc,
             "<annotation><object><name> car </name><robndbox><cx>20</cx><cy>10</cy><w>8</w><h>4</h><angle>0.5</angle>"
             "</robndbox></object></annotation>");
  const VocFile file = read_voc(voc, problems);
  ASSERT_EQ(file.objects.size(), 1U);
  EXPECT_EQ(file.objects[0].class_name, "car");
  EXPECT_NEAR(layout::minimum_oriented_box(file.objects[0].geometry).angle, 0.5, 1e-6);
}

}  // namespace
}  // namespace terragen::formats
