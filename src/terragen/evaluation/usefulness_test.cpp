#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "terragen/core/error.h"
#include "terragen/core/test_paths.h"
#include "terragen/data/packed_samples.h"
#include "terragen/evaluation/leak_check.h"
#include "terragen/evaluation/test_drawings.h"
#include "terragen/evaluation/usefulness_report.h"
#include "terragen/geo/raster_io.h"

namespace terragen::evaluation {
namespace {

data::ImageRecord image_at(const std::string& name, data::Split split, const std::string& place, double x) {
  data::ImageRecord image{.file_name = name, .width = 100, .height = 100, .split = split, .place = place};
  image.crs = "EPSG:32645";
  image.crs_from_pixel = {350000 + x, 0.5, 0, 3057000, 0, -0.5};  // 50 m wide
  return image;
}

TEST(LeakCheck, APlaceInBothSplitsIsRefused) {
  data::Dataset dataset{.name = "set"};
  dataset.images = {image_at("a.tif", data::Split::train, "here", 0),
                    image_at("b.tif", data::Split::test, "there", 200)};
  EXPECT_NO_THROW(check_splits(dataset));
  dataset.images.push_back(image_at("c.tif", data::Split::train, "there", 900));
  EXPECT_THROW(check_splits(dataset), DataError);
}

TEST(LeakCheck, TheSameGroundUnderAnotherNameIsRefused) {
  data::Dataset dataset{.name = "set"};
  dataset.images = {image_at("a.tif", data::Split::train, "here", 0),
                    image_at("b.tif", data::Split::test, "there", 50)};
  EXPECT_NO_THROW(check_splits(dataset));  // neighbours share an edge
  dataset.images[1] = image_at("b.tif", data::Split::test, "there", 40);
  try {
    check_splits(dataset);
    FAIL() << "overlapping ground went unnoticed";
  } catch (const DataError& error) {
    EXPECT_NE(std::string(error.what()).find("a.tif"), std::string::npos);
    EXPECT_NE(std::string(error.what()).find("b.tif"), std::string::npos);
  }
}

TEST(LeakCheck, AModelThatSawATestPlaceIsRefused) {
  data::Dataset dataset{.name = "set"};
  dataset.images = {image_at("b.tif", data::Split::test, "there", 0)};
  const Json clean{{"trained_on", {{{"dataset", "set"}, {"places", {"here"}}}}}};
  const Json leaky{{"trained_on", {{{"dataset", "other"}, {"places", {"here", "there"}}}}}};
  const Json silent{{"trained_on", {{{"dataset", "set"}}}}};
  EXPECT_NO_THROW(check_model(clean, "model", dataset));
  EXPECT_THROW(check_model(leaky, "model", dataset), DataError);
  EXPECT_THROW(check_model(silent, "model", dataset), RequestError);
  EXPECT_THROW(check_model(Json(), "model", dataset), RequestError);
  // A place without a name may be any place.
  const Json nameless{{"trained_on", {{{"dataset", "set"}, {"places", {""}}}}}};
  EXPECT_THROW(check_model(nameless, "model", dataset), RequestError);
  dataset.images.push_back(image_at("c.tif", data::Split::test, "", 200));
  EXPECT_THROW(check_model(clean, "model", dataset), RequestError);
}

TEST(LeakCheck, PackedSamplesNameTheirPlaces) {
  const test::ScratchFolder scratch;
  test::write_drawn_dataset(scratch.path() / "drawn", 2, 2);
  const data::PackedSamples tested({scratch.path() / "drawn"}, "test");
  EXPECT_NO_THROW(check_model(test::card_of("train town"), "model", tested.reader()));
  EXPECT_THROW(check_model(test::card_of("test town"), "model", tested.reader()), DataError);
}

TEST(LeakCheck, PaintedImagesBringThePlacesOfTheirPainter) {
  const test::ScratchFolder scratch;
  test::write_drawn_dataset(scratch.path() / "drawn", 2, 2);
  data::Dataset painted = data::read_dataset(scratch.path() / "drawn");
  painted.images.front().synthetic = true;
  painted.provenance = {{"augmented", {{"model_card", test::card_of("test town")}}}};
  const data::PackedSamples packed({painted}, "train");
  Json card{{"trained_on", Json::array()}};
  for (const shards::ShardSource& source : packed.reader().set().sources) {
    card["trained_on"].push_back({{"dataset", source.dataset}, {"places", source.places}});
  }
  EXPECT_THROW(check_model(card, "model", painted), DataError);
}

TEST(LeakCheck, EveryStepThatMadeImagesIsAskedForItsPlaces) {
  const test::ScratchFolder scratch;
  test::write_drawn_dataset(scratch.path() / "drawn", 2, 2);
  const data::Dataset tested = data::read_dataset(scratch.path() / "drawn");
  data::Dataset made = tested;
  made.provenance = Json();
  EXPECT_FALSE(check_painters(made, tested));
  const Json clean{{"model_card", test::card_of("train town")}};
  made.provenance = {{"augmented", clean}, {"real", {{"augmented", clean}}}};
  EXPECT_TRUE(check_painters(made, tested));
  // The step before the last.
  made.provenance["real"]["augmented"]["model_card"] = test::card_of("test town");
  EXPECT_THROW(check_painters(made, tested), DataError);
  // What was pasted into the images.
  made.provenance["real"] = {{"augmented", {{"example_source", {{"dataset", "ponds"}, {"places", {"test town"}}}}}}};
  EXPECT_THROW(check_painters(made, tested), DataError);
  made.images.front().synthetic = true;
  const data::PackedSamples packed({made}, "train");
  EXPECT_TRUE(std::ranges::any_of(packed.reader().set().sources,
                                  [](const shards::ShardSource& source) { return source.dataset == "ponds"; }));
}

TEST(RealLeakCheck, TheShippedModelSawNoTestPlace) {
  const std::filesystem::path model = std::filesystem::path(TERRAGEN_SOURCE_DIR) / "models/terragen-base";
  if (!std::filesystem::exists(model)) GTEST_SKIP() << "no shipped model in " << model;
  const Json card = read_json(model / "model_index.json").at("terragen").at("card");
  data::Dataset dataset{.name = "every test place"};
  for (const char* place : {"Tile 7", "catanduanes_ph", "bishop", "eureka", "MOS", "casablanca", "klang", "2021"}) {
    dataset.images.push_back({.file_name = place, .split = data::Split::test, .place = place});
  }
  EXPECT_NO_THROW(check_model(card, model.string(), dataset));
}

UsefulnessCell cell_of(const std::string& dataset, int seed, const std::string& method, double score) {
  return {.dataset = dataset,
          .task = "building",
          .tiles = 5,
          .seed = seed,
          .method = method,
          .measure = "mIoU",
          .score = score};
}

TEST(UsefulnessRows, GainsAreDifferencesSeedBySeed) {
  const std::vector<UsefulnessCell> cells{
      cell_of("a", 0, "real", 0.50), cell_of("a", 0, "copy-paste", 0.52), cell_of("a", 0, "terragen", 0.60),
      cell_of("a", 1, "real", 0.40), cell_of("a", 1, "copy-paste", 0.44), cell_of("a", 1, "terragen", 0.54),
      cell_of("b", 0, "real", 0.20), cell_of("b", 0, "terragen", 0.30),   cell_of("b", 1, "real", 0.30)};
  const auto rows = usefulness_rows(cells);
  const auto row = [&](const std::string& dataset, const std::string& method) {
    for (const UsefulnessRow& r : rows) {
      if (r.dataset == dataset && r.method == method) return r;
    }
    ADD_FAILURE() << dataset << ' ' << method;
    return UsefulnessRow{};
  };
  EXPECT_NEAR(row("a", "real").mean, 45, 1e-9);
  EXPECT_NEAR(row("a", "real").deviation, std::sqrt(50), 1e-9);
  EXPECT_NEAR(row("a", "terragen").gain, 12, 1e-9);
  EXPECT_NEAR(row("a", "terragen").gain_deviation, std::sqrt(8), 1e-9);
  EXPECT_NEAR(row("a", "terragen").gain_over_copy_paste, 9, 1e-9);
  EXPECT_TRUE(std::isnan(row("b", "terragen").gain_over_copy_paste));
  // Of "terragen" only seed 0 has both datasets; "copy-paste" was run on one alone and has no mean.
  EXPECT_NEAR(row("", "real").mean, 35, 1e-9);
  EXPECT_NEAR(row("", "terragen").mean, 45, 1e-9);
  EXPECT_NEAR(row("", "terragen").gain, 10, 1e-9);
  for (const UsefulnessRow& r : rows) EXPECT_FALSE(r.dataset.empty() && r.method == "copy-paste");
  const std::string text = usefulness_text(rows);
  EXPECT_NE(text.find("+12.0"), std::string::npos);
}

TEST(UsefulnessCell, SurvivesItsFile) {
  UsefulnessCell cell = cell_of("a", 2, "terragen", 0.375);
  cell.tiles = 0;
  cell.classes = {{"building", 0.5}, {"road", std::nan("")}};
  cell.made = 7;
  cell.make_flops = 1e13;
  const UsefulnessCell back = usefulness_cell_from_json(to_json(cell), "cell");
  EXPECT_EQ(to_json(back), to_json(cell));
  EXPECT_TRUE(std::isnan(back.classes.at("road")));
  EXPECT_EQ(to_json(cell)["tiles"], "all");
}

// The whole protocol with networks that learn nothing.
class Usefulness : public testing::Test {
 protected:
  Usefulness() {
    test::write_drawn_dataset(scratch_.path() / "drawn", 6, 2);
    test::write_generator(scratch_.path() / "generator", test::card_of("train town"));
  }
  UsefulnessOptions options() const {
    UsefulnessOptions all{.datasets = {scratch_.path() / "drawn"},
                          .model = scratch_.path() / "generator",
                          .tiles = {0, 3},
                          .seeds = 2,
                          .methods = {"real", "copy-paste", "terragen", "terragen-unfiltered"},
                          .painted = 6,
                          .reject_share = 0.5};
    all.variation.size = 32;
    all.paint.steps = 2;
    all.train.crop = 32;
    all.train.batch = 2;
    all.train.loader_threads = 0;
    all.train.trainer.steps = 1;
    all.train.trainer.warmup_steps = 0;
    all.train.compute.threads = all.paint.compute.threads = 1;
    return all;
  }
  std::filesystem::path run() const { return scratch_.path() / "run"; }

  const test::ScratchFolder scratch_;
};

TEST_F(Usefulness, EverySeedHasItsOwnTilesImagesAndJudge) {
  const std::vector<UsefulnessCell> cells = evaluate_usefulness(options(), run());
  ASSERT_EQ(cells.size(), 16U);
  for (const UsefulnessCell& cell : cells) {
    EXPECT_EQ(cell.real_images, cell.tiles == 0 ? 6 : 3);
    EXPECT_EQ(cell.made, cell.method == "real" ? 0 : 6);
    EXPECT_EQ(cell.generator_sha256.empty(), !cell.method.starts_with("terragen"));
    EXPECT_EQ(cell.rejected, cell.method == "terragen" ? 3 : 0) << cell.tiles << cell.seed;
    EXPECT_EQ(cell.judge_flops > 0, cell.method.starts_with("terragen"));
    EXPECT_GT(cell.train_flops, 0);
  }
  // Of all images, too, every seed paints anew.
  const auto first_image = [&](const char* name) {
    const data::Dataset made = data::read_dataset(run() / "made" / name);
    return geo::read_raster(made.folder / "images" / made.images.front().file_name).samples;
  };
  EXPECT_NE(first_image("drawn_all_0_terragen"), first_image("drawn_all_1_terragen"));
  // What is there is not measured again.
  const auto again = evaluate_usefulness(options(), run());
  for (std::size_t i = 0; i < cells.size(); ++i) EXPECT_EQ(to_json(again[i]), to_json(cells[i]));
}

TEST_F(Usefulness, FiguresOfOtherDataOrAnotherGeneratorAreRefused) {
  UsefulnessOptions few = options();
  few.tiles = {3};
  few.seeds = 1;
  few.methods = {"real", "terragen"};
  const std::vector<UsefulnessCell> cells = evaluate_usefulness(few, run());
  const std::filesystem::path figures = scratch_.path() / "figures.json";
  write_json(figures, to_json(UsefulnessRun{cells, read_json(run() / "settings.json"), 0, 0}));
  test::write_generator(scratch_.path() / "generator", test::card_of("train town"), 2);
  // Of an earlier report what fits is taken, and the rest measured.
  UsefulnessOptions later = few;
  later.earlier = {figures};
  const std::vector<UsefulnessCell> anew = evaluate_usefulness(later, scratch_.path() / "later");
  EXPECT_EQ(to_json(anew[0]), to_json(cells[0]));
  EXPECT_NE(anew[1].generator_sha256, cells[1].generator_sha256);
  EXPECT_THROW(evaluate_usefulness(few, run()), RequestError);
  few.methods = {"real"};
  EXPECT_NO_THROW(evaluate_usefulness(few, run()));
  test::write_drawn_dataset(scratch_.path() / "drawn", 7, 2);
  EXPECT_THROW(evaluate_usefulness(few, run()), RequestError);
}

TEST_F(Usefulness, WhatCannotBeIsRefusedBeforeAnythingIsTrained) {
  const auto refused = [&](const std::function<void(UsefulnessOptions&)>& change) {
    UsefulnessOptions changed = options();
    change(changed);
    EXPECT_THROW(evaluate_usefulness(changed, run()), RequestError);
    EXPECT_FALSE(std::filesystem::exists(run()));
  };
  refused([](UsefulnessOptions& all) { all.tiles = {3, 20}; });
  refused([](UsefulnessOptions& all) { all.models["drown"] = all.model; });
  refused([](UsefulnessOptions& all) { all.datasets.push_back(all.datasets.front()); });
  refused([](UsefulnessOptions& all) { all.train.architecture = "fcos-resnet18"; });
  refused([](UsefulnessOptions& all) { all.methods.clear(); });
  const std::filesystem::path untrained = scratch_.path() / "untrained";
  test::write_drawn_dataset(untrained, 0, 2);
  refused([&](UsefulnessOptions& all) {
    all.datasets = {untrained};
    all.tiles = {0};
    all.methods = {"copy-paste"};
  });
}

}  // namespace
}  // namespace terragen::evaluation
