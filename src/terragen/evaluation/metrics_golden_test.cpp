// The reference scores of pycocotools, DOTA's kit, numpy and torch-fidelity.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>

#include "terragen/core/json_file.h"
#include "terragen/core/test_paths.h"
#include "terragen/formats/coco.h"
#include "terragen/metrics/box_overlap.h"
#include "terragen/metrics/coco_evaluation.h"
#include "terragen/metrics/confusion.h"
#include "terragen/metrics/feature_distance.h"
#include "terragen/metrics/voc_evaluation.h"
#include "terragen/tensor/safetensors.h"

namespace terragen::metrics {
namespace {

namespace fs = std::filesystem;

constexpr double kTolerance = 1e-6;

tensor::TensorMap tensors(const fs::path& file) { return tensor::load_safetensors(file).tensors; }

void expect_near(const Json& expected, double ours, const std::string& what) {
  ASSERT_TRUE(expected.is_number()) << what;
  const double theirs = expected.get<double>();
  EXPECT_NEAR(ours, theirs, kTolerance * std::max(1.0, std::abs(theirs))) << what;
}

// COCO

RunLengths runs_of(const Json& segmentation, const std::string& place) {
  return formats::rle_from_text(segmentation.at("counts").get<std::string>(), place);
}

Box box_of(const Json& xywh) {
  const auto v = xywh.get<std::vector<double>>();
  return {v[0], v[1], v[0] + v[2], v[1] + v[3]};
}

std::vector<DetectionGroup> coco_groups(const fs::path& folder, const std::string& type, bool categories) {
  const Json truth = read_json(folder / "gt.json");
  const Json detections = read_json(folder / ("dt_" + type + ".json"));
  std::map<std::pair<int, int>, std::pair<std::vector<Json>, std::vector<Json>>> by_group;
  std::map<int, int> index;
  for (const Json& category : truth.at("categories")) {
    index.emplace(category.at("id").get<int>(), 0);
  }
  int next = 0;
  for (auto& [id, k] : index) k = categories ? next++ : 0;
  const auto key = [&](const Json& object) {
    return std::pair(object.at("image_id").get<int>(), index.at(object.at("category_id").get<int>()));
  };
  for (const Json& object : truth.at("annotations")) by_group[key(object)].first.push_back(object);
  for (const Json& object : detections) by_group[key(object)].second.push_back(object);
  std::vector<DetectionGroup> groups;
  for (const auto& [image_category, objects] : by_group) {
    DetectionGroup group{.category = image_category.second};
    std::vector<Box> truth_boxes;
    std::vector<Box> boxes;
    std::vector<RunLengths> truth_masks;
    std::vector<RunLengths> masks;
    std::vector<bool> crowd;
    for (const Json& object : objects.first) {
      crowd.push_back(object.at("iscrowd").get<int>() != 0);
      group.truths.push_back({object.at("area").get<double>(), crowd.back()});
      truth_boxes.push_back(box_of(object.at("bbox")));
      truth_masks.push_back(runs_of(object.at("segmentation"), "gt.json"));
    }
    for (const Json& object : objects.second) {
      DetectedObject detection{.score = object.at("score").get<double>()};
      if (type == "bbox") {
        boxes.push_back(box_of(object.at("bbox")));
        detection.area = (boxes.back().x1 - boxes.back().x0) * (boxes.back().y1 - boxes.back().y0);
      } else {
        masks.push_back(runs_of(object.at("segmentation"), "dt.json"));
        detection.area = static_cast<double>(run_length_area(masks.back()));
      }
      group.detections.push_back(detection);
    }
    group.overlap = [=](std::size_t d, std::size_t t) {
      return masks.empty() ? box_iou(boxes[d], truth_boxes[t], crowd[t])
                           : run_length_iou(masks[d], truth_masks[t], crowd[t]);
    };
    groups.push_back(std::move(group));
  }
  return groups;
}

TEST(MetricsGolden, CocoFigures) {
  const auto cases = test::golden_cases("10_coco");
  if (cases.empty()) GTEST_SKIP() << "no reference tensors in " << test::golden_folder();
  for (const fs::path& folder : cases) {
    const Json expected = read_json(folder / "expected.json");
    for (const std::string type : {"bbox", "segm"}) {
      const auto categories = static_cast<int>(read_json(folder / "gt.json").at("categories").size());
      const CocoSummary all = evaluate_coco(coco_groups(folder, type, true), categories);
      const CocoSummary blind = evaluate_coco(coco_groups(folder, type, false), 1);
      for (std::size_t k = 0; k < all.figures.size(); ++k) {
        const std::string what = folder.filename().string() + " " + type + " " + kCocoFigures[k];
        expect_near(expected.at(type).at("stats")[k], all.figures[k], what);
        expect_near(expected.at(type + "_nocat").at("stats")[k], blind.figures[k], what + " without categories");
      }
      for (std::size_t k = 0; k < all.category_ap.size(); ++k) {
        expect_near(expected.at(type).at("ap_per_category_50_95")[k], all.category_ap[k], type);
        expect_near(expected.at(type).at("ap_per_category_50")[k], all.category_ap50[k], type);
      }
    }
  }
}

TEST(MetricsGolden, RunLengthsAndBoxes) {
  const auto cases = test::golden_cases("10_coco");
  if (cases.empty()) GTEST_SKIP() << "no reference tensors in " << test::golden_folder();
  for (const fs::path& folder : cases) {
    const Json api = read_json(folder / "mask_api.json");
    std::vector<RunLengths> masks;
    for (const Json& mask : api.at("rle")) masks.push_back(runs_of(mask, "mask_api.json"));
    for (std::size_t i = 0; i < masks.size(); ++i) {
      EXPECT_EQ(run_length_area(masks[i]), api.at("area")[i].get<std::uint64_t>());
    }
    for (std::size_t d = 0; d < 3; ++d) {
      for (std::size_t t = 0; t < 3; ++t) {
        expect_near(api.at("iou")[d][t],
                    run_length_iou(masks[d], masks[1 + t], api.at("iou_crowd_flags")[t].get<int>() != 0), "mask");
      }
    }
    const Json& detections = api.at("bbox_iou_dt_xywh");
    const Json& truths = api.at("bbox_iou_gt_xywh");
    for (std::size_t d = 0; d < detections.size(); ++d) {
      for (std::size_t t = 0; t < truths.size(); ++t) {
        expect_near(api.at("bbox_iou")[d][t],
                    box_iou(box_of(detections[d]), box_of(truths[t]), api.at("bbox_iou_crowd")[t].get<int>() != 0),
                    "box");
      }
    }
  }
}

// DOTA

std::vector<std::string> lines_of(const fs::path& file) {
  std::ifstream stream(file);
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) {
    if (!line.empty()) lines.push_back(line);
  }
  return lines;
}

Quadrilateral quadrilateral_of(const torch::Tensor& row) {
  Quadrilateral corners;
  for (std::size_t i = 0; i < 8; ++i) corners[i] = row[static_cast<std::int64_t>(i)].item<double>();
  return corners;
}

std::vector<Quadrilateral> quadrilaterals_of(const torch::Tensor& rows) {
  std::vector<Quadrilateral> result;
  for (std::int64_t i = 0; i < rows.size(0); ++i) result.push_back(quadrilateral_of(rows[i]));
  return result;
}

Box bounds(const Quadrilateral& q) {
  return {std::min({q[0], q[2], q[4], q[6]}), std::min({q[1], q[3], q[5], q[7]}), std::max({q[0], q[2], q[4], q[6]}),
          std::max({q[1], q[3], q[5], q[7]})};
}

// Task 1 takes corners as they are, task 2 their first and third, cut to whole pixels that count as inside.
std::vector<VocGroup> dota_groups(const fs::path& folder, const std::string& name, bool oriented) {
  std::map<std::string, std::pair<std::vector<Quadrilateral>, std::vector<Quadrilateral>>> shapes;
  std::map<std::string, VocGroup> groups;
  for (const std::string& image : lines_of(folder / "valset.txt")) {
    const fs::path file = folder / (oriented ? "labelTxt" : "labelTxt_hbb") / (image + ".txt");
    groups[image];
    for (const std::string& line : lines_of(file)) {
      std::istringstream words(line);
      Quadrilateral corners;
      std::string label;
      int difficult = 0;
      for (double& value : corners) words >> value;
      if (!(words >> label >> difficult) || label != name) continue;
      if (!oriented) {
        corners = {std::trunc(corners[0]), std::trunc(corners[1]), 0, 0,
                   std::trunc(corners[4]), std::trunc(corners[5]), 0, 0};
      }
      shapes[image].first.push_back(corners);
      groups[image].difficult.push_back(difficult != 0);
    }
  }
  for (const std::string& line : lines_of(folder / ((oriented ? "Task1_" : "Task2_") + name + ".txt"))) {
    std::istringstream words(line);
    std::string image;
    double score = 0;
    Quadrilateral corners{};
    words >> image >> score;
    if (oriented) {
      for (double& value : corners) words >> value;
    } else {
      words >> corners[0] >> corners[1] >> corners[4] >> corners[5];
    }
    shapes[image].second.push_back(corners);
    groups[image].scores.push_back(score);
  }
  std::vector<VocGroup> result;
  for (auto& [image, group] : groups) {
    group.overlap = [oriented, truths = shapes[image].first, found = shapes[image].second](std::size_t d,
                                                                                           std::size_t t) {
      if (oriented) return quadrilateral_iou(found[d], truths[t]);
      const auto box = [](const Quadrilateral& q) { return Box{q[0], q[1], q[4], q[5]}; };
      return box_iou(box(found[d]), box(truths[t]), false, 1);
    };
    result.push_back(group);
  }
  return result;
}

TEST(MetricsGolden, DotaAveragePrecision) {
  const auto cases = test::golden_cases("10_dota");
  if (cases.empty()) GTEST_SKIP() << "no reference tensors in " << test::golden_folder();
  for (const fs::path& folder : cases) {
    const Json expected = read_json(folder / "dota.json");
    const Json config = read_json(folder / "config.json");
    for (const bool oriented : {true, false}) {
      for (const Json& name : config.at("classes")) {
        const auto groups = dota_groups(folder, name.get<std::string>(), oriented);
        for (const std::string least : {"0.5", "0.75"}) {
          const VocResult result = evaluate_voc(groups, std::stod(least));
          const auto theirs = [&](const char* kind) {
            return expected.at(oriented ? "task1" : "task2").at("iou" + least + "_" + kind).at("per_class").at(name);
          };
          expect_near(theirs("area").at("ap"), result.ap, name.get<std::string>() + least);
          expect_near(theirs("voc07").at("ap"), result.ap_11_points, name.get<std::string>() + least);
          expect_near(theirs("area").at("final_recall"), result.recall.back(), name.get<std::string>());
          expect_near(theirs("area").at("final_precision"), result.precision.back(), name.get<std::string>());
        }
      }
    }
  }
}

TEST(MetricsGolden, QuadrilateralsAndSuppression) {
  const auto cases = test::golden_cases("10_dota");
  if (cases.empty()) GTEST_SKIP() << "no reference tensors in " << test::golden_folder();
  for (const fs::path& folder : cases) {
    const auto inputs = tensors(folder / "inputs.safetensors");
    const auto outputs = tensors(folder / "outputs.safetensors");
    const auto quads = quadrilaterals_of(inputs.at("quads"));
    const torch::Tensor& iou = outputs.at("iou_0_99_vs_100_199");
    for (std::size_t i = 0; i < 100; ++i) {
      for (std::size_t j = 0; j < 100; ++j) {
        const double theirs = iou[static_cast<std::int64_t>(i)][static_cast<std::int64_t>(j)].item<double>();
        ASSERT_NEAR(quadrilateral_iou(quads[i], quads[100 + j]), theirs, 1e-7) << i << " " << j;
      }
    }
    const auto edges = quadrilaterals_of(inputs.at("edge_quads"));
    for (std::size_t i = 0; i < 7; ++i) {
      for (std::size_t j = 0; j < 7; ++j) {
        const double theirs =
            outputs.at("edge_iou_7x7")[static_cast<std::int64_t>(i)][static_cast<std::int64_t>(j)].item<double>();
        EXPECT_NEAR(quadrilateral_iou(edges[i], edges[j]), theirs, 1e-7) << i << " " << j;
      }
    }
    EXPECT_EQ(quadrilateral_iou(edges[7], edges[7]), 0.0);  // without area
    std::vector<double> scores;
    for (std::int64_t i = 0; i < inputs.at("scores").size(0); ++i) {
      scores.push_back(inputs.at("scores")[i].item<double>());
    }
    const Json expected = read_json(folder / "dota.json");
    for (const auto& [most, kept] : expected.at("poly_nms_keep").items()) {
      const auto ours = suppress(scores, std::stod(most),
                                 [&](std::size_t a, std::size_t b) { return quadrilateral_iou(quads[a], quads[b]); });
      EXPECT_EQ(ours, kept.get<std::vector<std::size_t>>()) << most;
    }
    for (const auto& [most, kept] : expected.at("hbb_nms_keep_plus1").items()) {
      const auto ours = suppress(scores, std::stod(most), [&](std::size_t a, std::size_t b) {
        return box_iou(bounds(quads[a]), bounds(quads[b]), false, 1);
      });
      EXPECT_EQ(ours, kept.get<std::vector<std::size_t>>()) << most;
    }
  }
}

// Segmentation

TEST(MetricsGolden, ConfusionAndFewShotScore) {
  const auto cases = test::golden_cases("11_segmetrics");
  if (cases.empty()) GTEST_SKIP() << "no reference tensors in " << test::golden_folder();
  for (const fs::path& folder : cases) {
    const Json config = read_json(folder / "config.json");
    const Json expected = read_json(folder / "metrics.json");
    const auto inputs = tensors(folder / "inputs.safetensors");
    const auto outputs = tensors(folder / "outputs.safetensors");
    const auto classes = config.at("num_classes").get<int>();
    const auto pixels = [](const torch::Tensor& mask) {
      const torch::Tensor flat = mask.contiguous().flatten();
      return std::vector<std::uint8_t>(flat.data_ptr<std::uint8_t>(), flat.data_ptr<std::uint8_t>() + flat.numel());
    };
    ConfusionMatrix matrix(classes);
    matrix.add(pixels(inputs.at("gt")), pixels(inputs.at("pred")));
    for (int i = 0; i < classes; ++i) {
      for (int j = 0; j < classes; ++j) {
        EXPECT_EQ(matrix.at(i, j), outputs.at("confusion_rows_gt")[i][j].item<std::int64_t>());
      }
    }
    const std::map<std::string, ClassScores> scores{{"iou", matrix.iou()},
                                                    {"recall", matrix.recall()},
                                                    {"precision", matrix.precision()},
                                                    {"f1_dice", matrix.f1()}};
    for (const auto& [name, values] : scores) {
      for (std::size_t k = 0; k < values.size(); ++k) {
        if (expected.at(name)[k].is_null()) {
          EXPECT_TRUE(std::isnan(values[k])) << name << k;
        } else {
          expect_near(expected.at(name)[k], values[k], name);
        }
      }
    }
    expect_near(expected.at("miou_nanmean"), matrix.mean_iou(), "mIoU");
    expect_near(expected.at("pixel_accuracy"), matrix.pixel_accuracy(), "accuracy");
    expect_near(expected.at("mean_accuracy"), mean_present(matrix.recall()), "mean accuracy");
    expect_near(expected.at("mf1"), mean_present(matrix.f1()), "mean F1");
    expect_near(expected.at("fw_iou"), matrix.frequency_weighted_iou(), "frequency-weighted IoU");
    expect_near(expected.at("kappa"), matrix.kappa(), "kappa");

    const Json& oem = expected.at("oem");
    ConfusionMatrix few_shot(classes);
    few_shot.add(pixels(inputs.at("gt")), pixels(outputs.at("oem_pred")));
    const auto base = oem.at("base_classes").get<std::vector<int>>();
    const auto novel = oem.at("novel_classes").get<std::vector<int>>();
    expect_near(oem.at("weighted_sum_0.4_0.6"), few_shot_score(few_shot.iou(), base, novel), "few-shot score");
  }
}

// Features

TEST(MetricsGolden, FeatureDistances) {
  const auto cases = test::golden_cases("09_fid_kid");
  if (cases.empty()) GTEST_SKIP() << "no reference tensors in " << test::golden_folder();
  for (const fs::path& folder : cases) {
    const Json expected = read_json(folder / "results.json");
    const auto inputs = tensors(folder / "inputs.safetensors");
    const auto outputs = tensors(folder / "outputs.safetensors");
    const torch::Tensor& f1 = inputs.at("f1");
    const torch::Tensor& f2 = inputs.at("f2");
    const FeatureStatistics one = feature_statistics(f1);
    const FeatureStatistics two = feature_statistics(f2);
    EXPECT_TRUE(torch::allclose(one.covariance, outputs.at("sigma1"), kTolerance));
    EXPECT_TRUE(torch::allclose(two.mean, outputs.at("mu2"), kTolerance));
    expect_near(expected.at("fid"), frechet_distance(one, two), "Frechet");
    EXPECT_NEAR(frechet_distance(one, one), 0.0, 1e-6);
    const auto first = expected.at("fid_rank_deficient_first_n").get<std::int64_t>();
    expect_near(expected.at("fid_rank_deficient_eigh"),
                frechet_distance(feature_statistics(f1.slice(0, 0, first)), feature_statistics(f2.slice(0, 0, first))),
                "Frechet, fewer images than features");
    const auto n = expected.at("kid_mmd2_unbiased_full_first_n").get<std::int64_t>();
    expect_near(expected.at("kid_mmd2_unbiased_full"), kernel_distance(f1.slice(0, 0, n), f2.slice(0, 0, n)), "kernel");
    const KernelDistance subsets = kernel_distance(f1, f2, outputs.at("kid_idx1"), outputs.at("kid_idx2"));
    expect_near(expected.at("kid_subsets_mean"), subsets.mean, "kernel, mean over subsets");
    expect_near(expected.at("kid_subsets_std"), subsets.deviation, "kernel, deviation over subsets");
    const PrecisionRecall pr = precision_recall(f1, f2);
    expect_near(expected.at("precision_recall_k3").at("precision"), pr.precision, "precision");
    expect_near(expected.at("precision_recall_k3").at("recall"), pr.recall, "recall");
    for (const int splits : {1, 4}) {
      const std::string key = splits == 1 ? "inception_score_splits1" : "inception_score_splits4_noshuffle";
      const KernelDistance score = inception_score(inputs.at("is_logits"), splits);
      expect_near(expected.at(key).at("inception_score_mean"), score.mean, key);
      expect_near(expected.at(key).at("inception_score_std"), score.deviation, key);
    }
  }
}

}  // namespace
}  // namespace terragen::metrics
