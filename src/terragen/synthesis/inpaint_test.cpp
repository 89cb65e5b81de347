#include "terragen/synthesis/inpaint.h"

#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "terragen/core/atomic_file.h"
#include "terragen/core/error.h"
#include "terragen/core/interrupt.h"
#include "terragen/core/test_paths.h"
#include "terragen/geo/raster_io.h"
#include "terragen/layout/rasterise.h"
#include "terragen/synthesis/test_model.h"
#include "terragen/tensor/seeded_noise.h"

namespace terragen::synthesis {
namespace {

namespace fs = std::filesystem;

constexpr int kTileSize = 64;

// `count` images of three bands of uint16 at EPSG:32645 with a nodata corner, each with one box of class 0.
data::Dataset dataset_in(const fs::path& folder, const std::string& class_name, int count) {
  data::Dataset dataset;
  dataset.folder = folder;
  dataset.name = folder.filename().string();
  dataset.task = "building";
  dataset.data_type = "uint16";
  dataset.bands = {{"red", 0, 1000}, {"green", 0, 1000}, {"blue", 0, 1000}};
  dataset.nodata = 65535;
  dataset.taxonomy = layout::Taxonomy({{class_name, {200, 0, 0}}});
  fs::create_directories(folder / "images");
  for (int i = 0; i < count; ++i) {
    geo::Raster raster = geo::make_raster(kTileSize, kTileSize, 3, geo::DataType::uint16);
    const torch::Tensor noise = tensor::seeded_uniform({3, kTileSize, kTileSize}, static_cast<std::uint64_t>(i + 1));
    for (int b = 0; b < 3; ++b) {
      for (int y = 0; y < kTileSize; ++y) {
        for (int x = 0; x < kTileSize; ++x) {
          raster.set(b, x, y, x < 3 && y < 3 ? 65535 : 200 + 600 * noise[b][y][x].item<double>());
        }
      }
    }
    raster.nodata = 65535;
    raster.georeference.crs = "EPSG:32645";
    raster.georeference.crs_from_pixel = {350000, 0.5, 0, 3057000, 0, -0.5};
    data::ImageRecord record;
    record.file_name = "tile" + std::to_string(i) + ".tif";
    record.width = record.height = kTileSize;
    record.place = "town";
    record.gsd = 0.5;
    record.crs = raster.georeference.crs;
    record.crs_from_pixel = raster.georeference.crs_from_pixel;
    record.features = {{0, layout::make_box({10, 40, 26, 52}), false, {}}};
    geo::write_raster(folder / "images" / record.file_name, raster);
    dataset.images.push_back(std::move(record));
  }
  data::write_dataset(dataset, folder);
  return data::read_dataset(folder);
}

// Knows roads, and things by their pictures.
models::ModelFolder reference_model() {
  models::ModelFolder model =
      small_model(layout::Taxonomy({{"road", {}}, {models::kReferenceClass, {}}}), {"building"});
  model.dense_tasks.clear();
  model.reference_encoder = models::ReferenceEncoder(models::ReferenceEncoderConfig{.size = 32, .channels = {8, 16}});
  model.reference_encoder->eval();
  return model;
}

InpaintOptions pool_options() {
  InpaintOptions options{.class_name = "pool", .seed = 3, .filter = false};
  options.objects.window = 32;
  options.objects.variants = 1;
  options.objects.placement.most = 2;
  options.rule = layout::PlacementRule{};
  return options;
}

// A tile of roads, one with a pool, and what paints it there.
struct OneTileEach {
  const test::ScratchFolder scratch;
  const data::Dataset roads = dataset_in(scratch.path() / "roads", "road", 1);
  data::Dataset pools = dataset_in(scratch.path() / "pools", "pool", 1);
  NoRefiner refiner;
  Painter painter{reference_model(), {.steps = 2}};

  InpaintSummary inpaint(const InpaintOptions& options) { return inpaint_with(painter, options); }
  InpaintSummary inpaint_with(Painter& other, const InpaintOptions& options) {
    return inpaint_dataset(roads, pools, other, refiner, nullptr, options, scratch.path() / "out");
  }
};

TEST(Inpaint, PixelsOutsideWhatWasPaintedStayToTheBit) {
  const test::ScratchFolder scratch;
  const data::Dataset roads = dataset_in(scratch.path() / "roads", "road", 4);
  const data::Dataset pools = dataset_in(scratch.path() / "pools", "pool", 2);
  Painter painter(reference_model(), {.steps = 2, .guidance = 1.0});
  NoRefiner refiner;
  const InpaintSummary summary =
      inpaint_dataset(roads, pools, painter, refiner, nullptr, pool_options(), scratch.path() / "out");
  ASSERT_GE(summary.accepted, 4U);
  const data::Dataset made = data::read_dataset(scratch.path() / "out");
  ASSERT_EQ(made.images.size(), 4 + summary.images);
  ASSERT_EQ(made.taxonomy.find("pool"), 1);
  int differing = 0;
  for (const data::ImageRecord& image : made.images) {
    if (!image.synthetic) continue;
    ASSERT_GE(image.features.size(), 2U);
    const geo::Raster now = geo::read_raster(made.folder / "images" / image.file_name);
    EXPECT_EQ(now.georeference.crs, "EPSG:32645");
    EXPECT_EQ(now.type, geo::DataType::uint16);
    EXPECT_EQ(now.nodata, 65535);
    const std::string stem = fs::path(image.file_name).stem().string();
    const geo::Raster real = geo::read_raster(roads.folder / "images" / (stem.substr(stem.rfind('_') + 1) + ".tif"));
    std::vector<layout::Bounds> bounds;
    for (const layout::Feature& feature : image.features) {
      if (feature.class_index == 1) bounds.push_back(layout::bounds_of(feature.geometry));
    }
    for (int y = 0; y < kTileSize; ++y) {
      for (int x = 0; x < kTileSize; ++x) {
        const bool near = std::ranges::any_of(bounds, [&](const layout::Bounds& b) {
          return x >= b.x0 - 4 && x <= b.x1 + 4 && y >= b.y0 - 4 && y <= b.y1 + 4;
        });
        for (int band = 0; band < 3; ++band) {
          const bool same = now.at(band, x, y) == real.at(band, x, y);
          ASSERT_TRUE(near || same) << image.file_name << " " << x << " " << y;
          differing += same ? 0 : 1;
        }
      }
    }
  }
  EXPECT_GT(differing, 100);
}

TEST(Inpaint, DecoysArePaintedAndNotLabelled) {
  OneTileEach tiles;
  InpaintOptions options = pool_options();
  options.keep_real = false;
  options.objects.placement.most = 1;
  options.objects.decoys = 1;
  const InpaintSummary summary = tiles.inpaint(options);
  EXPECT_EQ(summary.placed, 1U);
  const data::Dataset made = data::read_dataset(tiles.scratch.path() / "out");
  ASSERT_EQ(made.images.size(), 1U);
  const data::ImageRecord& image = made.images.front();
  EXPECT_EQ(std::ranges::count(image.features, 1, &layout::Feature::class_index), 1);
  const Json& decoys = made.provenance.at("augmented").at("decoy_outlines").at(image.file_name);
  ASSERT_EQ(decoys.size(), 1U);
  const layout::Geometry decoy = layout::geometry_from_json(decoys.front(), "decoy");
  const std::vector<std::uint8_t> inside = layout::rasterise(decoy, kTileSize, kTileSize);
  const geo::Raster now = geo::read_raster(made.folder / "images" / image.file_name);
  const geo::Raster real = geo::read_raster(tiles.roads.folder / "images/tile0.tif");
  int pixels = 0;
  int changed = 0;
  for (int y = 0; y < kTileSize; ++y) {
    for (int x = 0; x < kTileSize; ++x) {
      if (inside[static_cast<std::size_t>(y * kTileSize + x)] == 0) continue;
      ++pixels;
      changed += now.at(0, x, y) != real.at(0, x, y) ? 1 : 0;
    }
  }
  EXPECT_GT(pixels, 80);
  EXPECT_GT(changed, pixels * 9 / 10);
  options.objects.strengths = {0};
  EXPECT_THROW(tiles.inpaint(options), RequestError);  // nothing would be painted
  options.objects.decoys = 0;
  options.objects.match_colours = 1;
  EXPECT_THROW(tiles.inpaint(options), RequestError);
  options.objects.match_colours = 0;
  options.objects.strengths.clear();
  EXPECT_THROW(tiles.inpaint(options), RequestError);
}

// Takes the whole window for the thing.
class GreedyRefiner : public MaskRefiner {
 public:
  std::string name() const override { return "greedy"; }
  torch::Tensor refine(const torch::Tensor&, const torch::Tensor& intended) override {
    return torch::ones_like(intended);
  }
};

TEST(Inpaint, NothingIsLabelledThatWasNotPainted) {
  const test::ScratchFolder scratch;
  const data::Dataset roads = dataset_in(scratch.path() / "roads", "road", 2);
  const data::Dataset pools = dataset_in(scratch.path() / "pools", "pool", 1);
  Painter painter(reference_model(), {.steps = 2, .guidance = 1.0});
  GreedyRefiner refiner;
  InpaintOptions options = pool_options();
  options.objects.mask.least_overlap = 0.1;
  const InpaintSummary summary =
      inpaint_dataset(roads, pools, painter, refiner, nullptr, options, scratch.path() / "out");
  ASSERT_GE(summary.accepted, 1U);
  const data::Dataset made = data::read_dataset(scratch.path() / "out");
  for (const data::ImageRecord& image : made.images) {
    for (const layout::Feature& feature : image.features) {
      // Sixteen pixels by twelve, resized by at most 1.15 and turned, with a margin of three on every side.
      if (feature.class_index != 1) continue;
      EXPECT_LE(layout::area_of(feature.geometry), (1.15 * 16 + 8) * (1.15 * 12 + 8));
    }
  }
}

TEST(Inpaint, ThingsTakeStrengthsInTurn) {
  OneTileEach tiles;
  InpaintOptions options = pool_options();
  options.objects.placement.most = 3;
  options.objects.strengths = {0.8, 0};
  const InpaintSummary summary = tiles.inpaint(options);
  ASSERT_EQ(summary.accepted, 3U);
  EXPECT_EQ(summary.pasted, 1U);
  const Json told = data::read_dataset(tiles.scratch.path() / "out").provenance.at("augmented").at("objects");
  std::vector<double> strengths;
  for (const Json& object : told.front()) strengths.push_back(object.at("strength"));
  EXPECT_EQ(strengths, (std::vector<double>{0.8, 0, 0.8}));
}

TEST(Inpaint, AResultIsAsGoodASceneAsAnyOther) {
  OneTileEach tiles;
  const InpaintSummary once = tiles.inpaint(pool_options());
  ASSERT_EQ(once.images, 1U);
  const data::Dataset result = data::read_dataset(tiles.scratch.path() / "out");
  InpaintOptions again = pool_options();
  again.seed = 4;
  inpaint_dataset(result, tiles.pools, tiles.painter, tiles.refiner, nullptr, again, tiles.scratch.path() / "more");
  std::set<std::string> names;
  for (const data::ImageRecord& image : data::read_dataset(tiles.scratch.path() / "more").images)
    names.insert(image.file_name);
  EXPECT_EQ(names.size(), 3U);
}

TEST(Inpaint, AnotherSceneStandsInForOneThatHasNoRoom) {
  const test::ScratchFolder scratch;
  data::Dataset roads = dataset_in(scratch.path() / "roads", "road", 2);
  roads.images[0].features = {{0, layout::make_box({0, 0, kTileSize, kTileSize}), false, {}}};
  data::write_dataset(roads, roads.folder);
  const data::Dataset pools = dataset_in(scratch.path() / "pools", "pool", 1);
  Painter painter(reference_model(), {.steps = 2, .guidance = 1.0});
  NoRefiner refiner;
  std::set<std::size_t> tried;
  for (const std::uint64_t seed : {1, 2, 3, 4, 5, 6}) {
    InpaintOptions options = pool_options();
    options.seed = seed;
    options.scenes = 1;
    const InpaintSummary summary = inpaint_dataset(roads, pools, painter, refiner, nullptr, options,
                                                   scratch.path() / ("out" + std::to_string(seed)));
    EXPECT_EQ(summary.images, 1U);
    tried.insert(summary.scenes);
  }
  EXPECT_EQ(tried, (std::set<std::size_t>{1, 2}));
}

// Knows the example, finds nothing in so many things that were painted, and is right ever after.
class SlowRefiner : public MaskRefiner {
 public:
  explicit SlowRefiner(int misses) : misses_(misses) {}
  std::string name() const override { return "slow"; }
  torch::Tensor refine(const torch::Tensor&, const torch::Tensor& intended) override {
    const int call = calls_++;
    return call > 0 && call <= misses_ ? torch::zeros_like(intended) : intended;
  }

 private:
  int misses_;
  int calls_ = 0;
};

TEST(Inpaint, WhatIsDroppedIsPaintedElsewhereInTheNextRound) {
  for (const std::size_t rounds : {1U, 2U}) {
    OneTileEach tiles;
    SlowRefiner refiner(1);
    InpaintOptions options = pool_options();
    options.objects.placement.most = 1;
    options.objects.strengths.assign(rounds, 0.8);
    const InpaintSummary summary = inpaint_dataset(tiles.roads, tiles.pools, tiles.painter, refiner, nullptr, options,
                                                   tiles.scratch.path() / "out");
    EXPECT_EQ(summary.placed, rounds);
    EXPECT_EQ(summary.wrong_mask, 1U);
    EXPECT_EQ(summary.accepted, rounds - 1);
  }
}

TEST(Inpaint, AStrengthOfZeroPastesTheExampleWithItsOwnOutline) {
  OneTileEach tiles;
  SlowRefiner refiner(2);
  InpaintOptions options = pool_options();
  options.filter = true;
  options.objects.placement.most = 1;
  options.objects.strengths = {0.8, 0.5, 0};
  const InpaintSummary summary =
      inpaint_dataset(tiles.roads, tiles.pools, tiles.painter, refiner, nullptr, options, tiles.scratch.path() / "out");
  EXPECT_EQ(summary.wrong_mask, 2U);
  EXPECT_EQ(summary.unlike, 0U);
  EXPECT_EQ(summary.accepted, 1U);
  EXPECT_EQ(summary.pasted, 1U);
  EXPECT_EQ(summary.placed, 3U);
}

TEST(Inpaint, AStoppedRunGoesOnAndEndsWithTheSameDataset) {
  const test::ScratchFolder scratch;
  const data::Dataset roads = dataset_in(scratch.path() / "roads", "road", 5);
  const data::Dataset pools = dataset_in(scratch.path() / "pools", "pool", 2);
  GrabCutRefiner refiner;
  Painter painter(reference_model(), {.steps = 2, .guidance = 1.0});
  // With everything on: a learned rule, two variants, outline and filter.
  InpaintOptions all = pool_options();
  all.rule.reset();
  all.filter = true;
  all.objects.variants = 2;
  all.objects.strengths = {0.8, 0.5};
  all.objects.mask.least_overlap = 0.1;
  const InpaintSummary at_once =
      inpaint_dataset(roads, pools, painter, refiner, nullptr, all, scratch.path() / "whole" / "made");
  const fs::path stopped = scratch.path() / "stopped" / "made";
  std::thread stopper([&] {
    while (!fs::exists(stopped.string() + ".partial/00001_0"))
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    request_interrupt();
  });
  EXPECT_THROW(inpaint_dataset(roads, pools, painter, refiner, nullptr, all, stopped), Interrupted);
  stopper.join();
  request_interrupt(false);
  EXPECT_FALSE(fs::exists(stopped));
  double first_part = 0;
  for (const auto& entry : fs::directory_iterator(stopped.string() + ".partial")) {
    if (!entry.path().string().ends_with(".cost.json")) continue;
    first_part += inpaint_cost_from_json(read_json(entry.path()), entry.path().string()).painting.seconds;
  }
  EXPECT_GT(first_part, 0);
  InpaintOptions other = all;
  other.seed = 9;
  EXPECT_THROW(inpaint_dataset(roads, pools, painter, refiner, nullptr, other, stopped), RequestError);
  data::Dataset fewer = roads;
  fewer.images.pop_back();
  EXPECT_THROW(inpaint_dataset(fewer, pools, painter, refiner, nullptr, all, stopped), RequestError);
  const InpaintSummary in_parts = inpaint_dataset(roads, pools, painter, refiner, nullptr, all, stopped);
  EXPECT_EQ(in_parts.accepted, at_once.accepted);
  // What the first part cost is not forgotten.
  EXPECT_GT(in_parts.cost.painting.seconds, first_part);
  EXPECT_GT(in_parts.cost.painting.peak_memory, 0);
  for (const auto& entry : fs::recursive_directory_iterator(scratch.path() / "whole" / "made")) {
    if (!entry.is_regular_file()) continue;
    const fs::path twin = stopped / fs::relative(entry.path(), scratch.path() / "whole" / "made");
    EXPECT_EQ(read_file(entry.path()), read_file(twin)) << twin;
  }
}

TEST(Inpaint, AJudgeKnowsTheClassAndLearnsItsThresholdOnTheExamples) {
  const test::ScratchFolder scratch;
  const data::Dataset roads = dataset_in(scratch.path() / "roads", "road", 2);
  const data::Dataset pools = dataset_in(scratch.path() / "pools", "pool", 1);
  torch::manual_seed(4);
  models::PerceptionConfig config{.architecture = "unet-resnet18",
                                  .taxonomy = layout::Taxonomy({{"pool", {}}, {"road", {}}})};
  config.images.bands = {{"red", 0, 1000}, {"green", 0, 1000}, {"blue", 0, 1000}};
  const models::PerceptionInference judge(models::new_perception_model(config), {.precision = "fp32", .threads = 1});
  NoRefiner refiner;
  Painter painter(reference_model(), {.steps = 2, .guidance = 1.0});
  const InpaintSummary some =
      inpaint_dataset(roads, pools, painter, refiner, &judge, pool_options(), scratch.path() / "some");
  EXPECT_GT(some.judge_threshold, 0);
  EXPECT_LT(some.judge_threshold, 0.5);
  EXPECT_EQ(some.accepted + some.unseen, some.placed);
  InpaintOptions unknown = pool_options();
  unknown.class_name = "lake";
  EXPECT_THROW(inpaint_dataset(roads, pools, painter, refiner, &judge, unknown, scratch.path() / "no"), RequestError);
}

TEST(Inpaint, ExplainsItselfInPictures) {
  OneTileEach set;
  InpaintOptions options = pool_options();
  options.explain = set.scratch.path() / "why";
  const InpaintSummary summary = set.inpaint(options);
  ASSERT_GE(summary.placed, 1U);
  EXPECT_TRUE(fs::exists(options.explain / "00000_0.png"));
  const geo::Raster things = geo::read_raster(options.explain / "00000_0_things.png");
  // Example, scene, one variant, outline, result.
  EXPECT_EQ((things.width - 6) % 5, 0);
  EXPECT_GE(things.width, 5 * (32 + 6) + 6);
  EXPECT_GE(things.height, static_cast<int>(summary.placed) * (32 + 18) + 6);
}

TEST(Inpaint, SizesAreComparedInMetresOrInPixelsButNotInBoth) {
  OneTileEach set;
  set.pools.images[0].gsd.reset();
  set.pools.images[0].crs_from_pixel.reset();
  set.pools.images[0].crs.clear();
  data::write_dataset(set.pools, set.pools.folder);
  EXPECT_THROW(set.inpaint(pool_options()), RequestError);
}

TEST(CropFilter, PutsExamplesAboveOtherThings) {
  const auto picture = [](float value, std::uint64_t seed) {
    torch::Tensor one = torch::zeros({4, 32, 32});
    one.slice(0, 0, 3).slice(1, 8, 24).slice(2, 8, 24) = value + 0.1 * tensor::seeded_normal({3, 16, 16}, seed);
    one[3].slice(0, 8, 24).slice(1, 8, 24).fill_(1);
    return one;
  };
  const auto reference = [&](float value, std::uint64_t seed) {
    Reference one;
    one.picture = picture(value, seed);
    return one;
  };
  torch::manual_seed(3);
  models::ReferenceEncoder encoder(models::ReferenceEncoderConfig{.size = 32, .channels = {8, 16}});
  encoder->eval();
  const CropFilter filter(encoder, {reference(0.8F, 1), reference(0.8F, 2), reference(0.8F, 3)},
                          {reference(-0.8F, 4), reference(-0.8F, 5)}, 0.0);
  EXPECT_GT(filter.margin(picture(0.8F, 6)), filter.margin(picture(-0.8F, 7)) + 0.5);
  EXPECT_TRUE(filter.accepts(filter.threshold()));
  EXPECT_FALSE(filter.accepts(filter.margin(picture(-0.8F, 7))));
}

TEST(Inpaint, RefusesWhatItCannotPaint) {
  OneTileEach set;
  InpaintOptions options = pool_options();
  options.class_name = "lake";
  EXPECT_THROW(set.inpaint(options), RequestError);
  Painter without(small_model(layout::Taxonomy({{"road", {}}}), {"building"}), {.steps = 2});
  EXPECT_THROW(set.inpaint_with(without, pool_options()), RequestError);
  EXPECT_FALSE(fs::exists(set.scratch.path() / "out"));
}

TEST(Inpaint, ExamplesOfTestPlacesAreRefusedAndOthersNamed) {
  OneTileEach set;
  data::Dataset tested = set.roads;
  tested.images.push_back(tested.images.front());
  tested.images.back().split = data::Split::test;
  tested.images.back().place = "harbour";
  InpaintOptions options = pool_options();
  options.keep_real = false;
  const auto inpaint_into = [&](const std::string& name) {
    return inpaint_dataset(tested, set.pools, set.painter, set.refiner, nullptr, options, set.scratch.path() / name);
  };
  set.pools.images.front().place = "harbour";
  EXPECT_THROW(inpaint_into("no"), DataError);
  set.pools.images.front().place = "lido";
  inpaint_into("made");
  const Json source = data::read_dataset(set.scratch.path() / "made").provenance.at("augmented").at("example_source");
  EXPECT_EQ(source.at("places"), Json({"lido"}));
  EXPECT_EQ(source.at("dataset"), "pools");
}

TEST(Inpaint, ExamplesOfOtherBandsAreRefused) {
  OneTileEach set;
  set.pools.bands[2].name = "nir";
  EXPECT_THROW(set.inpaint(pool_options()), RequestError);
  set.pools.bands.pop_back();
  EXPECT_THROW(set.inpaint(pool_options()), RequestError);
}

}  // namespace
}  // namespace terragen::synthesis
