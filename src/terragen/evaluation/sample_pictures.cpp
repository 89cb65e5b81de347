#include "terragen/evaluation/sample_pictures.h"

#include <algorithm>
#include <format>

#include "terragen/data/dataset.h"
#include "terragen/data/packed_samples.h"
#include "terragen/shards/augment.h"
#include "terragen/tensor/draw_image.h"
#include "terragen/training/sample_grid.h"

namespace terragen::evaluation {
namespace {

namespace fs = std::filesystem;

constexpr int kShown = 256;  // pixels of an image's middle

}  // namespace

Canvas image_rows(const std::vector<torch::Tensor>& rows) {
  constexpr int kGap = 4;
  const auto height = static_cast<int>(rows.front().size(2)) + kGap;
  const auto width = static_cast<int>(rows.front().size(3)) + kGap;
  std::int64_t columns = 1;
  for (const torch::Tensor& row : rows) columns = std::max(columns, row.size(0));
  Canvas canvas(static_cast<int>(columns) * width - kGap, static_cast<int>(rows.size()) * height - kGap,
                {255, 255, 255});
  for (std::size_t r = 0; r < rows.size(); ++r) {
    for (std::int64_t i = 0; i < rows[r].size(0); ++i) {
      tensor::draw_image(canvas, rows[r][i], static_cast<int>(i) * width, static_cast<int>(r) * height);
    }
  }
  return canvas;
}

std::vector<std::pair<Canvas, std::string>> sample_pictures(const fs::path& folder, int count,
                                                            const std::string& prefix) {
  std::vector<std::pair<Canvas, std::string>> pictures;
  std::vector<fs::path> datasets;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(folder, none)) {
    const bool named = entry.path().filename().string().starts_with(prefix);
    if (named && fs::exists(entry.path() / "dataset.json")) datasets.push_back(entry.path());
  }
  std::ranges::sort(datasets);
  for (const fs::path& path : datasets) {
    data::Dataset dataset = data::read_dataset(path);
    const auto all = std::ssize(dataset.images);
    std::vector<data::ImageRecord> chosen;
    for (std::int64_t i = 0; i < std::min<std::int64_t>(count, all); ++i) {
      chosen.push_back(dataset.images[static_cast<std::size_t>(i * all / std::min<std::int64_t>(count, all))]);
    }
    if (chosen.empty()) continue;
    dataset.images = std::move(chosen);
    const data::PackedSamples packed({dataset}, "train");
    std::vector<torch::Tensor> images;
    std::vector<layout::Layout> layouts;
    for (std::size_t i = 0; i < packed.reader().size(); ++i) {
      const shards::Sample sample = shards::centre_crop(packed.reader().get(i), kShown);
      images.push_back(sample.image);
      layouts.push_back(sample.layout);
    }
    pictures.emplace_back(image_rows({torch::stack(images), training::layout_pictures(layouts, dataset.taxonomy)}),
                          std::format("{}: new images and their labels", path.filename().string()));
  }
  return pictures;
}

}  // namespace terragen::evaluation
