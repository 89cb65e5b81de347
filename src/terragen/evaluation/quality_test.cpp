#include "terragen/evaluation/quality.h"

#include <gtest/gtest.h>

#include "terragen/core/atomic_file.h"
#include "terragen/core/error.h"
#include "terragen/core/test_paths.h"
#include "terragen/evaluation/feature_network.h"
#include "terragen/evaluation/quality_report.h"
#include "terragen/evaluation/test_drawings.h"
#include "terragen/models/model_io.h"

namespace terragen::evaluation {
namespace {

TEST(SetDistance, IsNothingBetweenASetAndItself) {
  const torch::Tensor set = tensor::seeded_normal({60, 8}, 1);
  const SetDistance same = set_distance(set, set, 0);
  EXPECT_NEAR(same.frechet, 0, 1e-6);
  EXPECT_EQ(same.among.precision, 1.0);
  EXPECT_EQ(same.among.recall, 1.0);
  // Moved as a whole by 3 in every one of 8 dimensions.
  const SetDistance moved = set_distance(set + 3, set, 0);
  EXPECT_NEAR(moved.frechet, 72, 1e-3);
  EXPECT_GT(moved.kernel.mean, same.kernel.mean + 1);
  EXPECT_EQ(moved.among.precision, 0.0);
  EXPECT_THROW(set_distance(set.slice(0, 0, 3), set, 0), RequestError);
  EXPECT_EQ(half_distance(set.slice(0, 0, 9), 0).made, 4);
  EXPECT_EQ(half_distance(set.slice(0, 0, 9), 0).real, 5);
  EXPECT_THROW(half_distance(set.slice(0, 0, 7), 0), RequestError);
}

TEST(FeatureNetwork, OnlyDistancesInInceptionsFeaturesAreCalledFid) {
  const test::ScratchFolder scratch;
  tensor::TensorMap weights;
  for (const auto& [name, value] : models::collect_parameters(*models::InceptionV3())) {
    weights[name] = value.is_floating_point() ? value.to(torch::kFloat16) : value;
  }
  tensor::save_safetensors(scratch.path() / "inception.safetensors", weights, {});
  const FeatureNetwork inception(scratch.path() / "inception.safetensors", "cpu");
  EXPECT_EQ(inception.frechet_name(), "FID");
  EXPECT_EQ(inception.kernel_name(), "KID");
  EXPECT_TRUE(inception.card().is_null());
  EXPECT_EQ(inception.features(torch::zeros({1, 3, 40, 40})).sizes(),
            (std::vector<std::int64_t>{1, inception.dimensions()}));
  test::write_perception(scratch.path() / "classifier", "resnet18", test::card_of("train town"));
  const FeatureNetwork classifier(scratch.path() / "classifier", "cpu");
  EXPECT_EQ(classifier.kernel_name(), "kernel distance in features of resnet18 trained on elsewhere");
  EXPECT_EQ(classifier.features(torch::zeros({2, 3, 40, 40})).sizes(),
            (std::vector<std::int64_t>{2, classifier.dimensions()}));
}

class Quality : public ::testing::Test {
 protected:
  Quality() {
    made_ = test::write_drawn_dataset(scratch_.path() / "made", 2, 9);
    test::write_drawn_dataset(scratch_.path() / "real", 2, 9);
    test::write_perception(scratch_.path() / "features", "resnet18", test::card_of("train town"));
  }
  QualityOptions options() const {
    return {.made = scratch_.path() / "made",
            .real = {scratch_.path() / "real"},
            .features = scratch_.path() / "features",
            .made_split = "test",
            .crop = 64,
            .threads = 1};
  }

  const test::ScratchFolder scratch_;
  data::Dataset made_;
};

TEST_F(Quality, TheSameImagesAreAtNoDistance) {
  const QualityReport report = evaluate_quality(options());
  EXPECT_EQ(report.painted.made, 9);
  EXPECT_EQ(report.painted.real, 9);
  EXPECT_GT(report.floor.frechet, 0);
  EXPECT_LT(std::abs(report.painted.frechet), 1e-3 * report.floor.frechet);
  EXPECT_EQ(report.painted.among.precision, 1.0);
  EXPECT_EQ(report.painted.among.recall, 1.0);
  EXPECT_EQ(report.left_out, 0);
  // What it is called, and what it is worth.
  const std::string text = quality_text(report);
  EXPECT_NE(text.find("Frechet distance in features of resnet18 trained on elsewhere"), std::string::npos);
  EXPECT_EQ(text.find("FID"), std::string::npos);
  EXPECT_NE(text.find("9 and 9 images are fewer than the features' 512 dimensions"), std::string::npos);
  EXPECT_EQ(to_json(report)["real_against_real"]["made"], 4);
  write_quality_page(report, scratch_.path() / "page.html");
  EXPECT_NE(read_file(scratch_.path() / "page.html").find("biased upwards"), std::string::npos);
}

TEST_F(Quality, MeasuredImagesAmongPaintedOnesAreLeftOut) {
  for (std::size_t i = 2; i < 7; ++i) made_.images[i].synthetic = true;
  data::write_dataset(made_, scratch_.path() / "made");
  const QualityReport report = evaluate_quality(options());
  EXPECT_EQ(report.painted.made, 5);
  EXPECT_EQ(report.left_out, 4);
  EXPECT_NE(quality_text(report).find("4 images of made are not synthetic"), std::string::npos);
}

TEST_F(Quality, WhatSawTestPlacesIsRefused) {
  test::write_perception(scratch_.path() / "features", "resnet18", test::card_of("test town"));
  EXPECT_THROW(evaluate_quality(options()), DataError);
  QualityOptions training = options();
  training.split = "train";
  training.made_split = "train";
  EXPECT_THROW(evaluate_quality(training), RequestError);  // two images, but no leak
  test::write_perception(scratch_.path() / "features", "resnet18", Json::object());
  EXPECT_THROW(evaluate_quality(options()), RequestError);
  test::write_perception(scratch_.path() / "features", "resnet18", test::card_of("train town"));
  made_.provenance = {{"augmented", {{"model_card", test::card_of("test town")}}}};
  data::write_dataset(made_, scratch_.path() / "made");
  EXPECT_THROW(evaluate_quality(options()), DataError);
}

TEST_F(Quality, RequestsThatCannotBeAreRefused) {
  QualityOptions wrong = options();
  wrong.crop = 96;
  EXPECT_THROW(evaluate_quality(wrong), RequestError);
  wrong.crop = 16;
  EXPECT_THROW(evaluate_quality(wrong), RequestError);
  wrong = options();
  wrong.features = scratch_.path() / "real";
  EXPECT_THROW(evaluate_quality(wrong), DataError);
  wrong.features = scratch_.path() / "real" / "dataset.json";
  EXPECT_THROW(evaluate_quality(wrong), RequestError);
  test::write_perception(scratch_.path() / "segmenter", "unet-resnet18", test::card_of("train town"));
  wrong.features = scratch_.path() / "segmenter";
  EXPECT_THROW(evaluate_quality(wrong), RequestError);
}

}  // namespace
}  // namespace terragen::evaluation
