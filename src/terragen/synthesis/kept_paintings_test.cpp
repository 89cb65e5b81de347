#include "terragen/synthesis/kept_paintings.h"

#include <gtest/gtest.h>

#include "terragen/core/atomic_file.h"
#include "terragen/core/error.h"
#include "terragen/core/test_paths.h"
#include "terragen/synthesis/test_model.h"
#include "terragen/tensor/safetensors.h"

namespace terragen::synthesis {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> files_in(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) files.push_back(entry.path());
  return files;
}

std::vector<PaintRequest> two_roads() {
  layout::Layout layout{.task = "building", .width = 32, .height = 32};
  layout.features = {{0, layout::make_box({4, 4, 20, 12}), false, {}}};
  return {{.layout = layout, .seed = 1}, {.layout = layout, .seed = 2}};
}

TEST(KeptPaintings, AreFoundByAllThatDecidesThem) {
  const test::ScratchFolder scratch;
  const models::ModelFolder model = small_model(layout::Taxonomy({{"road", {}}}), {"building"});
  Painter painter(model, {.steps = 2});
  const std::vector<PaintRequest> requests = two_roads();
  const fs::path folder = scratch.path() / "kept";
  const std::vector<torch::Tensor> painted = paint_or_find(painter, requests, folder);
  ASSERT_EQ(painted.size(), 2U);
  ASSERT_EQ(files_in(folder).size(), 1U);
  EXPECT_TRUE(torch::equal(painted[1], paint_or_find(painter, requests, {})[1]));
  EXPECT_TRUE(torch::equal(painted[1], paint_or_find(painter, requests, folder)[1]));
  EXPECT_EQ(files_in(folder).size(), 1U);

  EXPECT_TRUE(paint_or_find(painter, {}, folder).empty());

  // It is the file that speaks.
  const fs::path file = files_in(folder).front();
  tensor::save_safetensors(file, {{"0000", torch::zeros({3, 32, 32})}, {"0001", torch::ones({3, 32, 32})}});
  EXPECT_TRUE(torch::equal(paint_or_find(painter, requests, folder)[1], torch::ones({3, 32, 32})));

  std::vector<PaintRequest> other = requests;
  other[1].seed = 3;
  paint_or_find(painter, other, folder);
  other = requests;
  other[0].layout.features[0].geometry = layout::make_box({4, 4, 20, 13});
  paint_or_find(painter, other, folder);
  other = requests;
  other[0].image = torch::zeros({3, 32, 32});
  paint_or_find(painter, other, folder);
  Painter longer(model, {.steps = 3});
  paint_or_find(longer, requests, folder);
  EXPECT_EQ(files_in(folder).size(), 5U);
}

TEST(KeptPaintings, ThatAreDamagedAreRefused) {
  const test::ScratchFolder scratch;
  Painter painter(small_model(layout::Taxonomy({{"road", {}}}), {"building"}), {.steps = 2});
  const std::vector<PaintRequest> requests = two_roads();
  paint_or_find(painter, requests, scratch.path() / "kept");
  const fs::path file = files_in(scratch.path() / "kept").front();
  std::string bytes = read_file(file);
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  write_file(file, bytes);
  EXPECT_THROW(paint_or_find(painter, requests, scratch.path() / "kept"), DataError);
  tensor::save_safetensors(file, {{"0000", torch::zeros({3, 32, 32})}});
  EXPECT_THROW(paint_or_find(painter, requests, scratch.path() / "kept"), DataError);
}

}  // namespace
}  // namespace terragen::synthesis
