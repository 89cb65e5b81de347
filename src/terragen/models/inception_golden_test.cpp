// pytorch-fid's Inception network, at full size with weights by the recipe.
#include <gtest/gtest.h>

#include <format>
#include <map>
#include <numbers>

#include "terragen/core/error.h"
#include "terragen/core/json_file.h"
#include "terragen/core/test_paths.h"
#include "terragen/models/inception.h"
#include "terragen/models/model_io.h"
#include "terragen/nn/resample.h"
#include "terragen/tensor/recipe_weights.h"

namespace terragen::models {
namespace {

constexpr double kInceptionTolerance = 1e-3;

double inception_error(const torch::Tensor& ours, const torch::Tensor& theirs) {
  if (ours.sizes() != theirs.sizes()) return 1e9;
  return ((ours - theirs).norm() / theirs.norm()).item<double>();
}

TEST(RecipeWeights, AreTheRecipes) {
  const torch::Tensor numbers = test::recipe_numbers("conv_in.weight", {4});
  const torch::Tensor expected = torch::tensor({0.142500043, 0.766529083, -0.819941998, -0.395375490}, torch::kFloat64);
  EXPECT_LT((numbers - expected).abs().max().item<double>(), 1e-9);
}

TEST(GoldenInception, EveryOutput) {
  const auto cases = test::golden_cases("14_recipe_inception");
  if (cases.empty()) GTEST_SKIP() << "no reference tensors in " << test::golden_folder();
  const torch::NoGradGuard no_grad;
  for (const auto& folder : cases) {
    SCOPED_TRACE(folder.filename().string());
    const Json config = read_json(folder / "config.json");
    ASSERT_EQ(config.at("gain").get<std::string>(), "sqrt(2)");
    const auto salt = config.at("salt").get<std::string>();
    tensor::TensorMap weights = test::recipe_weights(collect_parameters(*InceptionV3()), std::numbers::sqrt2, salt);
    std::erase_if(weights, [](const auto& item) { return item.first.ends_with("num_batches_tracked"); });
    weights["fc.bias"] = torch::zeros({1008});  // the published file has a classifier
    const test::ScratchFolder scratch;
    tensor::save_safetensors(scratch.path() / "inception.safetensors", weights);
    InceptionV3 network = load_inception(scratch.path() / "inception.safetensors");

    const torch::Tensor image = test::recipe_numbers("input:image", {2, 3, 100, 120}, salt).to(torch::kFloat32);
    const std::vector<torch::Tensor> features = network(nn::resize_images(image, 299, 299));
    std::map<std::string, torch::Tensor> ours;
    ours["pool_2048"] = inception_features(network, image);
    for (const std::size_t i : {0, 1, 2}) ours[std::format("block{}_mean", i)] = features[i].mean({2, 3});
    using torch::indexing::None;
    using torch::indexing::Slice;
    ours["block2_sample"] =
        features[2].index({Slice(), Slice(None, None, 32), Slice(None, None, 4), Slice(None, None, 4)});
    for (const auto& [name, expected] : tensor::load_safetensors(folder / "outputs.safetensors").tensors) {
      ASSERT_TRUE(ours.contains(name)) << name;
      const double error = inception_error(ours.at(name), expected);
      RecordProperty(name, std::format("{:.1e}", error));
      EXPECT_LT(error, kInceptionTolerance) << name;
    }
  }
}

TEST(Inception, RefusesWeightsOfAnotherNetwork) {
  const test::ScratchFolder scratch;
  tensor::save_safetensors(scratch.path() / "other.safetensors", {{"conv1.weight", torch::zeros({64, 3, 7, 7})}});
  EXPECT_THROW(load_inception(scratch.path() / "other.safetensors"), DataError);
}

}  // namespace
}  // namespace terragen::models
