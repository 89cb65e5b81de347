// EfficientSAM against its original: a tiny network, and Ti at full size.
#include <gtest/gtest.h>

#include <functional>

#include "terragen/core/json_file.h"
#include "terragen/core/test_paths.h"
#include "terragen/models/efficient_sam.h"
#include "terragen/models/golden_outputs.h"
#include "terragen/models/model_io.h"
#include "terragen/tensor/recipe_weights.h"

namespace terragen::models {
namespace {

EfficientSamConfig tiny_efficient_config(const Json& json) {
  const Json& build = json.at("build");
  EfficientSamConfig config;
  config.encoder.image_size = build.at("img");
  config.encoder.patch_size = build.at("patch");
  config.encoder.width = build.at("pd");
  config.encoder.depth = build.at("depth");
  config.encoder.heads = build.at("heads");
  config.encoder.out_channels = build.at("neck");
  config.decoder.transformer.channels = build.at("neck");
  config.decoder.transformer.heads = build.at("th");
  config.decoder.transformer.mlp_width = build.at("mlp");
  config.decoder.upscaling_widths = build.at("up").get<std::vector<std::int64_t>>();
  config.decoder.iou_head_layers = json.at("iou_head_depth_arg_of_MaskDecoder").get<std::int64_t>() + 1;
  config.decoder.iou_head_width = json.at("iou_head_hidden_dim");
  config.most_points = json.at("decoder_max_num_input_points");
  config.pixel_mean = json.at("pixel_mean");
  config.pixel_std = json.at("pixel_std");
  return config;
}

// [N Q, M, ...] as the original has it, [N, Q, M, ...].
torch::Tensor by_image(const torch::Tensor& predicted, const torch::Tensor& points) {
  std::vector<std::int64_t> shape = {points.size(0), points.size(1)};
  shape.insert(shape.end(), predicted.sizes().begin() + 1, predicted.sizes().end());
  return predicted.view(shape);
}

TEST(GoldenEfficientSam, EveryOutput) {
  const auto cases = test::golden_cases("07_efficientsam");
  if (cases.empty()) GTEST_SKIP() << "no reference tensors in " << test::golden_folder();
  const torch::NoGradGuard no_grad;
  for (const auto& folder : cases) {
    const auto in = tensor::load_safetensors(folder / "inputs.safetensors").tensors;
    test::GoldenOutputs out(folder);
    const EfficientSamConfig config = tiny_efficient_config(read_json(folder / "config.json"));
    EfficientSam sam(config), exact(config);  // exact: in float64
    for (EfficientSam& network : {std::ref(sam), std::ref(exact)}) {
      load_parameters(*network, tensor::load_safetensors(folder / "weights.safetensors").tensors);
      network->eval();
    }
    exact->to(torch::kFloat64);
    const torch::Tensor &image = in.at("image"), &points = in.at("points"), &labels = in.at("labels");
    const ImageSize size{image.size(2), image.size(3)};
    const torch::Tensor embedding = sam->embed(image);
    out.compare("preprocessed", sam->preprocess(image));
    out.compare("image_embedding", embedding);
    out.compare("dense_pe", sam->prompt_encoder()->places());
    out.compare("rescaled_points", sam->rescaled(points, size));
    const torch::Tensor exact_embedding = exact->embed(image.to(torch::kFloat64));
    for (const bool multimask : {true, false}) {
      const std::string name = multimask ? "" : "single.";
      const MaskPrediction ours = sam->predict_points(embedding, points, labels, size, multimask);
      const MaskPrediction truth = exact->predict_points(exact_embedding, points, labels, size, multimask);
      out.compare_rounded(name + "low_res", by_image(ours.low_res, points), by_image(truth.low_res, points));
      out.compare_rounded(name + "iou", by_image(ours.iou, points), by_image(truth.iou, points));
      if (!multimask) continue;
      out.compare("sorted_iou_index", by_image(ours.iou, points).argsort(-1, true));
      const EncodedImage encoded{.size = size};
      out.compare_rounded("masks", by_image(sam->full_size(encoded, ours.low_res), points),
                          by_image(exact->full_size(encoded, truth.low_res), points));
    }
    out.expect_all_compared();
  }
}

TEST(GoldenEfficientSam, TiAtFullSize) {
  const auto cases = test::golden_cases("14_recipe_efficientsam");
  if (cases.empty()) GTEST_SKIP() << "no reference tensors in " << test::golden_folder();
  const torch::NoGradGuard no_grad;
  for (const auto& folder : cases) {
    const Json config = read_json(folder / "config.json");
    const auto salt = config.at("salt").get<std::string>();
    EfficientSam sam(efficient_sam_ti());
    load_parameters(*sam, test::recipe_weights(collect_parameters(*sam), config.at("gain"), salt));
    sam->eval();
    const torch::Tensor image =
        (0.5 + 0.5 * test::recipe_numbers("input:image", {1, 3, 300, 400}, salt)).to(torch::kFloat32);
    const torch::Tensor points =
        torch::tensor({200.0F, 120.0F, 60.0F, 80.0F, 50.0F, 40.0F, 330.0F, 260.0F}).view({1, 2, 2, 2});
    const torch::Tensor labels = torch::tensor({1, 1, 2, 3}, torch::kInt64).view({1, 2, 2});
    const torch::Tensor embedding = sam->embed(image);
    const MaskPrediction prediction = sam->predict_points(embedding, points, labels, {300, 400}, true);
    test::GoldenOutputs out(folder);
    out.compare_spread("embedding_c16_s4", test::thinned(embedding, 16, 4));
    out.compare_spread("iou", by_image(prediction.iou, points));
    out.compare_spread("low_res_stride8", by_image(test::thinned(prediction.low_res, 1, 8).contiguous(), points));
    out.expect_all_compared();
  }
}

}  // namespace
}  // namespace terragen::models
