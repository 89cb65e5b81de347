#include <gtest/gtest.h>

#include <cmath>

#include "terragen/core/error.h"
#include "terragen/core/test_paths.h"
#include "terragen/evaluation/few_shot_report.h"
#include "terragen/evaluation/outside_identity.h"
#include "terragen/formats/masks.h"
#include "terragen/geo/raster_io.h"
#include "terragen/synthesis/test_model.h"
#include "terragen/tensor/seeded_noise.h"

namespace terragen::evaluation {
namespace {

namespace fs = std::filesystem;

constexpr int kSide = 64;

FewShotCell shot(const std::string& novel, int seed, const std::string& method, double novel_iou) {
  return {.novel = novel,
          .seed = seed,
          .method = method,
          .architecture = "segformer-b0",
          .novel_iou = novel_iou,
          .base_iou = 0.5,
          .score = 0.2 + 0.6 * novel_iou};
}

TEST(FewShotRows, GainsAreDifferencesSeedBySeed) {
  const auto rows = few_shot_rows({shot("water", 0, "real", 0.10), shot("water", 1, "real", 0.30),
                                   shot("water", 0, "inpaint", 0.20), shot("water", 1, "inpaint", 0.50),
                                   shot("road", 0, "real", 0.20), shot("road", 0, "inpaint", 0.60)});
  const auto row = [&](const std::string& novel, const std::string& method) {
    for (const FewShotRow& one : rows) {
      if (one.novel == novel && one.method == method) return one;
    }
    ADD_FAILURE() << novel << ' ' << method;
    return FewShotRow{};
  };
  EXPECT_NEAR(row("water", "inpaint").novel_iou.gain, 15, 1e-9);
  EXPECT_NEAR(row("water", "inpaint").novel_iou.gain_deviation, std::sqrt(50), 1e-9);
  EXPECT_NEAR(row("water", "inpaint").base_iou.gain, 0, 1e-9);
  EXPECT_TRUE(std::isnan(row("water", "inpaint").novel_iou.gain_over_copy_paste));
  // Only seed 0 has both classes.
  EXPECT_NEAR(row("", "real").novel_iou.mean, 15, 1e-9);
  EXPECT_NEAR(row("", "inpaint").novel_iou.gain, 25, 1e-9);
  EXPECT_NE(few_shot_text(rows).find("+25.0"), std::string::npos);
}

TEST(FewShotCell, SurvivesItsFile) {
  FewShotCell cell = shot("water", 2, "inpaint", 0.25);
  cell.classes = {{"water", 0.25}, {"road", std::nan("")}};
  cell.made = {{"placed", 3}};
  EXPECT_EQ(to_json(few_shot_cell_from_json(to_json(cell), "cell")), to_json(cell));
}

// Ground with a block of buildings and a road across, noise all over; the last image is of another place, for testing.
data::Dataset small_town(const fs::path& folder) {
  for (const char* part : {"images", "masks"}) fs::create_directories(folder / part);
  data::Dataset dataset;
  dataset.name = "town";
  dataset.task = "building";
  dataset.data_type = "uint8";
  dataset.dense = true;
  dataset.taxonomy = layout::Taxonomy({{"ground", {}}, {"pool", {}}, {"road", {}}});
  dataset.bands = {{"red", 0, 255}, {"green", 0, 255}, {"blue", 0, 255}};
  for (int i = 0; i < 5; ++i) {
    geo::Raster raster = geo::make_raster(kSide, kSide, 3, geo::DataType::uint8);
    layout::DenseMask mask{kSide, kSide, std::vector<std::uint8_t>(kSide * kSide, 0)};
    const torch::Tensor noise = tensor::seeded_uniform({kSide, kSide}, static_cast<std::uint64_t>(i + 1));
    for (int y = 0; y < kSide; ++y) {
      for (int x = 0; x < kSide; ++x) {
        const bool pool = x >= 10 + 4 * i && x < 22 + 4 * i && y >= 8 && y < 20;
        const bool road = y >= 40 && y < 46;
        mask.values[static_cast<std::size_t>(y * kSide + x)] = pool ? 1 : road ? 2 : 0;
        const double value = 40 * noise[y][x].item<double>();
        raster.set(0, x, y, value + (road ? 120 : 60));
        raster.set(1, x, y, value + 80);
        raster.set(2, x, y, value + (pool ? 200 : 40));
      }
    }
    const std::string name = "t" + std::to_string(i) + ".png";
    geo::write_raster(folder / "images" / name, raster);
    geo::write_raster(folder / "masks" / name, formats::raster_from_mask(mask));
    dataset.images.push_back({.file_name = name,
                              .mask_name = name,
                              .width = kSide,
                              .height = kSide,
                              .split = i < 4 ? data::Split::train : data::Split::test,
                              .place = i < 4 ? "here" : "there",
                              .gsd = 0.5});
  }
  data::write_dataset(dataset, folder);
  return data::read_dataset(folder);
}

// Paints after pictures and knows `classes`.
fs::path write_generator(const fs::path& folder, const std::vector<layout::ClassInfo>& classes, std::uint64_t seed = 1,
                         const Json& stages = {{{"model", "generator"}, {"labelled_only", true}}}) {
  std::vector<layout::ClassInfo> all = classes;
  all.push_back({models::kReferenceClass, {}});
  models::ModelFolder model = synthesis::small_model(layout::Taxonomy(all), {"building"}, seed);
  model.dense_tasks = {"building"};
  model.reference_encoder = models::ReferenceEncoder(models::ReferenceEncoderConfig{.size = 32, .channels = {8, 16}});
  model.card = {{"trained_on", {{{"dataset", "town"}, {"places", {"here"}}}}}, {"stages", stages}};
  models::save_model(model, folder);
  return folder;
}

FewShotOptions small_protocol(const fs::path& dataset) {
  FewShotOptions options{.dataset = dataset,
                         .classes = {"pool"},
                         .examples = 2,
                         .example_window = 0,
                         .seeds = 1,
                         .methods = {"real", "copy-paste", "inpaint-unfiltered"}};
  options.inpaint.objects.window = 32;
  options.inpaint.objects.variants = 1;
  options.inpaint.objects.decoys = 1;
  options.inpaint.reject_share = 0;
  options.paint.steps = 2;
  options.train.crop = 32;
  options.train.batch = 2;
  options.train.loader_threads = 0;
  options.train.trainer.steps = 2;
  options.train.trainer.warmup_steps = 1;
  options.train.compute.threads = 1;
  return options;
}

TEST(FewShot, TheNovelClassIsWithheldButForTheExamples) {
  const test::ScratchFolder scratch;
  small_town(scratch.path() / "town");
  const fs::path output = scratch.path() / "run";
  FewShotOptions options = small_protocol(scratch.path() / "town");
  synthesis::NoRefiner refiner;
  // The base set is made before the generator that is to be trained on it is asked for.
  EXPECT_THROW(evaluate_few_shot(options, refiner, output), RequestError);
  const data::Dataset base = data::read_dataset(few_shot_base(output, "pool"));
  EXPECT_EQ(base.images.size(), 4U);
  EXPECT_EQ(base.taxonomy.find("pool"), -1);
  options.generators["poll"] = scratch.path() / "knows_not";  // no class that is withheld
  EXPECT_THROW(options.validate(), RequestError);
  options.generators.clear();
  options.generators["pool"] = write_generator(scratch.path() / "knows", {{"ground", {}}, {"pool", {}}, {"road", {}}});
  EXPECT_THROW(evaluate_few_shot(options, refiner, output), RequestError);
  options.generators["pool"] = write_generator(scratch.path() / "knows_not", {{"ground", {}}, {"road", {}}});
  const std::vector<FewShotCell> cells = evaluate_few_shot(options, refiner, output);
  ASSERT_EQ(cells.size(), 3U);
  for (const FewShotCell& cell : cells) {
    EXPECT_EQ(cell.classes.size(), 3U);
    EXPECT_NEAR(cell.score, 0.4 * cell.base_iou + 0.6 * cell.novel_iou, 1e-9);
    EXPECT_EQ(cell.made.is_null(), cell.method == "real");
    if (cell.made.is_null()) continue;
    EXPECT_EQ(cell.made.at("outside").at("differing"), 0);
    EXPECT_GE(cell.made.at("outside").at("images"), 1) << cell.method;
  }
  const data::Dataset pasted = data::read_dataset(output / "pool/made_0_copy-paste");
  EXPECT_GE(pasted.images.size(), 1U);
  EXPECT_LE(pasted.images.size(), 2U);  // the scenes that are no examples
  for (const data::ImageRecord& image : pasted.images) {
    const layout::Layout layout = data::layout_of(pasted, image);
    const auto pool = static_cast<std::uint8_t>(pasted.taxonomy.find("pool"));
    EXPECT_GE(std::ranges::count(layout.mask->values, pool), 30);
  }
  const FewShotRun run{.cells = cells, .settings = Json::object()};
  const Json told = to_json(run);
  EXPECT_EQ(told.at("making").size(), 2U);
  EXPECT_EQ(told.at("making").at("copy-paste").at("outside").at("differing"), 0);
  EXPECT_GE(told.at("making").at("copy-paste").at("accepted"), 1);
  write_few_shot_page(run, output, scratch.path() / "page.html");
  EXPECT_GT(fs::file_size(scratch.path() / "page.html"), 10000U);
  // The check does see a difference.
  const fs::path spoiled = pasted.folder / "images" / pasted.images.front().file_name;
  geo::Raster raster = geo::read_raster(spoiled);
  raster.set(0, 63, 63, raster.at(0, 63, 63) > 100 ? 0 : 255);
  geo::write_raster(spoiled, raster);
  EXPECT_EQ(compare_outside(base, pasted, "pool", 4).differing, 1);
  const auto again = evaluate_few_shot(options, refiner, output);  // everything is there
  for (std::size_t i = 0; i < cells.size(); ++i) EXPECT_EQ(to_json(again[i]), to_json(cells[i]));
  EXPECT_FALSE(fs::exists(output / "pool/paintings_0"));  // they served the methods of the seed
  options.generators["pool"] = write_generator(scratch.path() / "other", {{"ground", {}}, {"road", {}}}, 2);
  EXPECT_THROW(evaluate_few_shot(options, refiner, output), RequestError);
}

TEST(FewShot, AnExampleMayBeOneThingInItsWindow) {
  const test::ScratchFolder scratch;
  small_town(scratch.path() / "town");
  FewShotOptions options = small_protocol(scratch.path() / "town");
  options.example_window = 32;
  options.methods = {"real", "copy-paste"};
  options.generators["pool"] = write_generator(scratch.path() / "generator", {{"ground", {}}, {"road", {}}});
  synthesis::NoRefiner refiner;
  const fs::path output = scratch.path() / "run";
  EXPECT_EQ(evaluate_few_shot(options, refiner, output).size(), 2U);
  const data::Dataset examples = data::read_dataset(output / "pool/examples_0");
  ASSERT_EQ(examples.images.size(), 2U);
  EXPECT_EQ(examples.images.front().width, 32);
  const data::Dataset pasted = data::read_dataset(output / "pool/made_0_copy-paste");
  EXPECT_GE(pasted.images.size(), 3U);  // where an example is from another may be pasted
  EXPECT_EQ(pasted.images.front().width, kSide);
}

TEST(FewShot, AGeneratorMustNotHaveSeenTheClassUnnamed) {
  const test::ScratchFolder scratch;
  small_town(scratch.path() / "town");
  FewShotOptions options = small_protocol(scratch.path() / "town");
  options.methods = {"copy-paste"};
  synthesis::NoRefiner refiner;
  const auto stage = [](const std::string& place, bool labelled_only) {
    return Json{{"model", "generator"},
                {"labelled_only", labelled_only},
                {"data", {{{"dataset", "some"}, {"places", {place}}}}}};
  };
  const auto evaluate_with = [&](const std::string& name, const Json& stages) {
    options.generators["pool"] = write_generator(scratch.path() / name, {{"ground", {}}, {"road", {}}}, 1, stages);
    return evaluate_few_shot(options, refiner, scratch.path() / ("run_" + name)).size();
  };
  EXPECT_THROW(evaluate_with("here", Json::array({stage("here", false)})), RequestError);
  EXPECT_THROW(evaluate_with("before", Json::array({stage("here", false), stage("here", true)})), RequestError);
  EXPECT_THROW(evaluate_with("mute", Json::array()), RequestError);
  EXPECT_THROW(evaluate_with("silent", Json::array({{{"model", "generator"}}})), RequestError);
  EXPECT_THROW(evaluate_with("nameless", Json::array({stage("", false), stage("here", true)})), RequestError);
  EXPECT_EQ(evaluate_with("elsewhere", Json::array({stage("far", false), stage("here", true)})), 1U);
}

TEST(FewShot, WhatNothingPaintedServesAnotherGenerator) {
  const test::ScratchFolder scratch;
  small_town(scratch.path() / "town");
  FewShotOptions options = small_protocol(scratch.path() / "town");
  options.methods = {"real", "copy-paste", "inpaint-unrefined"};
  options.inpaint.filter = false;
  options.generators["pool"] = write_generator(scratch.path() / "one", {{"ground", {}}, {"road", {}}});
  synthesis::NoRefiner refiner;
  const fs::path first = scratch.path() / "first";
  const auto cells = evaluate_few_shot(options, refiner, first);
  write_json(scratch.path() / "first.json",
             to_json(FewShotRun{.cells = cells, .settings = read_json(first / "settings.json")}));
  options.generators["pool"] = write_generator(scratch.path() / "two", {{"ground", {}}, {"road", {}}}, 2);
  options.inpaint.objects.strengths = {0.5};
  options.earlier = {scratch.path() / "first.json"};
  const fs::path second = scratch.path() / "second";
  const auto others = evaluate_few_shot(options, refiner, second);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(to_json(others[i]), to_json(cells[i]));
    EXPECT_FALSE(fs::exists(second / "models" / cell_name(cells[i]))) << "trained again";
  }
  EXPECT_NE(others[2].generator_sha256, cells[2].generator_sha256);
  EXPECT_TRUE(fs::exists(second / "models" / cell_name(cells[2])));
  // Elsewhere pasted is otherwise pasted.
  options.inpaint.objects.window = 48;
  EXPECT_THROW(evaluate_few_shot(options, refiner, scratch.path() / "third"), RequestError);
}

TEST(FewShot, AClassThatNoTestPlaceShowsIsRefused) {
  const test::ScratchFolder scratch;
  small_town(scratch.path() / "town");
  const layout::DenseMask mask{kSide, kSide, std::vector<std::uint8_t>(kSide * kSide, 0)};
  geo::write_raster(scratch.path() / "town/masks/t4.png", formats::raster_from_mask(mask));
  synthesis::NoRefiner refiner;
  EXPECT_THROW(evaluate_few_shot(small_protocol(scratch.path() / "town"), refiner, scratch.path() / "run"),
               RequestError);
  EXPECT_FALSE(fs::exists(scratch.path() / "run"));
}

}  // namespace
}  // namespace terragen::evaluation
