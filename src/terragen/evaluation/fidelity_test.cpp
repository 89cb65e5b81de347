#include "terragen/evaluation/fidelity.h"

#include <gtest/gtest.h>

#include <cmath>

#include "terragen/core/atomic_file.h"
#include "terragen/core/error.h"
#include "terragen/core/test_paths.h"
#include "terragen/data/packed_samples.h"
#include "terragen/evaluation/fidelity_report.h"
#include "terragen/evaluation/perception.h"
#include "terragen/evaluation/test_drawings.h"

namespace terragen::evaluation {
namespace {

class Fidelity : public ::testing::Test {
 protected:
  Fidelity() {
    test::write_drawn_dataset(scratch_.path() / "drawn", 4, 3);
    test::write_generator(scratch_.path() / "generator", test::card_of("train town"));
    test::write_perception(scratch_.path() / "judge", "unet-resnet18", test::card_of("train town"));
  }
  FidelityOptions options() const {
    FidelityOptions all{.datasets = {scratch_.path() / "drawn"},
                        .model = scratch_.path() / "generator",
                        .judge = scratch_.path() / "judge",
                        .size = 64};
    all.paint.steps = 2;
    all.paint.compute = {.precision = "fp32", .threads = 1};
    return all;
  }

  const test::ScratchFolder scratch_;
};

TEST_F(Fidelity, OneHalfIsWhatTheJudgeFindsInMeasuredImages) {
  const FidelityReport report = evaluate_fidelity(options());
  ASSERT_EQ(report.scores.size(), 1U);
  const FidelityScore& score = report.scores[0];
  EXPECT_EQ(score.real.images, 3U);
  EXPECT_EQ(score.painted.images, 3U);
  EXPECT_FALSE(score.accuracy);
  EXPECT_EQ(report.pictures.size(), 1U);
  // Images are as large as what is painted: the crops are the images.
  const data::PackedSamples data(options().datasets, "test");
  const PerceptionReport whole = evaluate_perception(models::load_perception_model(options().judge), data.reader(),
                                                     "test", options().paint.compute);
  EXPECT_EQ(score.real.iou, whole.iou);
  EXPECT_EQ(score.real.pixel_accuracy, whole.pixel_accuracy);
  // The same seed paints the same.
  EXPECT_EQ(evaluate_fidelity(options()).scores[0].painted.iou, score.painted.iou);
  FidelityOptions fewer = options();
  fewer.limit = 2;
  EXPECT_EQ(evaluate_fidelity(fewer).scores[0].real.images, 2U);
}

TEST_F(Fidelity, TheAccuracyScoreTestsBothClassifiersOnTheSameWindows) {
  FidelityOptions with = options();
  with.cas_steps = 2;
  const FidelityReport report = evaluate_fidelity(with);
  ASSERT_TRUE(report.scores[0].accuracy);
  const AccuracyScore& accuracy = *report.scores[0].accuracy;
  EXPECT_EQ(accuracy.training_images, 4U);
  EXPECT_GT(accuracy.real.windows, 3);
  EXPECT_EQ(accuracy.real.class_windows, accuracy.painted.class_windows);
  EXPECT_EQ(accuracy.real.images, 3U);
  const Json json = to_json(report);
  EXPECT_EQ(json["datasets"][0]["classification_accuracy_score"]["steps"], 2);
  EXPECT_NE(fidelity_text(report).find("mean over classes"), std::string::npos);
  write_fidelity_page(report, scratch_.path() / "page.html");
  EXPECT_NE(read_file(scratch_.path() / "page.html").find("Classification accuracy score"), std::string::npos);
  with.split = "train";
  EXPECT_THROW(evaluate_fidelity(with), RequestError);
}

TEST_F(Fidelity, WhatSawTestPlacesIsRefused) {
  test::write_perception(scratch_.path() / "judge", "unet-resnet18", test::card_of("test town"));
  EXPECT_THROW(evaluate_fidelity(options()), DataError);
  FidelityOptions training = options();
  training.split = "train";
  EXPECT_EQ(evaluate_fidelity(training).scores[0].real.images, 4U);
  test::write_perception(scratch_.path() / "judge", "unet-resnet18", test::card_of("train town"));
  test::write_generator(scratch_.path() / "generator", test::card_of("test town"));
  EXPECT_THROW(evaluate_fidelity(options()), DataError);
  test::write_generator(scratch_.path() / "generator", Json::object());
  EXPECT_THROW(evaluate_fidelity(options()), RequestError);
}

TEST_F(Fidelity, RequestsThatCannotBeAreRefused) {
  for (const int size : {72, 128, 0}) {
    FidelityOptions wrong = options();
    wrong.size = size;
    EXPECT_THROW(evaluate_fidelity(wrong), RequestError) << size;
  }
  FidelityOptions wrong = options();
  wrong.limit = -1;
  EXPECT_THROW(evaluate_fidelity(wrong), RequestError);
  test::write_perception(scratch_.path() / "judge", "resnet18", test::card_of("train town"));
  EXPECT_THROW(evaluate_fidelity(options()), RequestError);
}

TEST(FidelityRatio, IsNoNumberWhereNothingCanBeFound) {
  EXPECT_DOUBLE_EQ(fidelity_ratio(0.3, 0.6), 0.5);
  EXPECT_TRUE(std::isnan(fidelity_ratio(0.3, 0)));
  EXPECT_TRUE(std::isnan(fidelity_ratio(0.3, std::nan(""))));
}

}  // namespace
}  // namespace terragen::evaluation
