// PyTorch's and Pillow's resampling; and the account of which test compares which of the reference outputs.
#include <gtest/gtest.h>

#include <algorithm>
#include <format>
#include <map>
#include <sstream>

#include "terragen/core/test_paths.h"
#include "terragen/nn/resample.h"
#include "terragen/tensor/safetensors.h"

namespace terragen::nn {
namespace {

double resample_difference(const torch::Tensor& ours, const torch::Tensor& theirs) {
  if (ours.sizes() != theirs.sizes() || ours.scalar_type() != theirs.scalar_type()) return 1e9;
  return (ours.to(torch::kFloat64) - theirs.to(torch::kFloat64)).abs().max().item<double>();
}

std::vector<std::string> parts_of_name(const std::string& name) {
  std::vector<std::string> parts;
  std::istringstream stream(name);
  for (std::string part; std::getline(stream, part, '_');) parts.push_back(part);
  return parts;
}

struct PixelSize {
  std::int64_t height, width;
};

PixelSize size_in_name(const std::string& text) {  // 17x25
  return {std::stoll(text), std::stoll(text.substr(text.find('x') + 1))};
}

const std::map<std::string, Interpolation> kInterpolations = {{"nearest", Interpolation::nearest},
                                                              {"nearestexact", Interpolation::nearest_exact},
                                                              {"area", Interpolation::area},
                                                              {"bilinear", Interpolation::bilinear},
                                                              {"bicubic", Interpolation::bicubic}};
const std::map<std::string, ByteFilter> kByteFilters = {{"nearest", ByteFilter::nearest},
                                                        {"box", ByteFilter::box},
                                                        {"bilinear", ByteFilter::bilinear},
                                                        {"bicubic", ByteFilter::bicubic},
                                                        {"lanczos", ByteFilter::lanczos}};
const std::map<std::string, Outside> kOutsides = {
    {"zeros", Outside::zeros}, {"border", Outside::border}, {"reflection", Outside::reflection}};

// What a reference output's name asks for; undefined where it asks for no resampling that is known.
torch::Tensor resampled_by_name(const std::string& name, const tensor::TensorMap& in) {
  const std::vector<std::string> parts = parts_of_name(name);
  const torch::Tensor& image = in.at("img");
  const torch::Tensor& bytes = in.at("u8");
  if (name.starts_with("interp_scale_factor_")) {
    return resize_images_by(image, std::stod(parts.at(3)), {}, parts.back() == "recompute");
  }
  if (name.starts_with("interp_")) {  // mode, perhaps aaA or acA, size
    const std::string setting = parts.size() == 4 ? parts[2] : "";
    const PixelSize size = size_in_name(parts.back());
    return resize_images(
        image, size.height, size.width,
        {.how = kInterpolations.at(parts.at(1)), .align_corners = setting == "ac1", .antialias = setting == "aa1"});
  }
  if (name.starts_with("grid_sample_")) {
    return sample_images(image, in.at("grid"), kInterpolations.at(parts.at(2)), kOutsides.at(parts.at(3)));
  }
  if (name == "pil_L") return grey_bytes(bytes);
  if (name.starts_with("pil_")) {
    const PixelSize size = size_in_name(parts.at(2));
    return resize_bytes(bytes, size.height, size.width, kByteFilters.at(parts.at(1)));
  }
  if (name.starts_with("tv_center_crop_")) {
    const PixelSize size = size_in_name(parts.at(3));
    return crop_centre(bytes, size.height, size.width);
  }
  if (const std::string form = "tv_resize_short"; name.starts_with(form)) {
    return resize_bytes_shorter(bytes, std::stoll(name.substr(form.size())), kByteFilters.at(parts.at(3)));
  }
  if (name.starts_with("clip_preprocess_")) return clip_image_input(bytes, std::stoll(parts.at(2)));
  return {};
}

// What the tests of nn/box_ops and nn/roi_ops compare: whole names, and beginnings of names.
bool is_compared_elsewhere(const std::string& name) {
  const std::vector<std::string> names = {
      "box_area", "box_iou", "giou", "diou", "ciou", "cxcywh", "masks_to_boxes", "sigmoid_focal_loss", "clip"};
  const std::vector<std::string> forms = {"nms_", "batched_nms_", "remove_small_", "roi_align_", "roi_pool_"};
  return std::ranges::count(names, name) > 0 ||
         std::ranges::any_of(forms, [&](const std::string& form) { return name.starts_with(form); });
}

TEST(GoldenResample, EveryOutputIsComparedHereOrElsewhere) {
  const auto cases = test::golden_cases("12_tvops");
  if (cases.empty()) GTEST_SKIP() << "no reference tensors in " << test::golden_folder();
  for (const auto& folder : cases) {
    const auto in = tensor::load_safetensors(folder / "inputs.safetensors").tensors;
    for (const auto& [name, expected] : tensor::load_safetensors(folder / "outputs.safetensors").tensors) {
      if (is_compared_elsewhere(name)) continue;
      const torch::Tensor ours = resampled_by_name(name, in);
      if (!ours.defined()) {
        ADD_FAILURE() << "no test compares " << name;
        continue;
      }
      const double worst = resample_difference(ours, expected);
      RecordProperty(name, std::format("{:.1e}", worst));
      EXPECT_LT(worst, expected.is_floating_point() ? 1e-6 : 0.5) << name;
    }
  }
}

TEST(Resample, AgreesWithTheLibrarysOperators) {
  torch::manual_seed(7);
  const torch::Tensor images = torch::rand({2, 3, 13, 18});
  for (const bool corners : {false, true}) {
    const std::vector<std::int64_t> size = {29, 7};
    const torch::Tensor linear =
        resize_images(images, 29, 7, {.how = Interpolation::bilinear, .align_corners = corners});
    EXPECT_LT(resample_difference(linear, at::upsample_bilinear2d(images, size, corners)), 1e-5);
    const torch::Tensor cubic = resize_images(images, 29, 7, {.how = Interpolation::bicubic, .align_corners = corners});
    EXPECT_LT(resample_difference(cubic, at::upsample_bicubic2d(images, size, corners)), 1e-5);
  }
  const torch::Tensor one = resize_images(images, 1, 1, {.align_corners = true});
  EXPECT_TRUE(torch::equal(one, images.slice(2, 0, 1).slice(3, 0, 1)));
}

TEST(Resample, BytesOfOneColourKeepIt) {
  for (const int colour : {0, 1, 128, 254, 255}) {
    const torch::Tensor image = torch::full({9, 14}, colour, torch::kUInt8);
    for (const auto& [name, filter] : kByteFilters) {
      EXPECT_TRUE(resize_bytes(image, 23, 5, filter).eq(colour).all().item<bool>()) << name << " " << colour;
    }
  }
}

TEST(Resample, TheSameSizeIsTheSameImage) {
  const torch::Tensor image =
      torch::arange(9 * 14 * 3, torch::kInt32).remainder(251).to(torch::kUInt8).view({9, 14, 3});
  for (const auto& [name, filter] : kByteFilters) {
    EXPECT_TRUE(torch::equal(resize_bytes(image, 9, 14, filter), image)) << name;
    EXPECT_TRUE(torch::equal(resize_bytes_shorter(image, 9, filter), image)) << name;
  }
}

TEST(Resample, RefusesWhatHasNoMeaning) {
  const torch::Tensor image = torch::zeros({1, 1, 4, 4});
  EXPECT_THROW(resize_images(image, 2, 2, {.how = Interpolation::nearest, .antialias = true}), c10::ValueError);
  EXPECT_THROW(sample_images(image, torch::zeros({1, 1, 1, 2}), Interpolation::area), c10::ValueError);
  EXPECT_THROW(crop_centre(torch::zeros({4, 4}), 5, 2), c10::ValueError);
  EXPECT_THROW(resize_bytes(torch::zeros({4, 4}), 2, 2, ByteFilter::box), c10::TypeError);
}

}  // namespace
}  // namespace terragen::nn
