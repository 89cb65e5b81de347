// Segment Anything against its original: a tiny network through all of its parts, and ViT-B at full size.
#include <gtest/gtest.h>

#include <format>
#include <functional>

#include "terragen/core/json_file.h"
#include "terragen/core/test_paths.h"
#include "terragen/models/golden_outputs.h"
#include "terragen/models/mask_generator.h"
#include "terragen/models/mask_run_lengths.h"
#include "terragen/models/model_io.h"
#include "terragen/models/segment_anything.h"
#include "terragen/nn/box_ops.h"
#include "terragen/tensor/recipe_weights.h"

namespace terragen::models {
namespace {

SamConfig tiny_sam_config(const Json& json) {
  const Json& encoder = json.at("encoder");
  const Json& transformer = json.at("transformer");
  const auto channels = json.at("prompt_embed_dim").get<std::int64_t>();
  return {.encoder = {.image_size = json.at("image_size"),
                      .patch_size = json.at("patch"),
                      .width = encoder.at("embed_dim"),
                      .depth = encoder.at("depth"),
                      .heads = encoder.at("num_heads"),
                      .mlp_ratio = encoder.at("mlp_ratio"),
                      .qkv_bias = json.at("qkv_bias"),
                      .norm_eps = json.at("layer_norm_eps"),
                      .out_channels = channels,
                      .window_size = encoder.at("window_size"),
                      .global_blocks = encoder.at("global_attn_indexes"),
                      .relative_positions = json.at("use_rel_pos")},
          .decoder = {.transformer = {.channels = channels,
                                      .depth = transformer.at("depth"),
                                      .heads = transformer.at("num_heads"),
                                      .mlp_width = transformer.at("mlp_dim")},
                      .multimask_outputs = json.at("num_multimask_outputs"),
                      .upscaling_widths = {channels / 4, channels / 8},
                      .iou_head_layers = json.at("iou_head_depth"),
                      .iou_head_width = json.at("iou_head_hidden_dim")},
          .mask_channels = json.at("mask_in_chans"),
          .pixel_mean = json.at("pixel_mean"),
          .pixel_std = json.at("pixel_std")};
}

// Everything of one case, computed part by part.
class TinySam {
 public:
  explicit TinySam(const std::filesystem::path& folder)
      : folder_(folder),
        config_(read_json(folder / "config.json")),
        in_(tensor::load_safetensors(folder / "inputs.safetensors").tensors),
        out_(folder),
        sam_(tiny_sam_config(config_)),
        exact_(tiny_sam_config(config_)) {
    const auto weights = tensor::load_safetensors(folder / "weights.safetensors").tensors;
    for (SegmentAnything& sam : {std::ref(sam_), std::ref(exact_)}) {
      load_parameters(*sam, weights);
      sam->eval();
    }
    exact_->to(torch::kFloat64);
  }

  void check() {
    encoder();
    prompt_sets();
    whole();
    generator();
    out_.expect_all_compared();
  }

 private:
  void encoder() {
    const torch::Tensor& image = in_.at("image_u8");
    const torch::Tensor bytes = resize_longest_side(image, config_.at("image_size"));
    out_.compare("resized_u8", bytes);
    const torch::Tensor input = sam_->preprocess(bytes.permute({2, 0, 1}).unsqueeze(0));
    out_.compare("preprocessed", input);
    sam_->image_encoder()->forward(
        input, [&](const std::string& name, const torch::Tensor& value) { out_.compare("enc." + name, value); });
    image_ = sam_->encode(image);
    exact_image_ = image_;
    exact_image_.embedding = exact_->image_encoder()->forward(input.to(torch::kFloat64));
    out_.compare("image_embedding", image_.embedding);
    out_.compare("square_embedding", sam_->image_encoder()->forward(sam_->preprocess(in_.at("square_image_u8"))));
    const torch::Tensor points = move_points(in_.at("points_px"), image_.size, image_.input);
    const torch::Tensor boxes =
        move_points(in_.at("boxes_px").view({-1, 2, 2}), image_.size, image_.input).view({-1, 4});
    points_ = points.to(torch::kFloat32);
    boxes_ = boxes.to(torch::kFloat32);
    out_.compare("points_resized", points_);
    out_.compare("boxes_resized", boxes_);
    out_.compare("dense_pe", sam_->prompt_encoder()->places());
  }

  void prompt_sets() {
    const torch::Tensor &labels = in_.at("labels"), &mask = in_.at("mask_input");
    const std::map<std::string, MaskPrompts> sets = {
        {"points", {.points = points_, .labels = labels}},
        {"box", {.boxes = boxes_}},
        {"points_box", {.points = points_, .labels = labels, .boxes = boxes_}},
        {"mask", {.masks = mask}},
        {"box_mask", {.boxes = boxes_, .masks = mask}},
        {"points_mask", {.points = points_.slice(1, 0, 1), .labels = labels.slice(1, 0, 1), .masks = mask}}};
    for (const auto& [name, prompts] : sets) {
      const EmbeddedPrompts embedded = sam_->prompt_encoder()->forward(prompts);
      out_.compare(name + ".sparse", embedded.sparse);
      if (out_.all().contains(name + ".dense")) out_.compare(name + ".dense", embedded.dense);
      for (const bool multimask : {true, false}) {
        const std::string kind = multimask ? ".multi" : ".single";
        if (!out_.all().contains(name + ".iou" + kind)) continue;
        const MaskPrediction ours = sam_->predict_in_input(image_.embedding, prompts, multimask);
        const MaskPrediction exact = exact_->predict_in_input(exact_image_.embedding, prompts, multimask);
        out_.compare_rounded(name + ".low_res" + kind, ours.low_res, exact.low_res);
        out_.compare_rounded(name + ".iou" + kind, ours.iou, exact.iou);
        if (name == "points" && multimask) points_post(ours.low_res, exact.low_res);
      }
    }
  }

  void points_post(const torch::Tensor& low_res, const torch::Tensor& exact_low_res) {
    const torch::Tensor post = sam_->full_size(image_, low_res), exact = sam_->full_size(image_, exact_low_res);
    out_.compare_rounded("points.post", post, exact);
    out_.compare_masks("points.mask", post, exact);
    // What is told of masks must be exact: it is asked of theirs.
    const torch::Tensor logits = out_.all().at("points.post").flatten(0, 1);
    const torch::Tensor masks = logits.gt(kMaskThreshold);
    out_.compare("points.mask_boxes_xyxy", nn::boxes_from_masks(masks).to(torch::kInt64));
    const std::string stability = "points.stability_off";
    for (const auto& [name, expected] : out_.all()) {
      if (!name.starts_with(stability)) continue;
      out_.compare(name, stability_score(logits, kMaskThreshold, std::stod(name.substr(stability.size()))), 1e-6, 0);
    }
    const Json expected = read_json(folder_ / "rle_uncompressed.json");
    const std::vector<metrics::RunLengths> runs = run_lengths(masks);
    ASSERT_EQ(runs.size(), expected.size());
    for (std::size_t i = 0; i < runs.size(); ++i) {
      EXPECT_EQ(runs[i], expected[i].at("counts").get<metrics::RunLengths>()) << i;
      EXPECT_EQ(expected[i].at("size").get<std::vector<std::int64_t>>(), masks[0].sizes().vec()) << i;
    }
  }

  void whole() {
    const torch::Tensor& labels = in_.at("labels");
    const std::vector<MaskPrompts> records = {{.points = in_.at("points_px"), .labels = labels},
                                              {.boxes = in_.at("boxes_px").slice(0, 0, 1)}};
    for (std::size_t i = 0; i < records.size(); ++i) {
      compare_prediction(std::format("forward.{}.", i), records[i], true);
    }
    const MaskPrompts first = {.points = in_.at("points_px").slice(0, 0, 1),
                               .labels = labels.slice(0, 0, 1),
                               .boxes = in_.at("boxes_px").slice(0, 0, 1)};
    compare_prediction("predictor.", first, false);
  }

  // The predictor leaves out the dimension of prompts, of which it takes one.
  void compare_prediction(const std::string& name, const MaskPrompts& prompts, bool multimask) {
    const MaskPrediction ours = sam_->predict(image_, prompts, multimask);
    const MaskPrediction exact = exact_->predict(exact_image_, prompts, multimask);
    const auto as_theirs = [&](const torch::Tensor& x) { return multimask ? x : x[0]; };
    out_.compare_rounded(name + "low_res", as_theirs(ours.low_res), as_theirs(exact.low_res));
    out_.compare_rounded(name + "iou", as_theirs(ours.iou), as_theirs(exact.iou));
    out_.compare_masks(name + "masks", as_theirs(sam_->full_size(image_, ours.low_res)),
                       as_theirs(sam_->full_size(image_, exact.low_res)));
  }

  void generator() {
    const Json& json = config_.at("amg");
    const std::vector<GeneratedMask> ours =
        generate_masks(*sam_, in_.at("image_u8"),
                       {.points_per_side = json.at("points_per_side"),
                        .points_per_batch = json.at("points_per_batch"),
                        .least_iou = json.at("pred_iou_thresh"),
                        .least_stability = json.at("stability_score_thresh"),
                        .stability_offset = json.at("stability_score_offset"),
                        .most_overlap = json.at("box_nms_thresh"),
                        .crop_layers = json.value("crop_n_layers", 0),
                        .crop_overlap = json.value("crop_overlap_ratio", 512.0 / 1500.0),
                        .crop_most_overlap = json.value("crop_nms_thresh", 0.7),
                        .crop_points_divisor = json.value("crop_n_points_downscale_factor", 1)});
    const Json theirs = read_json(folder_ / "amg.json");
    ASSERT_EQ(ours.size(), theirs.size());
    std::int64_t differing = 0;
    for (std::size_t i = 0; i < ours.size(); ++i) {
      SCOPED_TRACE(std::format("generated mask {}", i));
      const auto numbers = [&](const char* key) { return theirs[i].at(key).get<std::vector<double>>(); };
      const auto window = [](double x0, double y0, double x1, double y1) {
        return std::vector<double>{x0, y0, x1 - x0, y1 - y0};
      };
      const std::int64_t height = theirs[i].at("segmentation").at("size")[0];
      const std::int64_t width = theirs[i].at("segmentation").at("size")[1];
      const auto runs = theirs[i].at("segmentation").at("counts").get<metrics::RunLengths>();
      differing += mask_of_run_lengths(ours[i].runs, height, width)
                       .ne(mask_of_run_lengths(runs, height, width))
                       .sum()
                       .item<std::int64_t>();
      EXPECT_NEAR(static_cast<double>(ours[i].area), theirs[i].at("area").get<double>(), 1.0);
      EXPECT_EQ(window(ours[i].box.x0, ours[i].box.y0, ours[i].box.x1, ours[i].box.y1), numbers("bbox"));
      const ImageWindow& crop = ours[i].crop;
      EXPECT_EQ(window(static_cast<double>(crop.x0), static_cast<double>(crop.y0), static_cast<double>(crop.x1),
                       static_cast<double>(crop.y1)),
                numbers("crop_box"));
      EXPECT_NEAR(ours[i].iou, theirs[i].at("predicted_iou").get<double>(), 5e-5);
      EXPECT_NEAR(ours[i].stability, theirs[i].at("stability_score").get<double>(), 1e-3);
      EXPECT_NEAR(ours[i].point_x, theirs[i].at("point_coords")[0][0].get<double>(), 1e-9);
      EXPECT_NEAR(ours[i].point_y, theirs[i].at("point_coords")[0][1].get<double>(), 1e-9);
    }
    testing::Test::RecordProperty(folder_.filename().string() + ":amg", std::format("{} pixels", differing));
    // Few pixels' logits are so near the threshold that rounding takes them over it.
    EXPECT_LE(differing * 10000, std::ssize(ours) * in_.at("image_u8").numel() / 3);
  }

  std::filesystem::path folder_;
  Json config_;
  tensor::TensorMap in_;
  test::GoldenOutputs out_;
  SegmentAnything sam_, exact_;  // exact_: in float64
  EncodedImage image_, exact_image_;
  torch::Tensor points_, boxes_;
};

TEST(GoldenSam, EveryOutput) {
  const torch::NoGradGuard no_grad;
  int cases = 0;
  for (const auto& folder : test::golden_cases("07_sam")) {
    if (!std::filesystem::exists(folder / "weights.safetensors")) continue;  // of the utilities alone
    TinySam(folder).check();
    ++cases;
  }
  if (cases == 0) GTEST_SKIP() << "no reference tensors in " << test::golden_folder();
}

TEST(GoldenSam, VitBAtFullSize) {
  const auto cases = test::golden_cases("14_recipe_sam_vit_b");
  if (cases.empty()) GTEST_SKIP() << "no reference tensors in " << test::golden_folder();
  const torch::NoGradGuard no_grad;
  for (const auto& folder : cases) {
    const Json config = read_json(folder / "config.json");
    const auto salt = config.at("salt").get<std::string>();
    SegmentAnything sam(sam_vit_b());
    load_parameters(*sam, test::recipe_weights(collect_parameters(*sam), config.at("gain"), salt));
    sam->eval();
    const torch::Tensor image = test::recipe_numbers("input:image", {1, 3, 1024, 1024}, salt).to(torch::kFloat32);
    const torch::Tensor embedding = sam->image_encoder()->forward(image);
    const MaskPrompts prompts = {.points = torch::tensor({{{500.0F, 375.0F}, {120.0F, 900.0F}}}),
                                 .labels = torch::tensor({{1, 0}}, torch::kInt64),
                                 .boxes = torch::tensor({{100.0F, 200.0F, 700.0F, 800.0F}})};
    const MaskPrediction prediction = sam->predict_in_input(embedding, prompts, true);
    test::GoldenOutputs out(folder);
    out.compare_spread("embedding_c16_s4", test::thinned(embedding, 16, 4));
    out.compare_spread("iou", prediction.iou);
    out.compare_spread("low_res_stride4", test::thinned(prediction.low_res, 1, 4));
    out.compare_spread("sparse", sam->prompt_encoder()->forward(prompts).sparse);
    out.expect_all_compared();
  }
}

}  // namespace
}  // namespace terragen::models
