#include <gtest/gtest.h>

#include "terragen/core/error.h"
#include "terragen/core/test_paths.h"
#include "terragen/layout/rasterise.h"
#include "terragen/shards/loader.h"
#include "terragen/shards/shard_writer.h"
#include "terragen/tensor/seeded_noise.h"

namespace terragen::shards {
namespace {

Sample example(std::uint64_t seed) {
  Sample sample;
  sample.image = tensor::seeded_uniform({3, 48, 64}, seed) * 2 - 1;
  sample.valid = torch::ones({48, 64});
  sample.layout = {.task = "building", .width = 64, .height = 48, .gsd = 0.5};
  sample.layout.features.push_back({0, layout::make_polygon({{5, 4}, {30.5, 9}, {20, 40}, {7, 30}}), false, {}});
  sample.layout.mask = layout::rasterise_classes(sample.layout, 1);
  return sample;
}

TEST(Augment, TurnsMoveImageMaskAndFeaturesTogether) {
  const Sample sample = example(1);
  for (unsigned symmetry = 0; symmetry < 8; ++symmetry) {
    const Sample moved = turned(sample, symmetry);
    ASSERT_EQ(moved.image.size(2), moved.layout.width);
    layout::Layout bare = moved.layout;
    bare.mask.reset();
    const layout::DenseMask drawn = layout::rasterise_classes(bare, 1);
    int different = 0;
    for (std::size_t i = 0; i < drawn.values.size(); ++i) different += drawn.values[i] != moved.layout.mask->values[i];
    // Only centres that lie exactly on an edge may fall to the other side.
    EXPECT_LE(different, 2) << symmetry;
  }
  for (unsigned symmetry = 0; symmetry < 8; ++symmetry) {
    EXPECT_TRUE(torch::equal(turned(turned(sample.image, symmetry), inverse_symmetry(symmetry)), sample.image));
  }
}

TEST(Augment, JitterKeepsTheScaleTrueAndPaddingInvalid) {
  const Sample sample = example(2);
  Random random(3);
  for (int i = 0; i < 20; ++i) {
    const Sample crop = augment(sample, {.crop = 64, .scale_jitter = 1.5}, random);
    ASSERT_EQ(crop.image.sizes(), (std::vector<std::int64_t>{3, 64, 64}));
    EXPECT_LE(*crop.layout.gsd, 0.5 * 1.001);
    // 48 rows fill 64 only when they are enlarged enough; what they do not fill is not valid.
    const bool filled = *crop.layout.gsd < 0.5 * 48.0 / 64.0 * 1.02;
    EXPECT_EQ(crop.valid.mean().item<double>() > 0.98, filled) << *crop.layout.gsd;
  }
}

// A mask that is the image, in another size too.
TEST(Augment, MaskAndImageKeepTheirPlaceWhenResized) {
  Sample sample;
  sample.layout = {.task = "segmentation", .width = 64, .height = 64};
  sample.layout.mask = layout::DenseMask{64, 64, std::vector<std::uint8_t>(64 * 64, 0)};
  for (int y = 0; y < 64; ++y) {
    for (int x = 0; x < 64; ++x) {
      if ((x / 8 + y / 8) % 2 == 1) sample.layout.mask->values[static_cast<std::size_t>(64 * y + x)] = 1;
    }
  }
  sample.image = torch::from_blob(sample.layout.mask->values.data(), {1, 64, 64}, torch::kUInt8).to(torch::kFloat32);
  sample.valid = torch::ones({64, 64});
  for (const double jitter : {1.3, 1.6, 2.0}) {
    Random random(5);
    const Sample other = augment(sample, {.crop = 48, .scale_jitter = jitter}, random);
    int different = 0;
    for (int y = 0; y < 48; ++y) {
      for (int x = 0; x < 48; ++x) {
        if (other.valid[y][x].item<float>() == 0) continue;
        different += (other.image[0][y][x].item<float>() > 0.5F) != (other.layout.mask->at(x, y) == 1) ? 1 : 0;
      }
    }
    // Where an edge falls into the middle of a pixel either is right: a row of pixels at every edge were 12 times 48.
    EXPECT_LT(different, 150) << jitter;
  }
}

TEST(Augment, CropsLieOverAClassOfTheMask) {
  Sample sample;
  sample.image = torch::zeros({1, 128, 128});
  sample.valid = torch::ones({128, 128});
  sample.layout = {.task = "segmentation", .width = 128, .height = 128};
  sample.layout.mask = layout::DenseMask{128, 128, std::vector<std::uint8_t>(128 * 128, 0)};
  sample.layout.mask->values[5 * 128 + 100] = 1;  // one pixel of a second class
  const auto shown = [&](const AugmentOptions& options) {
    int crops = 0;
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
      Random random(seed);
      const Sample crop = augment(sample, options, random);
      crops += static_cast<int>(std::ranges::count(crop.layout.mask->values, 1) > 0);
    }
    return crops;
  };
  AugmentOptions options{.crop = 32, .scale_jitter = 1, .class_share = 0};
  EXPECT_LE(shown(options), 10);
  options.class_share = 1;
  EXPECT_NEAR(shown(options), 50, 15);
  options.class_weights = {1, 9};
  EXPECT_NEAR(shown(options), 90, 9);
  options.class_weights = {1, 0};
  EXPECT_LE(shown(options), 10);
  std::ranges::fill(sample.layout.mask->values, layout::kUnlabelled);
  EXPECT_NO_THROW(shown(options));
}

std::filesystem::path write_set(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  ShardSet set;
  set.bands = {{"a", 0, 255}, {"b", 0, 255}, {"c", 0, 510}};
  set.taxonomy = layout::Taxonomy({{"building", {}}, {"other", {}}});
  set.tasks = {"building"};
  ShardWriter writer(set, folder);
  for (std::uint64_t i = 0; i < 6; ++i) {
    Sample sample = example(i);
    torch::Tensor valid = torch::ones({48, 64}, torch::kUInt8);
    if (i == 0) valid[3][4] = 0;
    writer.add(i < 5 ? "train" : "test", ((sample.image + 1) * 127.5).to(torch::kUInt8), valid, sample.layout,
               "set/" + std::to_string(i));
  }
  writer.finish();
  return folder;
}

TEST(Shards, RoundTrip) {
  const test::ScratchFolder scratch;
  const ShardReader reader(write_set(scratch.path() / "s"), "train");
  ASSERT_EQ(reader.size(), 5U);
  const Sample sample = reader.get(0);
  EXPECT_EQ(sample.valid[3][4].item<float>(), 0.0F);
  EXPECT_EQ(sample.image[0][3][4].item<float>(), 0.0F);
  EXPECT_NEAR(sample.image[0][7][9].item<double>(), example(0).image[0][7][9].item<double>(), 0.01);
  EXPECT_LE(sample.image[2].max().item<double>(), 0.0);  // the third band's range is twice what is stored
  EXPECT_EQ(sample.layout.features, example(0).layout.features);
  EXPECT_EQ(sample.layout.mask, example(0).layout.mask);
  EXPECT_EQ(ShardReader(scratch.path() / "s", "test").size(), 1U);
  EXPECT_THROW(ShardReader(scratch.path(), "train"), DataError);
}

TEST(Loader, AStepsBatchDependsOnSeedAndStepAlone) {
  const test::ScratchFolder scratch;
  const ShardReader reader(write_set(scratch.path() / "s"), "train");
  LoaderOptions options{.batch = 3, .seed = 11, .threads = 0};
  options.augment.crop = 32;
  Loader plain(reader, options);
  options.threads = 2;
  Loader threaded(reader, options);
  threaded.seek(0);
  std::vector<Batch> batches;
  for (int step = 0; step < 5; ++step) {
    batches.push_back(plain.next());
    EXPECT_TRUE(torch::equal(batches.back().images, threaded.next().images)) << step;
  }
  threaded.seek(3);
  EXPECT_TRUE(torch::equal(batches[3].images, threaded.next().images));
  EXPECT_FALSE(torch::equal(batches[3].images, batches[4].images));
}

TEST(Loader, SyntheticImagesLeaveTheLastStepsToRealOnes) {
  const test::ScratchFolder scratch;
  ShardSet set;
  set.bands = {{"a", 0, 255}, {"b", 0, 255}, {"c", 0, 255}};
  set.taxonomy = layout::Taxonomy({{"building", {}}, {"other", {}}});
  set.tasks = {"building"};
  ShardWriter writer(set, scratch.path());
  for (std::uint64_t i = 0; i < 6; ++i) {
    const Sample sample = example(i);
    writer.add("train", ((sample.image + 1) * 127.5).to(torch::kUInt8), {}, sample.layout,
               source_name("set", std::to_string(i), i > 1));
  }
  writer.finish();
  const ShardReader reader(scratch.path(), "train");
  LoaderOptions options{.batch = 8, .threads = 0, .balance = 0, .real_from = 4};
  options.augment.crop = 32;
  Loader loader(reader, options);
  int synthetic = 0;
  for (int step = 0; step < 8; ++step) {
    for (const std::string& source : loader.next().sources) {
      synthetic += is_synthetic(source);
      EXPECT_FALSE(step >= 4 && is_synthetic(source)) << step;
    }
  }
  EXPECT_GT(synthetic, 4);  // of 32, half on average
  options.cycle = 4;
  EXPECT_THROW(Loader(reader, options), RequestError);
  // Four synthetic images beside two real ones, by their number and then at most a quarter of what is drawn.
  for (const double most : {1.0, 0.25}) {
    LoaderOptions capped{.batch = 8, .threads = 0, .balance = 1, .most_synthetic = most};
    capped.augment.crop = 32;
    const Loader drawn(reader, capped);
    int made = 0;
    for (int step = 0; step < 50; ++step) {
      for (const std::string& source : drawn.batch_of(step).sources) made += is_synthetic(source);
    }
    EXPECT_NEAR(made / 400.0, most == 1 ? 4.0 / 6 : 0.25, 0.07);
  }
}

}  // namespace
}  // namespace terragen::shards
