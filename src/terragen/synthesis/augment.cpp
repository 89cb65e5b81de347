#include "terragen/synthesis/augment.h"

#include <algorithm>
#include <cmath>
#include <format>
#include <functional>

#include "terragen/core/error.h"
#include "terragen/core/interrupt.h"
#include "terragen/core/progress.h"
#include "terragen/core/require_share.h"
#include "terragen/core/stopwatch.h"
#include "terragen/data/packed_samples.h"
#include "terragen/shards/augment.h"
#include "terragen/synthesis/augmented_dataset.h"
#include "terragen/synthesis/copy_paste.h"
#include "terragen/synthesis/distortion.h"
#include "terragen/synthesis/layout_score.h"
#include "terragen/synthesis/painting_condition.h"
#include "terragen/tensor/flop_counter.h"

namespace terragen::synthesis {
namespace {

using Made = std::function<void(std::size_t image, int copy, const shards::Sample&)>;

// Every new image has draws of its own.
Random random_of(std::uint64_t seed, std::size_t image, int copy) {
  return Random(derive_seed(derive_seed(seed, image), static_cast<std::uint64_t>(copy)));
}

std::string told(const Variation& variation, std::uint64_t seed) {
  if (variation.whole)
    return std::format("painted from a variation of the layout of {}, seed {}", variation.sample.source, seed);
  if (variation.repaint.defined())
    return std::format("objects painted into {}, seed {}", variation.sample.source, seed);
  return std::format("painted over {} with strength {:.1f}, seed {}", variation.sample.source, variation.strength,
                     seed);
}

void paint_all(const shards::ShardReader& real, Painter& painter, const AugmentOptions& options, const Made& made) {
  check_painter(painter.model(), real.set(), options.variation.size);
  const models::ModelFolder& model = painter.model();
  const std::vector<int> numbers =
      class_numbers(real.set().taxonomy, model.layout_encoder->config().taxonomy, "the model");
  const auto copies = static_cast<std::size_t>(options.per_image);
  const std::size_t total = real.size() * copies;
  // Painted in portions, so that memory does not grow with the dataset.
  constexpr std::size_t kPortion = 64;
  for (std::size_t first = 0; first < total; first += kPortion) {
    std::vector<std::pair<std::size_t, Variation>> portion;
    for (std::size_t k = first; k < std::min(first + kPortion, total); ++k) {
      Random random = random_of(options.seed, k / copies, static_cast<int>(k % copies));
      Variation variation = varied(real, k / copies, options.variation, random);
      if (variation.painted) {
        portion.emplace_back(k, std::move(variation));
      } else {
        variation.sample.source = "made of " + variation.sample.source;
        made(k / copies, static_cast<int>(k % copies), variation.sample);
      }
    }
    // Images of one strength are painted together.
    std::ranges::stable_sort(portion, {},
                             [](const auto& item) { return std::pair(item.second.whole, item.second.strength); });
    std::vector<PaintRequest> requests;
    for (const auto& [k, variation] : portion) {
      PaintRequest request{painting_condition(renumbered(variation.sample.layout, numbers), model),
                           derive_seed(options.seed + 1, k),
                           {},
                           variation.strength,
                           variation.repaint};
      if (!variation.whole) request.image = variation.sample.image;
      requests.push_back(std::move(request));
    }
    painter.paint(requests, [&](std::size_t index, const torch::Tensor& image) {
      const auto& [k, variation] = portion[index];
      shards::Sample sample = variation.sample;
      sample.image = image;
      sample.source = told(variation, requests[index].seed);
      made(k / copies, static_cast<int>(k % copies), sample);
    });
  }
}

void alter_all(const shards::ShardReader& real, const AugmentOptions& options, const Made& made) {
  const shards::AugmentOptions window{.crop = options.variation.size, .scale_jitter = 1.25};
  for (std::size_t i = 0; i < real.size(); ++i) {
    for (int copy = 0; copy < options.per_image; ++copy) {
      if (interrupt_requested()) throw Interrupted("stopped; nothing was written");
      Random random = random_of(options.seed, i, copy);
      const shards::Sample sample = real.get(i);
      if (options.method == "photometric") {
        made(i, copy, photometric_distortion(sample, random));
      } else if (options.method == "geometric") {
        made(i, copy, geometric_distortion(sample, random));
      } else {
        const auto other = static_cast<std::size_t>(random.below(static_cast<std::int64_t>(real.size())));
        const shards::Sample target = shards::augment(sample, window, random);
        const shards::Sample source = shards::augment(real.get(other), window, random);
        made(i, copy, copy_paste(target, source, random));
      }
    }
  }
}

}  // namespace

void AugmentOptions::validate() const {
  if (method != "terragen" && method != "copy-paste" && method != "photometric" && method != "geometric") {
    throw RequestError(std::format("the method \"{}\" is not known", method),
                       "choose terragen, copy-paste, photometric or geometric");
  }
  if (per_image < 1) throw RequestError(std::format("{} new images an image are not possible", per_image));
  if (least_score) require_share("least_score", *least_score);
  if (!(reject_share >= 0 && reject_share < 1)) {
    throw RequestError(std::format("reject_share is {}, not in [0, 1)", reject_share));
  }
  if (least_score && reject_share > 0) {
    throw RequestError("least_score and reject_share are two ways to set one threshold", "give one of them");
  }
  variation.validate();
}

AugmentSummary augment_dataset(const data::Dataset& dataset, Painter* painter, const models::PerceptionInference* judge,
                               const AugmentOptions& options, const std::filesystem::path& output) {
  options.validate();
  const bool paints = options.method == "terragen";
  if (paints && painter == nullptr) throw RequestError("painting needs a model", "name one with --model");
  const bool rejects = options.least_score || options.reject_share > 0;
  if (rejects && judge == nullptr) {
    throw RequestError("only a judge can reject images", "name a trained segmenter or detector with --judge");
  }
  const data::Dataset training = data::training_images(dataset);
  const data::PackedSamples packed({training}, "train");
  const shards::ShardReader& real = packed.reader();
  std::vector<int> judged;
  if (judge != nullptr) {
    if (judge->model().config.images.bands.size() != dataset.bands.size()) {
      throw RequestError("the judge is for another number of bands than the dataset has");
    }
    judged = class_numbers(dataset.taxonomy, judge->model().config.taxonomy, "the judge");
  }

  AugmentSummary summary{.real = dataset.images.size()};
  AugmentedDataset result(dataset, options.keep_real, output);
  std::vector<std::string> stems;
  std::vector<double> scores;
  Progress progress(paints ? "painting" : "making", std::ssize(training.images) * options.per_image);
  const Stopwatch watch;
  const tensor::FlopCounter flops;
  const Made made = [&](std::size_t image, int copy, const shards::Sample& sample) {
    const std::string name = std::filesystem::path(training.images[image].file_name).stem().string();
    stems.push_back(free_stem(dataset, std::format("{}_{:05}_{}_{}", options.method, image, name, copy)));
    if (judge != nullptr) {
      const Stopwatch judging;
      const double before = flops.count();
      scores.push_back(layout_score(*judge, sample.image, renumbered(sample.layout, judged)));
      summary.judge_seconds += judging.seconds();
      summary.judge_flops += flops.count() - before;
    }
    result.add(stems.back(), sample);
    progress.advance();
  };
  if (paints) {
    paint_all(real, *painter, options, made);
  } else {
    alter_all(real, options, made);
  }
  summary.made = stems.size();
  summary.make_seconds = watch.seconds() - summary.judge_seconds;
  summary.make_flops = flops.count() - summary.judge_flops;
  for (const double score : scores) summary.mean_score += score / static_cast<double>(scores.size());
  if (rejects) {
    summary.threshold = options.least_score ? *options.least_score : rejection_threshold(scores, options.reject_share);
    std::vector<std::size_t> worst;
    if (options.least_score) {
      for (std::size_t i = 0; i < scores.size(); ++i) {
        if (scores[i] < summary.threshold) worst.push_back(i);
      }
    } else {
      worst = lowest_share(scores, options.reject_share);
    }
    for (const std::size_t i : worst) result.remove(stems[i]);
    summary.rejected = static_cast<decltype(summary.rejected)>(worst.size());
  }
  Json provenance = {{"method", options.method}, {"per_image", options.per_image},
                     {"seed", options.seed},     {"variation", to_json(options.variation)},
                     {"made", summary.made},     {"rejected", summary.rejected}};
  if (paints) {
    provenance["model_sha256"] = painter->model().hash;
    provenance["model_card"] = painter->model().card;
    provenance["painted"] = to_json(painter->options());
  }
  if (judge != nullptr) {
    provenance["judge_sha256"] = judge->model().hash;
    provenance["threshold"] = summary.threshold;
    for (std::size_t i = 0; i < stems.size(); ++i) provenance["scores"][stems[i]] = scores[i];
  }
  result.finish(provenance);
  return summary;
}

}  // namespace terragen::synthesis
