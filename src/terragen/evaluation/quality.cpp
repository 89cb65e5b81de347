#include "terragen/evaluation/quality.h"

#include <algorithm>
#include <format>

#include "terragen/core/error.h"
#include "terragen/core/interrupt.h"
#include "terragen/core/memory.h"
#include "terragen/core/progress.h"
#include "terragen/core/seed.h"
#include "terragen/core/stopwatch.h"
#include "terragen/data/packed_samples.h"
#include "terragen/data/painters_card.h"
#include "terragen/evaluation/feature_network.h"
#include "terragen/evaluation/leak_check.h"
#include "terragen/evaluation/model_card.h"
#include "terragen/evaluation/sample_pictures.h"
#include "terragen/shards/augment.h"
#include "terragen/tensor/device.h"

namespace terragen::evaluation {
namespace {

constexpr int kSubsets = 100;
constexpr std::int64_t kMostInSubset = 1000;
constexpr std::int64_t kLeastVectors = 4;  // for three neighbours
constexpr std::int64_t kAtOnce = 16;       // images
constexpr std::int64_t kShownImages = 8;

enum QualityStream : std::uint64_t { kHalves, kSubsetRows };

// Features of one set of images, and a few of its crops to be shown.
struct FeatureSet {
  std::vector<torch::Tensor> features;
  std::vector<torch::Tensor> shown;
};

void check_fits(const shards::ShardSet& set, const std::string& name, const FeatureNetwork& network) {
  if (std::ssize(set.bands) != network.bands()) {
    throw RequestError(
        std::format("the network of the features is for {} bands, {} has {}", network.bands(), name, set.bands.size()));
  }
  static const std::vector<std::string> kColours{"red", "green", "blue"};
  if (network.is_inception() && !std::ranges::equal(set.bands, kColours, {}, &shards::ShardBand::name)) {
    throw RequestError(std::format("FID is of red, green and blue, in this order; {} has other bands", name));
  }
}

void add_features(const data::Dataset& dataset, const std::string& split, int crop, const FeatureNetwork& network,
                  FeatureSet& result) {
  const data::PackedSamples packed({dataset}, split);
  const shards::ShardReader& reader = packed.reader();
  check_fits(reader.set(), dataset.name, network);
  const auto count = static_cast<std::int64_t>(reader.size());
  const std::int64_t shown = std::min(kShownImages, count);
  std::vector<torch::Tensor> crops;
  Progress progress("looking at " + dataset.name, count);
  for (std::int64_t i = 0; i < count; ++i) {
    if (interrupt_requested()) throw Interrupted("stopped; nothing was written");
    const shards::Sample sample = reader.get(static_cast<std::size_t>(i));
    if (std::min(sample.layout.width, sample.layout.height) < crop) {
      throw RequestError(std::format("{} is of {}x{} pixels, less than the crop of {}", sample.source,
                                     sample.layout.width, sample.layout.height, crop),
                         "choose a smaller --crop");
    }
    crops.push_back(shards::centre_crop(sample, crop).image);
    if (i * shown / count != (i + 1) * shown / count) result.shown.push_back(crops.back());
    if (std::ssize(crops) == kAtOnce || i + 1 == count) {
      result.features.push_back(network.features(torch::stack(crops)));
      crops.clear();
    }
    progress.advance();
  }
}

void check_count(std::int64_t count, std::int64_t least, const std::string& what) {
  if (count >= least) return;
  throw RequestError(std::format("{} {} images are too few to be compared, {} are needed", count, what, least));
}

Canvas rows_of(const FeatureSet& made, const FeatureSet& real) {
  const auto row = [](const std::vector<torch::Tensor>& shown) {
    const std::size_t count = std::min<std::size_t>(kShownImages, shown.size());
    std::vector<torch::Tensor> spread;
    for (std::size_t i = 0; i < count; ++i) spread.push_back(shown[i * shown.size() / count]);
    return torch::stack(spread);
  };
  return image_rows({row(made.shown), row(real.shown)});
}

}  // namespace

void QualityOptions::validate() const {
  if (real.empty()) throw RequestError("no real images are named");
  if (crop < 32) throw RequestError(std::format("crops of {} pixels are too small", crop));
}

SetDistance set_distance(const torch::Tensor& made, const torch::Tensor& real, std::uint64_t seed) {
  check_count(made.size(0), kLeastVectors, "painted");
  check_count(real.size(0), kLeastVectors, "real");
  const std::int64_t size = std::min({kMostInSubset, made.size(0) / 2, real.size(0) / 2});
  return {.made = made.size(0),
          .real = real.size(0),
          .frechet = metrics::frechet_distance(metrics::feature_statistics(made), metrics::feature_statistics(real)),
          .kernel = metrics::kernel_distance(made, real, kSubsets, size, derive_seed(seed, kSubsetRows)),
          .among = metrics::precision_recall(made, real)};
}

SetDistance half_distance(const torch::Tensor& real, std::uint64_t seed) {
  check_count(real.size(0), 2 * kLeastVectors, "real");
  Random random(derive_seed(seed, kHalves));
  std::vector<std::int64_t> rows(static_cast<std::size_t>(real.size(0)));
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<std::int64_t>(i);
  shuffle(rows, random);
  const torch::Tensor shuffled = real.index_select(0, torch::tensor(rows));
  return set_distance(shuffled.slice(0, 0, real.size(0) / 2), shuffled.slice(0, real.size(0) / 2), seed);
}

QualityReport evaluate_quality(const QualityOptions& options) {
  options.validate();
  tensor::set_threads(options.threads);
  const Stopwatch watch;
  const FeatureNetwork network(options.features, options.device);
  const data::Dataset made = data::read_dataset(options.made);
  QualityReport report{.made = made.name,
                       .split = options.split,
                       .made_split = options.made_split,
                       .crop = options.crop,
                       .network = network.name(),
                       .network_hash = network.hash()};
  report.frechet_name = network.frechet_name();
  report.kernel_name = network.kernel_name();
  report.fid = network.is_inception();
  report.dimensions = network.dimensions();
  report.told = !data::painters_cards(made.provenance).empty();
  std::vector<data::Dataset> sets;
  std::int64_t count = 0;
  for (const std::filesystem::path& folder : options.real) {
    const data::Dataset dataset = data::read_dataset(folder);
    if (options.split == "test") {
      check_splits(dataset);
      if (!network.is_inception()) check_model(network.card(), options.features.string(), dataset);
      check_painters(made, dataset);
    }
    sets.push_back(data::real_images(dataset, options.split));
    count += std::ssize(sets.back().images);
    report.real.push_back(dataset.name);
  }
  const data::Dataset painted = data::painted_images(made, options.made_split);
  report.left_out = std::ranges::count(made.images, options.made_split,
                                       [](const data::ImageRecord& image) { return data::split_name(image.split); }) -
                    std::ssize(painted.images);
  check_count(std::ssize(painted.images), kLeastVectors, "painted");
  check_count(count, 2 * kLeastVectors, "real");

  FeatureSet of_made;
  FeatureSet of_real;
  add_features(painted, options.made_split, options.crop, network, of_made);
  for (const data::Dataset& dataset : sets) add_features(dataset, options.split, options.crop, network, of_real);
  const torch::Tensor real = torch::cat(of_real.features);
  report.painted = set_distance(torch::cat(of_made.features), real, options.seed);
  report.floor = half_distance(real, options.seed);
  report.pictures.emplace_back(rows_of(of_made, of_real), "Above painted images, below real ones, in no relation.");
  report.seconds = watch.seconds();
  report.peak_memory = peak_memory_bytes();
  return report;
}

}  // namespace terragen::evaluation
