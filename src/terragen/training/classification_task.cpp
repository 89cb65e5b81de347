#include "terragen/training/classification_task.h"

#include <format>

#include "terragen/core/seed.h"
#include "terragen/shards/object_windows.h"
#include "terragen/training/colour_jitter.h"
#include "terragen/training/sample_grid.h"

namespace terragen::training {
namespace {

constexpr int kWindowsAnImage = 16;
constexpr std::size_t kWindowsARow = 15;
constexpr std::int64_t kFrame = 5;  // pixels

enum ClassificationStream : std::uint64_t { kCut, kColour };

// [3, 1, 1] in [-1, 1].
torch::Tensor shown_colour(const Rgb& color) {
  const auto value = [&](std::size_t c) { return static_cast<float>(color[c]) / 127.5F - 1.0F; };
  return torch::tensor({value(0), value(1), value(2)}).view({3, 1, 1});
}

torch::Tensor framed(const torch::Tensor& window, const torch::Tensor& color) {
  torch::Tensor picture = window.size(0) >= 3 ? window.slice(0, 0, 3).clone() : window.slice(0, 0, 1).repeat({3, 1, 1});
  for (const int dim : {1, 2}) {
    picture.slice(dim, 0, kFrame).copy_(color);
    picture.slice(dim, picture.size(dim) - kFrame).copy_(color);
  }
  return picture;
}

}  // namespace

ClassificationTask::ClassificationTask(models::PerceptionModel model, shards::Batch shown,
                                       PerceptionTaskOptions options)
    : model_(std::move(model)), shown_(std::move(shown)), options_(options) {
  options_.validate();
}

ClassificationTask::Windows ClassificationTask::windows_of(const shards::Batch& batch, std::uint64_t seed) const {
  const int background = model_.config.background ? model_.config.taxonomy.size() : -1;
  Windows result;
  std::vector<torch::Tensor> images;
  for (std::size_t i = 0; i < batch.layouts.size(); ++i) {
    const auto n = static_cast<std::int64_t>(i);
    const auto windows = shards::object_windows(
        batch.layouts[i], batch.valid[n][0], {.most = kWindowsAnImage, .background = background}, derive_seed(seed, i));
    images.push_back(shards::window_images(batch.images[n], windows));
    for (const shards::ObjectWindow& window : windows) result.labels.push_back(window.label);
  }
  result.images = torch::cat(images);
  return result;
}

torch::Tensor ClassificationTask::loss(const shards::Batch& batch, std::uint64_t seed, Scalars& scalars) {
  const std::vector<torch::Tensor> parameters = model_.network()->parameters();
  const torch::Device device = parameters.front().device();
  const Windows windows = windows_of(batch, derive_seed(seed, kCut));
  scalars["windows"] = static_cast<double>(windows.labels.size());
  if (windows.labels.empty()) {
    // A mean over no window would not be a number.
    torch::Tensor nothing = torch::zeros({}, device);
    for (const torch::Tensor& parameter : parameters) nothing = nothing + 0 * parameter.sum();
    return nothing;
  }
  const torch::Tensor images =
      colour_jittered(windows.images.to(device), options_.colour_jitter, derive_seed(seed, kColour))
          .contiguous(at::MemoryFormat::ChannelsLast);
  const torch::Tensor labels = torch::tensor(windows.labels).to(device);
  const torch::Tensor logits = model_.classifier->forward(images).to(torch::kFloat32);
  scalars["accuracy"] = logits.detach().argmax(1).eq(labels).to(torch::kFloat32).mean().item<double>();
  return torch::cross_entropy_loss(logits, labels);
}

void ClassificationTask::write_preview(const std::filesystem::path& png) {
  const layout::Taxonomy& taxonomy = model_.config.taxonomy;
  const Windows windows = windows_of(shown_, 0);
  torch::Tensor said = torch::zeros({0}, torch::kInt64);
  if (!windows.labels.empty()) {
    const torch::Device device = model_.network()->parameters().front().device();
    said = model_.classifier->forward(windows.images.to(device)).argmax(1).cpu();
  }
  std::vector<torch::Tensor> colors;
  for (const layout::ClassInfo& entry : taxonomy.classes()) colors.push_back(shown_colour(entry.color));
  if (model_.config.background) colors.push_back(shown_colour({128, 128, 128}));
  std::vector<GridRow> rows;
  for (std::size_t k = 0; k < colors.size(); ++k) {
    std::vector<torch::Tensor> pictures{colors[k].expand({3, shards::kWindowSize, shards::kWindowSize})};
    int all = 0;
    int right = 0;
    for (std::size_t i = 0; i < windows.labels.size(); ++i) {
      if (windows.labels[i] != static_cast<std::int64_t>(k)) continue;
      const auto n = static_cast<std::int64_t>(i);
      const auto answer = static_cast<std::size_t>(said[n].item<std::int64_t>());
      ++all;
      right += answer == k ? 1 : 0;
      if (pictures.size() <= kWindowsARow) pictures.push_back(framed(windows.images[n], colors[answer]));
    }
    const bool beyond = static_cast<int>(k) == taxonomy.size();
    const std::string name = beyond ? "(background)" : taxonomy.at(static_cast<int>(k)).name;
    rows.push_back({std::format("{}: {} of {} right", name, right, all), torch::stack(pictures)});
  }
  write_sample_grid(png, rows);
}

void ClassificationTask::save(const std::filesystem::path& folder) { models::save_perception_model(model_, folder); }

Json ClassificationTask::settings() const {
  return {{"task", model_.config.architecture},
          {"classes", layout::taxonomy_to_json(model_.config.taxonomy)},
          {"background", model_.config.background},
          {"colour_jitter", options_.colour_jitter},
          {"windows_an_image", kWindowsAnImage}};
}

}  // namespace terragen::training
