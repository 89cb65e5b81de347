#include "terragen/evaluation/memorisation.h"

#include <gtest/gtest.h>

#include "terragen/core/atomic_file.h"
#include "terragen/core/error.h"
#include "terragen/core/test_paths.h"
#include "terragen/evaluation/memorisation_report.h"
#include "terragen/evaluation/nearest_windows.h"
#include "terragen/evaluation/test_drawings.h"
#include "terragen/shards/augment.h"

namespace terragen::evaluation {
namespace {

namespace fn = torch::nn::functional;

// Shapes of many sizes, in [-1, 1].
torch::Tensor drawn_scene(std::int64_t size, std::uint64_t seed) {
  torch::Tensor scene = torch::zeros({1, 3, size, size});
  for (const std::int64_t cells : {size / 32, size / 8, size / 2}) {
    scene += fn::interpolate(tensor::seeded_normal({1, 3, cells, cells}, seed + static_cast<std::uint64_t>(cells)),
                             fn::InterpolateFuncOptions()
                                 .size(std::vector<std::int64_t>{size, size})
                                 .mode(torch::kBilinear)
                                 .align_corners(false));
  }
  return (0.3 * scene[0]).clamp(-1, 1);
}

void overwrite_image(const std::filesystem::path& folder, const data::Dataset& dataset, std::size_t index,
                     const torch::Tensor& image) {
  geo::write_raster(folder / "images" / dataset.images[index].file_name,
                    synthesis::raster_from_image(image, test::drawn_images().bands, geo::DataType::uint8, {}));
}

// Two training and two test scenes of 192 pixels; four painted ones of 64: a piece of the second training scene,
// turned, darkened, at a place of its own, then three of no scene.
class Memorisation : public ::testing::Test {
 protected:
  Memorisation() {
    real_ = test::write_drawn_dataset(scratch_.path() / "real", 2, 2, 192);
    for (std::size_t i = 0; i < 4; ++i) overwrite_image(scratch_.path() / "real", real_, i, drawn_scene(192, 10 * i));
    made_ = test::write_drawn_dataset(scratch_.path() / "made", 4, 0, 64);
    const torch::Tensor piece = drawn_scene(192, 10).slice(1, 37, 101).slice(2, 90, 154);
    overwrite_image(scratch_.path() / "made", made_, 0, 0.7 * shards::turned(piece, 5) - 0.2);
    for (std::size_t i = 1; i < 4; ++i) overwrite_image(scratch_.path() / "made", made_, i, drawn_scene(64, 100 + i));
  }
  MemorisationOptions options() const {
    return {.made = scratch_.path() / "made", .real = {scratch_.path() / "real"}, .crop = 64, .threads = 1};
  }

  const test::ScratchFolder scratch_;
  data::Dataset real_, made_;
};

TEST_F(Memorisation, ACopyIsFoundWhereverAndHoweverItStands) {
  const MemorisationReport report = evaluate_memorisation(options());
  EXPECT_EQ(report.training_images, 2);
  ASSERT_EQ(report.painted.neighbours.size(), 4);
  const Neighbour& copy = report.painted.neighbours.front();
  EXPECT_EQ(copy.image, "made/" + made_.images[0].file_name);
  EXPECT_EQ(copy.real, "real/" + real_.images[1].file_name);
  EXPECT_GT(copy.correlation, 0.97);
  EXPECT_EQ(report.painted.at_least(kCopyCorrelation), 1);
  EXPECT_LT(report.painted.neighbours[1].correlation, 0.6);
  EXPECT_EQ(report.unseen.neighbours.size(), 2);
  EXPECT_EQ(report.unseen.at_least(kCopyCorrelation), 0);
  // Two pairs of rows would be four; all fit into one pair.
  EXPECT_EQ(report.painted.picture.height(), 2 * 64 + 4);
  const std::string text = memorisation_text(report);
  EXPECT_NE(text.find("made does not say what painted it"), std::string::npos);
  EXPECT_EQ(to_json(report)["painted"]["copies"], 1);
  write_memorisation_page(report, scratch_.path() / "page.html");
  EXPECT_NE(read_file(scratch_.path() / "page.html").find("eight orientations"), std::string::npos);
}

TEST_F(Memorisation, ScaledPiecesAreFoundWithTheirPlace) {
  const data::PackedSamples packed({scratch_.path() / "real"}, "train");
  const torch::Tensor scene = packed.reader().get(0).image.unsqueeze(0);
  const torch::Tensor larger = fn::interpolate(scene, fn::InterpolateFuncOptions()
                                                          .size(std::vector<std::int64_t>{240, 240})
                                                          .mode(torch::kBilinear)
                                                          .align_corners(false));
  const torch::Tensor window = larger.slice(2, 21, 85).slice(3, 130, 194);
  const std::vector<NearestWindow> nearest = nearest_windows(window, packed.reader());
  EXPECT_GT(nearest[0].correlation, 0.97);
  EXPECT_EQ(nearest[0].image, 0);
  EXPECT_EQ(nearest[0].scale, 1.25);
  EXPECT_EQ(nearest[0].x, 130);
  EXPECT_EQ(nearest[0].y, 21);
  EXPECT_LT((nearest[0].found - window[0]).abs().mean().item<double>(), 0.02);
}

TEST_F(Memorisation, WhatWasNotSearchedIsNamed) {
  made_.provenance = {{"model_card", test::card_of("train town")}};
  data::write_dataset(made_, scratch_.path() / "made");
  const MemorisationReport report = evaluate_memorisation(options());
  EXPECT_EQ(report.not_searched, std::vector<std::string>{"elsewhere"});
  EXPECT_NE(memorisation_text(report).find("learned from elsewhere too"), std::string::npos);
  // Nor are places called unseen that it learned from.
  made_.provenance = {{"model_card", test::card_of("test town")}};
  data::write_dataset(made_, scratch_.path() / "made");
  EXPECT_THROW(evaluate_memorisation(options()), DataError);
}

TEST_F(Memorisation, ImpossibleRequestsAreRefused) {
  MemorisationOptions wrong = options();
  wrong.crop = 60;
  EXPECT_THROW(evaluate_memorisation(wrong), RequestError);
  wrong.crop = 128;
  EXPECT_THROW(evaluate_memorisation(wrong), RequestError);
  wrong = options();
  wrong.real.clear();
  EXPECT_THROW(evaluate_memorisation(wrong), RequestError);
  wrong = options();
  wrong.made_split = "test";
  EXPECT_THROW(evaluate_memorisation(wrong), RequestError);
  wrong = options();
  wrong.limit = -1;
  EXPECT_THROW(evaluate_memorisation(wrong), RequestError);
}

}  // namespace
}  // namespace terragen::evaluation
