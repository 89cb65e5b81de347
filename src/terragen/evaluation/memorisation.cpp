#include "terragen/evaluation/memorisation.h"

#include <algorithm>
#include <format>
#include <functional>
#include <ranges>

#include "terragen/core/error.h"
#include "terragen/core/memory.h"
#include "terragen/core/stopwatch.h"
#include "terragen/data/packed_samples.h"
#include "terragen/data/painters_card.h"
#include "terragen/evaluation/leak_check.h"
#include "terragen/evaluation/model_card.h"
#include "terragen/evaluation/nearest_windows.h"
#include "terragen/evaluation/sample_pictures.h"
#include "terragen/tensor/device.h"

namespace terragen::evaluation {
namespace {

constexpr std::int64_t kPairsARow = 16;

// Windows of images, and where each was cut out.
struct WindowSet {
  std::vector<torch::Tensor> windows;
  std::vector<Neighbour> places;      // but for `real` and `correlation`
  std::vector<std::size_t> first{0};  // of every image, and one past the last
};

// Whole windows side by side, within the first `extent` pixels; `datasets` have an image of the split.
WindowSet windows_of(const std::vector<data::Dataset>& datasets, const std::string& split, int crop, std::int64_t limit,
                     int extent) {
  const data::PackedSamples packed(datasets, split);
  const shards::ShardReader& reader = packed.reader();
  const auto all = static_cast<std::int64_t>(reader.size());
  const std::int64_t count = limit == 0 ? all : std::min(limit, all);
  WindowSet result;
  for (std::int64_t i = 0; i < count; ++i) {
    const shards::Sample sample = reader.get(static_cast<std::size_t>(i * all / count));
    for (int y = 0; y + crop <= std::min(extent, sample.layout.height); y += crop) {
      for (int x = 0; x + crop <= std::min(extent, sample.layout.width); x += crop) {
        result.windows.push_back(sample.image.slice(1, y, y + crop).slice(2, x, x + crop));
        result.places.push_back({.image = sample.source, .x = x, .y = y});
      }
    }
    if (result.windows.size() == result.first.back()) {
      throw RequestError(std::format("{} is of {}x{} pixels, less than the windows of {}", sample.source,
                                     sample.layout.width, sample.layout.height, crop),
                         "choose a smaller --crop");
    }
    result.first.push_back(result.windows.size());
  }
  return result;
}

NeighbourSet neighbours_of(const WindowSet& set, const shards::ShardReader& training) {
  const std::vector<NearestWindow> nearest = nearest_windows(torch::stack(set.windows), training);
  std::vector<std::size_t> best;  // window of every image
  for (std::size_t i = 0; i + 1 < set.first.size(); ++i) {
    const auto own = std::ranges::iota_view(set.first[i], set.first[i + 1]);
    best.push_back(*std::ranges::max_element(own, {}, [&](std::size_t w) { return nearest[w].correlation; }));
  }
  std::ranges::sort(best, std::greater(), [&](std::size_t w) { return nearest[w].correlation; });
  NeighbourSet result;
  std::vector<torch::Tensor> rows;
  for (std::size_t start = 0; start < best.size(); start += kPairsARow) {
    std::vector<torch::Tensor> above;
    std::vector<torch::Tensor> below;
    for (std::size_t i = start; i < std::min<std::size_t>(best.size(), start + kPairsARow); ++i) {
      Neighbour neighbour = set.places[best[i]];
      neighbour.real = training.source(nearest[best[i]].image);
      neighbour.correlation = nearest[best[i]].correlation;
      result.neighbours.push_back(neighbour);
      above.push_back(set.windows[best[i]]);
      below.push_back(nearest[best[i]].found);
    }
    rows.push_back(torch::stack(above));
    rows.push_back(torch::stack(below));
  }
  result.picture = image_rows(rows);
  return result;
}

}  // namespace

void MemorisationOptions::validate() const {
  if (real.empty()) throw RequestError("no real images are named");
  if (crop < 32 || crop % 8 != 0) {
    throw RequestError(std::format("windows of {} pixels are not looked for", crop),
                       "--crop is a multiple of 8, and 32 at least");
  }
  if (limit < 0) throw RequestError(std::format("{} images cannot be looked at", limit));
}

double NeighbourSet::highest() const { return neighbours.front().correlation; }

double NeighbourSet::median() const { return neighbours[neighbours.size() / 2].correlation; }

std::int64_t NeighbourSet::at_least(double correlation) const {
  return std::ranges::count_if(neighbours, [&](const Neighbour& own) { return own.correlation >= correlation; });
}

MemorisationReport evaluate_memorisation(const MemorisationOptions& options) {
  options.validate();
  tensor::set_threads(options.threads);
  const Stopwatch watch;
  const data::Dataset made = data::read_dataset(options.made);
  const data::Dataset painted = data::painted_images(made, options.made_split);
  if (painted.images.empty()) {
    throw RequestError(std::format("{} has no images of the split {}", made.name, options.made_split));
  }
  std::vector<data::Dataset> training;
  std::vector<data::Dataset> unseen;
  MemorisationReport report{.made = made.name, .crop = options.crop};
  for (const std::filesystem::path& folder : options.real) {
    const data::Dataset dataset = data::read_dataset(folder);
    check_splits(dataset);
    training.push_back(data::training_images(dataset));
    report.training_images += std::ssize(training.back().images);
    report.real.push_back(dataset.name);
    data::Dataset test = data::real_images(dataset, "test");
    if (test.images.empty()) continue;
    check_painters(made, dataset);
    unseen.push_back(std::move(test));
  }
  const std::vector<Json> cards = data::painters_cards(made.provenance);
  report.told = !cards.empty();
  for (const Json& card : cards) {
    for (std::string& name : datasets_learned(card)) {
      if (std::ranges::find(report.not_searched, name) == report.not_searched.end()) {
        report.not_searched.push_back(std::move(name));
      }
    }
  }
  std::erase_if(report.not_searched,
                [&](const std::string& name) { return std::ranges::find(report.real, name) != report.real.end(); });
  const data::PackedSamples packed(training, "train");
  // The best of many windows is more alike than the best of few: unseen images show no more of themselves.
  int extent = options.crop;
  for (const data::ImageRecord& image : painted.images) extent = std::max({extent, image.width, image.height});
  report.painted =
      neighbours_of(windows_of({painted}, options.made_split, options.crop, options.limit, extent), packed.reader());
  if (!unseen.empty()) {
    report.unseen = neighbours_of(windows_of(unseen, "test", options.crop, options.limit, extent), packed.reader());
  }
  report.seconds = watch.seconds();
  report.peak_memory = peak_memory_bytes();
  return report;
}

}  // namespace terragen::evaluation
