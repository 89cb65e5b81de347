#include <gtest/gtest.h>

#include "terragen/core/atomic_file.h"
#include "terragen/core/error.h"
#include "terragen/core/test_paths.h"
#include "terragen/data/dataset.h"
#include "terragen/geo/raster_io.h"
#include "terragen/layout/rasterise.h"
#include "terragen/synthesis/generate.h"
#include "terragen/synthesis/test_model.h"

namespace terragen::synthesis {
namespace {

constexpr const char* kLayout = R"({"type":"FeatureCollection",
 "terragen":{"task":"building","width":64,"height":64,"gsd":0.5,"coordinates":"pixel","crs":"EPSG:32645","crs_from_pixel":[350000,0.5,0,3057000,0,-0.5]},
 "features":[{"type":"Feature","properties":{"class":"building"},"geometry":{"type":"Polygon","coordinates":[[[8,8],[40,10],[36,50],[9,44],[8,8]]]}}]})";

std::vector<PlacedLayout> read(const std::filesystem::path& folder, const models::ModelFolder& model,
                               const char* text = kLayout) {
  write_file(folder / "one.geojson", text);
  const auto& known = model.layout_encoder->config();
  return read_layouts(folder / "one.geojson", known.taxonomy, known.tasks, {.size_step = 16});
}

TEST(Generate, AnImageDependsOnItsOwnSeedAlone) {
  const test::ScratchFolder scratch;
  const models::ModelFolder model = small_model();
  const layout::Layout one = read(scratch.path(), model)[0].layout;
  layout::Layout other = one;
  other.task = "road";
  const auto paint = [&](int batch, int threads, const std::string& precision) {
    tensor::set_threads(threads);
    Painter painter(model, {.steps = 4, .batch = batch, .compute = {.precision = precision}});
    std::vector<PaintRequest> requests;
    for (std::uint64_t i = 0; i < 8; ++i) requests.push_back({i == 2 ? one : other, i + 1, {}, 1, {}});
    torch::Tensor third;
    painter.paint(requests, [&](std::size_t i, const torch::Tensor& image) {
      if (i == 2) third = image.clone();
    });
    return third;
  };
  for (const std::string precision : {"fp32", "bf16"}) {
    const torch::Tensor alone = paint(1, 1, precision);
    for (const int batch : {1, 8}) {
      for (const int threads : {1, 2}) {
        const double grey = (paint(batch, threads, precision) - alone).abs().max().item<double>() * 127.5;
        EXPECT_LE(grey, 1.0) << precision << " batch " << batch << ", threads " << threads;
      }
    }
  }
}

TEST(Paint, WhatIsNotToBePaintedStays) {
  const test::ScratchFolder scratch;
  const models::ModelFolder model = small_model();
  const layout::Layout layout = read(scratch.path(), model)[0].layout;
  Painter painter(model, {.steps = 4});
  const torch::Tensor image = torch::rand({3, 64, 64}) * 2 - 1;
  torch::Tensor repaint = torch::zeros({64, 64});
  repaint.slice(0, 20, 40).slice(1, 10, 30).fill_(1);
  torch::Tensor painted;
  painter.paint({{layout, 3, image, 1, repaint}}, [&](std::size_t, const torch::Tensor& made) { painted = made; });
  const torch::Tensor near = at::max_pool2d(repaint.view({1, 1, 64, 64}), {5, 5}, {1, 1}, {2, 2})[0][0];
  const torch::Tensor changed = (painted - image).abs().sum(0);
  EXPECT_EQ((changed * (1 - near)).max().item<float>(), 0.0F);
  EXPECT_GT((changed * repaint).mean().item<float>(), 0.01F);
}

TEST(Paint, LessStrengthLeavesMoreOfTheImage) {
  const test::ScratchFolder scratch;
  const models::ModelFolder model = small_model();
  const layout::Layout layout = read(scratch.path(), model)[0].layout;
  Painter painter(model, {.steps = 10});
  const torch::Tensor image = at::upsample_bilinear2d(torch::rand({1, 3, 4, 4}) * 2 - 1, {64, 64}, false)[0];
  const auto painted = [&](double strength) {
    torch::Tensor result;
    painter.paint({{layout, 3, image, strength, {}}}, [&](std::size_t, const torch::Tensor& made) { result = made; });
    return result;
  };
  const auto distance = [&](double strength) { return (painted(strength) - image).abs().mean().item<double>(); };
  const double little = distance(0.1);
  EXPECT_LT(little, distance(0.9));
  EXPECT_THROW(painted(0), RequestError);
  Painter solver(model, {.sampler = "dpm++", .steps = 10});
  EXPECT_THROW(solver.paint({{layout, 3, image, 0.5, {}}}, [](std::size_t, const torch::Tensor&) {}), RequestError);
}

TEST(Paint, GuidanceActsWithinItsTimesAlone) {
  const models::ModelFolder model = small_model();
  const test::ScratchFolder scratch;
  const layout::Layout layout = read(scratch.path(), model)[0].layout;
  const auto painted = [&](const PaintOptions& options) {
    Painter painter(model, options);
    torch::Tensor result;
    painter.paint({{.layout = layout, .seed = 3}}, [&](std::size_t, const torch::Tensor& image) { result = image; });
    return result;
  };
  const PaintOptions fp32{.steps = 6, .guidance = 3.0, .guidance_until = 1, .compute = {.precision = "fp32"}};
  PaintOptions none = fp32;
  none.guidance = 1.0;
  PaintOptions middle = fp32;
  middle.guidance_from = 0.2;
  middle.guidance_until = 0.7;
  PaintOptions between_steps = fp32;  // 6 steps from the last time of 1000: 999, 833, 666, ..
  between_steps.guidance_from = 0.84;
  between_steps.guidance_until = 0.99;
  const torch::Tensor unguided = painted(none);
  EXPECT_TRUE(torch::allclose(painted(between_steps), unguided, 1e-4, 1e-5));
  EXPECT_GT((painted(middle) - unguided).abs().mean().item<double>(), 1e-3);
  EXPECT_GT((painted(middle) - painted(fp32)).abs().mean().item<double>(), 1e-3);
  PaintOptions turned = fp32;
  turned.guidance_from = 0.8;
  turned.guidance_until = 0.2;
  EXPECT_THROW(turned.validate(), RequestError);
}

TEST(Generate, WritesLabelsGeoreferenceAndProvenance) {
  const test::ScratchFolder scratch;
  Painter painter(small_model(), {.steps = 2});
  const auto layouts = read(scratch.path(), painter.model());
  generate(painter, layouts, {.count = 2, .seed = 5}, scratch.path() / "out");
  const data::Dataset dataset = data::read_dataset(scratch.path() / "out");
  ASSERT_EQ(dataset.images.size(), 2U);
  EXPECT_EQ(dataset.provenance["synthetic"], true);
  for (const data::ImageRecord& image : dataset.images) {
    // The label that is written is the geometry that conditioned the image.
    EXPECT_EQ(image.features[0].geometry, layouts[0].layout.features[0].geometry);
    const geo::Raster raster = geo::read_raster(scratch.path() / "out" / "images" / image.file_name);
    EXPECT_EQ(raster.georeference.crs, "EPSG:32645");
    EXPECT_DOUBLE_EQ((*raster.georeference.crs_from_pixel)[3], 3057000);
    const Json item =
        read_json(scratch.path() / "out" / "stac" / (std::filesystem::path(image.file_name).stem().string() + ".json"));
    EXPECT_EQ(item["properties"]["terragen:synthetic"], true);
    EXPECT_NEAR(item["bbox"][0].get<double>(), 85.48, 0.05);
  }
  EXPECT_TRUE(std::filesystem::exists(scratch.path() / "out" / "contact_sheet.png"));
  EXPECT_NE(read_file(scratch.path() / "out" / "images" / dataset.images[0].file_name),
            read_file(scratch.path() / "out" / "images" / dataset.images[1].file_name));
}

TEST(Generate, NoClassIsNamedThatNobodyLabels) {
  const test::ScratchFolder scratch;
  Painter painter(small_model(layout::Taxonomy({{"building", {}}, {models::kReferenceClass, {}}}), {"building"}),
                  {.steps = 2});
  generate(painter, read(scratch.path(), painter.model()), {}, scratch.path() / "out");
  EXPECT_EQ(data::read_dataset(scratch.path() / "out").taxonomy, layout::Taxonomy({{"building", {}}}));
}

// Else a test place would come back as training data.
TEST(Generate, WhatIsPaintedFromATestPlaceStaysInTheTestSplit) {
  const test::ScratchFolder scratch;
  Painter painter(small_model(), {.steps = 2});
  const auto& known = painter.model().layout_encoder->config();
  generate(painter, read(scratch.path(), painter.model()), {}, scratch.path() / "first");
  data::Dataset dataset = data::read_dataset(scratch.path() / "first");
  dataset.images[0].split = data::Split::test;
  dataset.task = "building";
  data::write_dataset(dataset, scratch.path() / "first");
  const auto again = read_layouts(scratch.path() / "first", known.taxonomy, known.tasks, {.size_step = 16});
  generate(painter, again, {}, scratch.path() / "second");
  EXPECT_EQ(data::read_dataset(scratch.path() / "second").images[0].split, data::Split::test);
}

TEST(Generate, ADenseTasksMaskIsTheDrawnLayout) {
  const test::ScratchFolder scratch;
  Painter painter(small_model(), {.steps = 2});
  auto layouts = read(scratch.path(), painter.model());
  layouts[0].layout.task = "road";
  layouts[0].layout.features[0].class_index = 1;
  generate(painter, layouts, {}, scratch.path() / "out");
  const data::Dataset dataset = data::read_dataset(scratch.path() / "out");
  EXPECT_EQ(data::layout_of(dataset, dataset.images[0]).mask, layout::rasterise_classes(layouts[0].layout));
}

TEST(LayoutSource, RefusesWhatTheModelDoesNotKnow) {
  const test::ScratchFolder scratch;
  const models::ModelFolder model = small_model();
  std::string other = kLayout;
  other.replace(other.find("\"class\":\"building\""), 18, "\"class\":\"castle\"  ");
  EXPECT_THROW(read(scratch.path(), model, other.c_str()), RequestError);
  other = kLayout;
  other.replace(other.find("[8,8],[40"), 5, "[\"a\",8]");
  EXPECT_THROW(read(scratch.path(), model, other.c_str()), DataError);
  for (const char* gsd : {"0.0", "-1.", "1e999"}) {
    other = kLayout;
    other.replace(other.find("\"gsd\":0.5") + 6, 3, gsd);
    EXPECT_THROW(read(scratch.path(), model, other.c_str()), DataError) << gsd;
  }
  // A map's coordinates and no word of the map.
  other = kLayout;
  other.replace(other.find("\"coordinates\":\"pixel\",\"crs\":\"EPSG:32645\","), 41, "");
  EXPECT_THROW(read(scratch.path(), model, other.c_str()), DataError);
}

TEST(LayoutSource, LongitudeAndLatitudeGetAWindowInUtm) {
  const test::ScratchFolder scratch;
  const models::ModelFolder model = small_model();
  write_file(scratch.path() / "map.geojson",
             R"({"type":"FeatureCollection","features":[{"type":"Feature","properties":{"class":"building"},
    "geometry":{"type":"Polygon","coordinates":[[[85.5,27.6],[85.5001,27.6],[85.5001,27.6001],[85.5,27.6001],[85.5,27.6]]]}}]})");
  const auto& known = model.layout_encoder->config();
  LayoutSourceOptions options{.task = "building", .gsd = 0.25, .size = 128, .size_step = 16};
  const auto layouts = read_layouts(scratch.path() / "map.geojson", known.taxonomy, known.tasks, options);
  EXPECT_EQ(layouts[0].crs, "EPSG:32645");
  const layout::Bounds b = layout::bounds_of(layouts[0].layout.features[0].geometry);
  EXPECT_NEAR((b.x0 + b.x1) / 2, 64, 1);
  EXPECT_NEAR(b.width(), 9.86 / 0.25, 1.5);
  options.gsd.reset();
  EXPECT_THROW(read_layouts(scratch.path() / "map.geojson", known.taxonomy, known.tasks, options), RequestError);
}

TEST(LayoutSource, WhatIsNotPaintedIsSaidOrRefused) {
  const test::ScratchFolder scratch;
  const auto known = small_model().layout_encoder->config();
  const std::filesystem::path file = scratch.path() / "two.json";
  write_file(file, R"({"images":[{"id":1,"file_name":"a.png","width":200,"height":200}],
    "categories":[{"id":1,"name":"building"}],
    "annotations":[{"id":1,"image_id":1,"category_id":1,"bbox":[4,4,20,20],"area":400,"iscrowd":0},
                   {"id":2,"image_id":1,"category_id":1,"bbox":[150,150,20,20],"area":400,"iscrowd":0}]})");
  LayoutSourceOptions options{.task = "building", .size = 128, .size_step = 16};
  const auto read_again = [&] { return read_layouts(file, known.taxonomy, known.tasks, options); };
  EXPECT_EQ(read_again()[0].objects_outside, 1U);
  EXPECT_EQ(read_again()[0].cut_from, (std::array{200, 200}));
  options.size = 0;
  EXPECT_EQ(read_again()[0].objects_outside, 0U);
  EXPECT_TRUE(read_again()[0].cut_from);  // to 192 pixels
  options.size = 120;
  EXPECT_THROW(read_again(), RequestError);
  options.size = 128;
  options.split = "train";
  EXPECT_THROW(read_again(), RequestError);
  options.split = "";
  std::string far = read_file(file);
  far.replace(far.find("[4,4,20,20]"), 11, "[170,4,9,9]");
  write_file(file, far);
  EXPECT_THROW(read_again(), RequestError);
}

TEST(LayoutSource, AResolutionOnTheCommandLineServesLayoutsWithoutOne) {
  const test::ScratchFolder scratch;
  const models::ModelFolder model = small_model();
  const auto& known = model.layout_encoder->config();
  const LayoutSourceOptions options{.task = "building", .gsd = 0.25, .size_step = 16};
  // A georeference says it better.
  std::string placed = kLayout;
  placed.replace(placed.find("\"gsd\":0.5,"), 10, "");
  write_file(scratch.path() / "placed.geojson", placed);
  EXPECT_NEAR(*read_layouts(scratch.path() / "placed.geojson", known.taxonomy, known.tasks, options)[0].layout.gsd, 0.5,
              1e-3);
  data::Dataset dataset{.name = "set", .task = "building", .data_type = "uint8"};
  dataset.bands = {{"red", 0, 255}, {"green", 0, 255}, {"blue", 0, 255}};
  dataset.taxonomy = layout::Taxonomy({{"building", {}}});
  dataset.images = {{.file_name = "a.png", .width = 64, .height = 64},
                    {.file_name = "b.png", .width = 64, .height = 64, .gsd = 0.5}};
  std::filesystem::create_directories(scratch.path() / "set/images");
  data::write_dataset(dataset, scratch.path() / "set");
  for (const PlacedLayout& one : read_layouts(scratch.path() / "set", known.taxonomy, known.tasks, options)) {
    EXPECT_EQ(one.layout.gsd, one.name == "a" ? 0.25 : 0.5);
  }
}

}  // namespace
}  // namespace terragen::synthesis
