// torchvision's arithmetic on boxes.
#include <gtest/gtest.h>

#include <algorithm>

#include "terragen/core/test_paths.h"
#include "terragen/nn/box_ops.h"
#include "terragen/tensor/safetensors.h"

namespace terragen::nn {
namespace {

double worst_difference(const torch::Tensor& ours, const torch::Tensor& theirs) {
  EXPECT_EQ(ours.sizes(), theirs.sizes());
  return (ours.to(torch::kFloat64) - theirs.to(torch::kFloat64)).abs().max().item<double>();
}

TEST(BoxOpsGolden, AreTorchvisions) {
  const auto cases = test::golden_cases("12_tvops");
  if (cases.empty()) GTEST_SKIP() << "no reference tensors in " << test::golden_folder();
  for (const auto& folder : cases) {
    const auto in = tensor::load_safetensors(folder / "inputs.safetensors").tensors;
    const auto out = tensor::load_safetensors(folder / "outputs.safetensors").tensors;
    const torch::Tensor& boxes = in.at("boxes");
    const torch::Tensor& others = in.at("boxes2");
    EXPECT_LT(worst_difference(box_area(boxes), out.at("box_area")), 1e-3);  // of areas up to thousands
    EXPECT_LT(worst_difference(box_iou(boxes, others), out.at("box_iou")), 1e-6);
    EXPECT_LT(worst_difference(generalized_box_iou(boxes, others), out.at("giou")), 1e-6);
    EXPECT_LT(worst_difference(distance_box_iou(boxes, others), out.at("diou")), 1e-6);
    EXPECT_LT(worst_difference(complete_box_iou(boxes, others), out.at("ciou")), 1e-6);
    EXPECT_LT(worst_difference(centre_size_from_corners(boxes), out.at("cxcywh")), 1e-5);
    EXPECT_LT(worst_difference(corners_from_centre_size(out.at("cxcywh")), boxes), 1e-4);
    EXPECT_LT(worst_difference(boxes_from_masks(in.at("masks")), out.at("masks_to_boxes")), 1e-6);
    EXPECT_LT(worst_difference(sigmoid_focal_loss(in.at("logit"), in.at("target")), out.at("sigmoid_focal_loss")),
              1e-6);
    for (const auto& [name, kept] : out) {
      if (name.starts_with("nms_")) {
        EXPECT_TRUE(torch::equal(nms(boxes, in.at("scores"), std::stod(name.substr(4))), kept)) << name;
      } else if (name.starts_with("batched_nms_")) {
        const torch::Tensor ours = batched_nms(boxes, in.at("scores"), in.at("classes"), std::stod(name.substr(12)));
        EXPECT_TRUE(torch::equal(ours, kept)) << name;
      } else if (name.starts_with("remove_small_")) {
        EXPECT_TRUE(torch::equal(large_enough(boxes, std::stod(name.substr(13))), kept)) << name;
      }
    }
  }
}

TEST(BoxOps, ClippingKeepsBoxesInside) {
  const torch::Tensor clipped = clip_boxes(torch::tensor({{-3.0, 2.0, 50.0, 9.0}}), 8, 20);
  EXPECT_TRUE(torch::equal(clipped, torch::tensor({{0.0, 2.0, 20.0, 8.0}})));
}

}  // namespace
}  // namespace terragen::nn
