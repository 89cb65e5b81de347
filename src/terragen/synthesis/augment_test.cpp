#include "terragen/synthesis/augment.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <set>
#include <thread>

#include "terragen/core/atomic_file.h"
#include "terragen/core/error.h"
#include "terragen/core/interrupt.h"
#include "terragen/core/json_file.h"
#include "terragen/core/test_paths.h"
#include "terragen/geo/raster_io.h"
#include "terragen/layout/rasterise.h"
#include "terragen/synthesis/augmented_dataset.h"
#include "terragen/synthesis/copy_paste.h"
#include "terragen/synthesis/distortion.h"
#include "terragen/synthesis/image_raster.h"
#include "terragen/synthesis/layout_score.h"
#include "terragen/synthesis/test_model.h"
#include "terragen/synthesis/variation.h"

namespace terragen::synthesis {
namespace {

layout::Feature box_feature(double x0, double y0, double x1, double y1, int class_index = 0) {
  return {class_index, layout::make_box({x0, y0, x1, y1}), false, {}};
}

// An image whose pixels show what its features say: `inside` on them, `outside` elsewhere.
shards::Sample drawn_sample(const std::vector<layout::Feature>& features, float inside, float outside, int size = 64) {
  shards::Sample sample;
  sample.layout.task = "building";
  sample.layout.width = sample.layout.height = size;
  sample.layout.gsd = 0.5;
  sample.layout.features = features;
  sample.valid = torch::ones({size, size});
  sample.image = torch::full({3, size, size}, outside);
  for (const layout::Feature& feature : features) {
    auto mask = layout::rasterise(feature.geometry, size, size);
    sample.image.masked_fill_(torch::from_blob(mask.data(), {size, size}, torch::kUInt8).to(torch::kBool), inside);
  }
  sample.source = "set/a";
  return sample;
}

// Share of pixels where the image says the same as its features.
double agreement(const shards::Sample& sample, float inside, float outside) {
  torch::Tensor wanted = torch::full({sample.layout.height, sample.layout.width}, outside);
  for (const layout::Feature& feature : sample.layout.features) {
    auto mask = layout::rasterise(feature.geometry, sample.layout.width, sample.layout.height);
    wanted.masked_fill_(
        torch::from_blob(mask.data(), {sample.layout.height, sample.layout.width}, torch::kUInt8).to(torch::kBool),
        inside);
  }
  const torch::Tensor right = (sample.image[0] - wanted).abs().lt(0.05).to(torch::kFloat32) * sample.valid;
  return right.sum().item<double>() / sample.valid.sum().item<double>();
}

TEST(CopyPaste, PixelsAndFeaturesMoveTogether) {
  const shards::Sample target = drawn_sample({box_feature(4, 4, 20, 20)}, 0.5F, -0.5F);
  const shards::Sample source = drawn_sample({box_feature(30, 30, 50, 60), box_feature(2, 40, 12, 50)}, 0.5F, -0.5F);
  std::size_t most = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Random random(seed);
    const shards::Sample pasted = copy_paste(target, source, random);
    EXPECT_DOUBLE_EQ(agreement(pasted, 0.5F, -0.5F), 1.0) << seed;
    most = std::max(most, pasted.layout.features.size());
  }
  EXPECT_EQ(most, 3U);  // sometimes everything is pasted
}

TEST(CopyPaste, FeaturesOutOfSightAreDropped) {
  const shards::Sample target = drawn_sample({box_feature(30, 30, 40, 40)}, 0.5F, -0.5F);
  const shards::Sample source = drawn_sample({box_feature(20, 20, 60, 60, 1)}, 0.8F, -0.5F);
  bool covered = false;
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    Random random(seed);
    const shards::Sample pasted = copy_paste(target, source, random);
    ASSERT_EQ(pasted.layout.features.size(), 1U);
    covered = covered || pasted.layout.features[0].class_index == 1;
  }
  EXPECT_TRUE(covered);
}

TEST(CopyPaste, WhatTheSourceDoesNotKnowIsNotLabelledEither) {
  shards::Sample target = drawn_sample({}, 0, 0, 32);
  shards::Sample source = drawn_sample({box_feature(18, 4, 30, 12), box_feature(2, 4, 12, 12)}, 0.5F, 0, 32);
  target.layout.mask = layout::DenseMask{32, 32, std::vector<std::uint8_t>(32 * 32, 0)};
  source.layout.mask = layout::DenseMask{32, 32, std::vector<std::uint8_t>(32 * 32, 1)};
  source.valid.slice(1, 16, 32).fill_(0);
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    Random random(seed);
    const shards::Sample pasted = copy_paste(target, source, random);
    for (int y = 0; y < 32; ++y) {
      for (int x = 0; x < 32; ++x) EXPECT_EQ(pasted.layout.mask->at(x, y), x < 16 ? 1 : 0);
    }
    for (const layout::Feature& feature : pasted.layout.features) EXPECT_LT(layout::bounds_of(feature.geometry).x1, 16);
  }
}

TEST(CopyPaste, OfDenseMasksHalfTheClasses) {
  shards::Sample target = drawn_sample({}, 0, 0, 32);
  shards::Sample source = drawn_sample({}, 0, 0, 32);
  target.layout.mask = layout::DenseMask{32, 32, std::vector<std::uint8_t>(32 * 32, 0)};
  std::vector<std::uint8_t> halves(32 * 32, 0);
  std::fill_n(halves.begin(), 512, std::uint8_t{1});
  source.layout.mask = layout::DenseMask{32, 32, halves};
  source.image = torch::ones({3, 32, 32});
  source.image.slice(1, 0, 16).fill_(-1);
  Random random(3);
  const shards::Sample pasted = copy_paste(target, source, random);
  const auto image = pasted.image.accessor<float, 3>();
  int changed = 0;
  for (int y = 0; y < 32; ++y) {
    for (int x = 0; x < 32; ++x) {
      // A pasted pixel shows the source's colour of the class that the mask now says.
      const bool moved = image[0][y][x] != 0.0F;
      changed += moved ? 1 : 0;
      if (moved) {
        EXPECT_EQ(pasted.layout.mask->at(x, y), image[0][y][x] < 0 ? 1 : 0);
      } else {
        EXPECT_EQ(pasted.layout.mask->at(x, y), 0);
      }
    }
  }
  EXPECT_EQ(changed, 512);
}

TEST(Distortion, UprightBoxesStayUprightAndClose) {
  const shards::Sample sample = drawn_sample({box_feature(24, 28, 40, 36)}, 0.7F, -0.7F);
  std::set<bool> is_wide;
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    Random random(seed);
    const shards::Sample moved = geometric_distortion(sample, random);
    ASSERT_EQ(moved.layout.features.size(), 1U);
    const layout::Geometry& box = moved.layout.features[0].geometry;
    EXPECT_EQ(box.kind, layout::GeometryKind::box);
    EXPECT_GT(agreement(moved, 0.7F, -0.7F), 0.92) << seed;
    const layout::Bounds bounds = layout::bounds_of(box);
    is_wide.insert(bounds.width() > bounds.height());
    EXPECT_NEAR(std::max(bounds.width(), bounds.height()), 2 * std::min(bounds.width(), bounds.height()), 1e-9);
  }
  EXPECT_EQ(is_wide.size(), 2U);
}

TEST(Distortion, GeometryMovesPixelsAndFeaturesAlike) {
  const layout::Geometry corners = layout::make_polygon({{20, 24}, {44, 24}, {44, 40}, {20, 40}});
  const shards::Sample sample = drawn_sample({{0, corners, false, {}}}, 0.7F, -0.7F);
  for (std::uint64_t seed = 0; seed < 6; ++seed) {
    Random random(seed);
    const shards::Sample moved = geometric_distortion(sample, random);
    ASSERT_EQ(moved.layout.features.size(), 1U);
    // Bilinear edges are neither.
    EXPECT_GT(agreement(moved, 0.7F, -0.7F), 0.92) << seed;
    EXPECT_LT(moved.valid.min().item<float>(), 0.5F);  // corners come from beyond the image
  }
}

TEST(Distortion, ColoursChangeAndLabelsStay) {
  const shards::Sample sample = drawn_sample({box_feature(20, 24, 44, 40)}, 0.7F, -0.7F);
  Random random(5);
  const shards::Sample other = photometric_distortion(sample, random);
  EXPECT_EQ(other.layout, sample.layout);
  EXPECT_GT((other.image - sample.image).abs().mean().item<float>(), 0.01F);
  EXPECT_LE(other.image.abs().max().item<float>(), 1.0F);
}

TEST(Variation, JoinsTwoLayoutsAtALine) {
  layout::Layout one;
  one.width = one.height = 64;
  one.features = {box_feature(0, 0, 64, 64, 0)};
  layout::Layout other = one;
  other.features = {box_feature(0, 0, 64, 64, 1)};
  const layout::Layout both = joined(one, other, 20, false);
  ASSERT_EQ(both.features.size(), 2U);
  EXPECT_EQ(layout::bounds_of(both.features[0].geometry), (layout::Bounds{0, 0, 20, 64}));
  EXPECT_EQ(layout::bounds_of(both.features[1].geometry), (layout::Bounds{20, 0, 64, 64}));
  EXPECT_EQ(both.features[1].class_index, 1);
  const layout::Layout rows = joined(one, other, 20, true);
  EXPECT_EQ(layout::bounds_of(rows.features[1].geometry), (layout::Bounds{0, 20, 64, 64}));
}

// Two images to train on and one to test on, a building each.
data::Dataset small_dataset(const std::filesystem::path& folder) {
  data::Dataset dataset;
  dataset.folder = folder;
  dataset.name = "real";
  dataset.task = "building";
  dataset.data_type = "uint8";
  dataset.bands = {{"red", 0, 255}, {"green", 0, 255}, {"blue", 0, 255}};
  dataset.taxonomy = layout::Taxonomy({{"building", {200, 0, 0}}});
  std::filesystem::create_directories(dataset.folder / "images");
  for (int i = 0; i < 3; ++i) {
    geo::Raster raster = geo::make_raster(64, 64, 3, geo::DataType::uint8);
    for (int b = 0; b < 3; ++b) {
      for (int y = 0; y < 64; ++y) {
        for (int x = 0; x < 64; ++x) raster.set(b, x, y, (x * 3 + y + 40 * i) % 256);
      }
    }
    data::ImageRecord record{.file_name = std::to_string(i) + ".png", .width = 64, .height = 64};
    record.split = i == 2 ? data::Split::test : data::Split::train;
    record.place = i == 2 ? "there" : "here";
    record.features = {{0, layout::make_polygon({{10, 10}, {30, 10}, {30, 30}, {10, 30}}), false, {}}};
    geo::write_raster(dataset.folder / "images" / record.file_name, raster);
    dataset.images.push_back(record);
  }
  data::write_dataset(dataset, dataset.folder);
  return dataset;
}

TEST(Augment, AltersRealImagesIntoOneDataset) {
  const test::ScratchFolder folder;
  const data::Dataset dataset = small_dataset(folder.path() / "real");
  AugmentOptions options{.method = "copy-paste", .per_image = 2};
  options.variation.size = 64;
  const AugmentSummary summary = augment_dataset(dataset, nullptr, nullptr, options, folder.path() / "more");
  EXPECT_EQ(summary.made, 4U);
  const data::Dataset more = data::read_dataset(folder.path() / "more");
  ASSERT_EQ(more.images.size(), 7U);
  int synthetic = 0;
  for (const data::ImageRecord& image : more.images) {
    EXPECT_TRUE(std::filesystem::exists(more.folder / "images" / image.file_name));
    if (!image.synthetic) continue;
    ++synthetic;
    EXPECT_EQ(image.split, data::Split::train);
    EXPECT_EQ(image.place, "here");  // nothing is made from test places
  }
  EXPECT_EQ(synthetic, 4);
  EXPECT_EQ(geo::read_raster(more.folder / "images/2.png").samples,
            geo::read_raster(dataset.folder / "images/2.png").samples);
  // What was made is no ground to make more from.
  const AugmentSummary twice = augment_dataset(more, nullptr, nullptr, options, folder.path() / "twice");
  EXPECT_EQ(twice.made, 4U);
  std::set<std::string> names;
  for (const data::ImageRecord& image : data::read_dataset(folder.path() / "twice").images)
    names.insert(image.file_name);
  EXPECT_EQ(names.size(), 11U);

  // Rejecting needs a judge, painting a model.
  options.reject_share = 0.5;
  EXPECT_THROW(augment_dataset(dataset, nullptr, nullptr, options, folder.path() / "x"), RequestError);
  options = {.method = "terragen"};
  EXPECT_THROW(augment_dataset(dataset, nullptr, nullptr, options, folder.path() / "x"), RequestError);
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "x"));

  // A judge that was never trained still orders images, and the lowest go.
  models::PerceptionConfig config{.architecture = "unet-resnet18", .taxonomy = dataset.taxonomy, .background = true};
  config.images.bands = {{"red", 0, 255}, {"green", 0, 255}, {"blue", 0, 255}};
  torch::manual_seed(2);
  const models::PerceptionInference judge(models::new_perception_model(config), {.precision = "fp32", .threads = 1});
  options = {.method = "geometric", .per_image = 4, .reject_share = 0.5, .keep_real = false};
  const AugmentSummary judged = augment_dataset(dataset, nullptr, &judge, options, folder.path() / "judged");
  EXPECT_EQ(judged.made, 8U);
  EXPECT_EQ(judged.rejected, 4U);
  const data::Dataset kept = data::read_dataset(folder.path() / "judged");
  EXPECT_EQ(kept.images.size(), judged.made - judged.rejected);
  EXPECT_EQ(kept.provenance.at("augmented").at("scores").size(), 8U);
  bool turned = false;
  for (const data::ImageRecord& image : kept.images) {
    // The corners that a turned image lacks were not measured.
    turned = turned || !geo::read_raster(kept.folder / "images" / image.file_name).valid.empty();
    const std::string stem = std::filesystem::path(image.file_name).stem().string();
    EXPECT_GE(kept.provenance["augmented"]["scores"][stem].get<double>(), judged.threshold);
  }
  EXPECT_TRUE(turned);
}

TEST(LayoutScore, WhereNothingIsLabelledNothingIsWrong) {
  models::PerceptionConfig config{.architecture = "unet-resnet18",
                                  .taxonomy = layout::Taxonomy({{"land", {}}, {"water", {}}})};
  config.images.bands = {{"red", 0, 255}, {"green", 0, 255}, {"blue", 0, 255}};
  const models::PerceptionInference judge(models::new_perception_model(config), {.precision = "fp32", .threads = 1});
  layout::Layout silent{.task = "segmentation", .width = 64, .height = 64};
  silent.mask = layout::DenseMask{64, 64, std::vector<std::uint8_t>(64 * 64, layout::kUnlabelled)};
  EXPECT_EQ(layout_score(judge, torch::zeros({3, 64, 64}), silent), 1.0);
}

TEST(RejectionThreshold, LetsTheWantedShareFallBelow) {
  EXPECT_EQ(rejection_threshold({0.4, 0.1, 0.3, 0.2}, 0.5), 0.3);
  EXPECT_EQ(rejection_threshold({0.4, 0.1, 0.3, 0.2}, 0), 0.1);
}

TEST(LowestShare, IsThatShareAlsoOfEqualScores) {
  EXPECT_EQ(lowest_share({0.4, 0.1, 0.3, 0.2}, 0.5), (std::vector<std::size_t>{1, 3}));
  EXPECT_EQ(lowest_share({0, 0, 0, 0}, 0.5), (std::vector<std::size_t>{0, 1}));
  EXPECT_TRUE(lowest_share({0.4, 0.1}, 0).empty());
}

TEST(Augment, PaintsEveryKindFromTrainingImages) {
  const test::ScratchFolder folder;
  const data::Dataset dataset = small_dataset(folder.path() / "real");
  Painter painter(small_model(), {.steps = 4});
  AugmentOptions options{.per_image = 12, .keep_real = false};
  options.variation.size = 32;
  options.variation.whole_share = options.variation.scene_share = options.variation.paste_share = 0.25;
  const AugmentSummary summary = augment_dataset(dataset, &painter, nullptr, options, folder.path() / "one");
  EXPECT_EQ(summary.made, 24U);
  augment_dataset(dataset, &painter, nullptr, options, folder.path() / "two");
  const data::Dataset one = data::read_dataset(folder.path() / "one");
  const data::Dataset two = data::read_dataset(folder.path() / "two");
  ASSERT_EQ(one.images.size(), 24U);
  std::set<std::string> kinds;
  for (std::size_t i = 0; i < one.images.size(); ++i) {
    const data::ImageRecord& image = one.images[i];
    EXPECT_TRUE(image.synthetic);
    EXPECT_EQ(image.place, "here");
    EXPECT_EQ(image.width, 32);
    EXPECT_EQ(image.source.find("2.png"), std::string::npos);  // the test image
    kinds.insert(image.source.substr(0, image.source.find(' ', image.source.find(' ') + 1)));
    // The same seed paints the same images with the same labels.
    EXPECT_EQ(image.features, two.images[i].features);
    EXPECT_EQ(geo::read_raster(one.folder / "images" / image.file_name).samples,
              geo::read_raster(two.folder / "images" / two.images[i].file_name).samples);
  }
  EXPECT_EQ(kinds, (std::set<std::string>{"made of", "painted from", "painted over", "objects painted"}));
  EXPECT_EQ(one.provenance["augmented"]["method"], "terragen");

  options.variation.size = 40;  // no multiple of what the model paints
  EXPECT_THROW(augment_dataset(dataset, &painter, nullptr, options, folder.path() / "x"), RequestError);
  options.variation.size = 32;
  data::Dataset unknown = dataset;
  unknown.task = "flood";
  EXPECT_THROW(augment_dataset(unknown, &painter, nullptr, options, folder.path() / "x"), RequestError);
}

TEST(AugmentedDataset, MeasuredPixelsAreNeverStoredAsNodata) {
  const test::ScratchFolder scratch;
  data::Dataset dataset = small_dataset(scratch.path() / "real");
  dataset.data_type = "uint16";
  dataset.nodata = 0;
  shards::Sample sample = drawn_sample({}, -1, -1, 8);  // 0 in every band
  sample.valid[0][0] = 0;
  AugmentedDataset made(dataset, false, scratch.path() / "made");
  made.add("dark", sample);
  made.finish({});
  const geo::Raster dark = geo::read_raster(scratch.path() / "made/images/dark.tif");
  ASSERT_FALSE(dark.valid.empty());
  EXPECT_EQ(std::ranges::count(dark.valid, 0), 1);
  EXPECT_EQ(dark.at(1, 0, 0), 0);
  EXPECT_EQ(dark.at(1, 5, 5), 1);
  EXPECT_EQ(beside_nodata(255, {"red", 0, 255}, geo::DataType::uint8), 254);
}

TEST(Augment, BandsInAnotherOrderAreRefused) {
  const test::ScratchFolder scratch;
  data::Dataset dataset = small_dataset(scratch.path() / "real");
  dataset.bands[0].name = "nir";
  Painter painter(small_model(), {.steps = 2});
  AugmentOptions options;
  options.variation.size = 32;
  EXPECT_THROW(augment_dataset(dataset, &painter, nullptr, options, scratch.path() / "x"), RequestError);
}

TEST(Augment, AStoppedRunGoesOnAndEndsWithTheSameDataset) {
  const test::ScratchFolder scratch;
  const data::Dataset dataset = small_dataset(scratch.path() / "real");
  Painter painter(small_model(), {.steps = 2});
  AugmentOptions options{.per_image = 40};  // 80 images: more than are painted together
  options.variation.size = 32;
  const std::filesystem::path whole = scratch.path() / "whole" / "made";
  const std::filesystem::path stopped = scratch.path() / "stopped" / "made";
  augment_dataset(dataset, &painter, nullptr, options, whole);
  std::thread stopper([&] {
    while (!std::filesystem::exists(stopped.string() + ".partial/0000000")) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    request_interrupt();
  });
  EXPECT_THROW(augment_dataset(dataset, &painter, nullptr, options, stopped), Interrupted);
  stopper.join();
  request_interrupt(false);
  EXPECT_FALSE(std::filesystem::exists(stopped));
  const auto first_part =
      read_json(stopped.string() + ".partial/0000000/dataset.json").at("provenance").at("augmented").at("make_seconds");
  AugmentOptions other = options;
  other.seed = 9;
  EXPECT_THROW(augment_dataset(dataset, &painter, nullptr, other, stopped), RequestError);
  const AugmentSummary summary = augment_dataset(dataset, &painter, nullptr, options, stopped);
  EXPECT_EQ(summary.made, 80U);
  EXPECT_GT(summary.make_seconds, first_part.get<double>());  // what the first part cost is not forgotten
  EXPECT_FALSE(std::filesystem::exists(stopped.string() + ".partial"));
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(whole)) {
    if (!entry.is_regular_file()) continue;
    ++files;
    const std::filesystem::path twin = stopped / std::filesystem::relative(entry.path(), whole);
    EXPECT_EQ(read_file(entry.path()), read_file(twin)) << twin;
  }
  EXPECT_GE(files, 84U);
}

}  // namespace
}  // namespace terragen::synthesis
