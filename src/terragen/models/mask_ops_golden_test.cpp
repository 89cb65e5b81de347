// Segment Anything's utilities against their originals.
#include <gtest/gtest.h>

#include <format>

#include "terragen/core/json_file.h"
#include "terragen/core/test_paths.h"
#include "terragen/models/golden_outputs.h"
#include "terragen/models/longest_side.h"
#include "terragen/models/mask_ops.h"
#include "terragen/models/mask_regions.h"
#include "terragen/models/mask_run_lengths.h"
#include "terragen/nn/box_ops.h"

namespace terragen::models {
namespace {

// The part of `name` between the one and the other, or to its end.
std::string between(const std::string& name, const std::string& before, const std::string& after) {
  const std::size_t begin = name.find(before) + before.size();
  return name.substr(begin, after.empty() ? std::string::npos : name.find(after, begin) - begin);
}

class SamUtilities {
 public:
  explicit SamUtilities(const std::filesystem::path& folder)
      : folder_(folder), in_(tensor::load_safetensors(folder / "inputs.safetensors").tensors), out_(folder) {}

  void check() {
    out_.compare("mask_boxes", nn::boxes_from_masks(in_.at("masks")).to(torch::kInt64));
    out_.compare("edge.near", near_crop_edge(in_.at("edge.boxes"), {10, 20, 110, 160}, {300, 300}));
    out_.compare("uncrop_masks", uncrop_masks(in_.at("masks").slice(0, 0, 2), {5, 7, 38, 47}, {60, 50}));
    for (const auto& [name, expected] : out_.all()) {
      if (name.starts_with("resize")) check_resized(name);
      if (name.starts_with("stab.")) {
        const double threshold = std::stod(between(name, ".t", "_o")), offset = std::stod(between(name, "_o", ""));
        out_.compare(name, stability_score(in_.at("stab.logits"), threshold, offset));
      }
      if (name.starts_with("point_grid_")) {
        out_.compare(name, point_grid(std::stoll(between(name, "point_grid_", ""))), 1e-15, 0);
      }
      if (name.starts_with("remove.") && !name.ends_with(".changed")) check_mended(name);
    }
    check_lists();
    out_.expect_all_compared();
  }

 private:
  void check_resized(const std::string& name) {
    const bool bytes = name.starts_with("resize.");
    const torch::Tensor& image = in_.at("resize." + between(name, ".", ".L") + ".u8");
    const std::int64_t longest = std::stoll(between(name, ".L", ""));
    if (bytes) {
      out_.compare(name, resize_longest_side(image, longest));
    } else {
      const torch::Tensor images = image.permute({2, 0, 1}).unsqueeze(0).to(torch::kFloat32);
      out_.compare(name, resize_images_longest_side(images, longest), 1e-4, 0);
    }
  }

  void check_mended(const std::string& name) {
    const bool holes = name.starts_with("remove.holes.");
    const double area = std::stod(name.substr(name.rfind('.') + 1));
    std::vector<torch::Tensor> masks, changed;
    for (const torch::Tensor& mask : in_.at("masks").unbind()) {
      const MendedMask mended = holes ? fill_small_holes(mask, area) : remove_small_islands(mask, area);
      masks.push_back(mended.mask);
      changed.push_back(torch::tensor(mended.changed));
    }
    out_.compare(name, torch::stack(masks));
    out_.compare(name + ".changed", torch::stack(changed));
  }

  void check_lists() {
    const Json json = read_json(folder_ / "utils.json");
    const std::vector<metrics::RunLengths> runs = run_lengths(in_.at("masks"));
    ASSERT_EQ(runs.size(), json.at("rle").size());
    for (std::size_t i = 0; i < runs.size(); ++i) {
      EXPECT_EQ(runs[i], json.at("rle")[i].at("counts").get<metrics::RunLengths>());
      EXPECT_EQ(run_lengths_text(runs[i]), json.at("coco_rle")[i].at("counts").get<std::string>());
      EXPECT_EQ(metrics::run_length_area(runs[i]), json.at("area")[i].get<std::uint64_t>());
      const torch::Tensor& mask = in_.at("masks")[static_cast<std::int64_t>(i)];
      EXPECT_TRUE(torch::equal(mask_of_run_lengths(runs[i], mask.size(0), mask.size(1)), mask));
    }
    // 300x500_l1: height, width, layers; boxes, and the layer of each.
    for (const auto& [name, expected] : json.at("crop_boxes").items()) {
      const ImageSize size{std::stoll(name), std::stoll(between(name, "x", "_l"))};
      const std::vector<CropWindow> windows = crop_windows(size, std::stoll(between(name, "_l", "")), 512.0 / 1500.0);
      ASSERT_EQ(windows.size(), expected[0].size()) << name;
      for (std::size_t i = 0; i < windows.size(); ++i) {
        const ImageWindow& window = windows[i].window;
        EXPECT_EQ((std::vector<std::int64_t>{window.x0, window.y0, window.x1, window.y1}),
                  expected[0][i].get<std::vector<std::int64_t>>())
            << name << " " << i;
        EXPECT_EQ(windows[i].layer, expected[1][i].get<std::int64_t>()) << name << " " << i;
      }
    }
    for (const auto& [name, value] : json.items()) {
      EXPECT_TRUE(name == "rle" || name == "coco_rle" || name == "area" || name == "crop_boxes")
          << "nothing compares " << name;
    }
  }

  std::filesystem::path folder_;
  tensor::TensorMap in_;
  test::GoldenOutputs out_;
};

TEST(GoldenSamUtilities, EveryOutput) {
  const auto cases = test::golden_cases("07_sam_utils");
  if (cases.empty()) GTEST_SKIP() << "no reference tensors in " << test::golden_folder();
  for (const auto& folder : cases) SamUtilities(folder).check();
}

}  // namespace
}  // namespace terragen::models
