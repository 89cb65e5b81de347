#include "terragen/synthesis/augment.h"

#include <algorithm>
#include <cmath>
#include <format>
#include <functional>
#include <set>

#include "terragen/core/error.h"
#include "terragen/core/interrupt.h"
#include "terragen/core/json_file.h"
#include "terragen/core/progress.h"
#include "terragen/core/require_share.h"
#include "terragen/core/stopwatch.h"
#include "terragen/data/dataset_hash.h"
#include "terragen/data/packed_samples.h"
#include "terragen/shards/augment.h"
#include "terragen/synthesis/augmented_dataset.h"
#include "terragen/synthesis/copy_paste.h"
#include "terragen/synthesis/dataset_parts.h"
#include "terragen/synthesis/distortion.h"
#include "terragen/synthesis/layout_score.h"
#include "terragen/synthesis/painting_condition.h"
#include "terragen/tensor/flop_counter.h"

namespace terragen::synthesis {
namespace {

namespace fs = std::filesystem;

// What a run that is stopped loses at most, and what is painted together: memory does not grow with the dataset.
constexpr std::size_t kImagesAPart = 64;

// New images [first, last), counted image by image and copy by copy.
struct Portion {
  std::size_t first = 0;
  std::size_t last = 0;
};

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

// What of one kind of work was spent on some images, and what it gave. Seconds and operations of the judge are its own.
struct Work {
  double make_seconds = 0;
  double judge_seconds = 0;
  double make_flops = 0;
  double judge_flops = 0;
  std::vector<std::string> stems;  // in the order in which the images were made
  std::vector<double> scores;      // of the judge, in the same order
};

Json to_json(const Work& work) {
  return {{"make_seconds", work.make_seconds},
          {"judge_seconds", work.judge_seconds},
          {"make_flops", work.make_flops},
          {"judge_flops", work.judge_flops},
          {"stems", work.stems},
          {"scores", work.scores}};
}

Work work_from_json(const Json& json, const std::string& place) {
  return {json_member<double>(json, "make_seconds", place),
          json_member<double>(json, "judge_seconds", place),
          json_member<double>(json, "make_flops", place),
          json_member<double>(json, "judge_flops", place),
          json_member<std::vector<std::string>>(json, "stems", place),
          json_member<std::vector<double>>(json, "scores", place)};
}

void paint_portion(const shards::ShardReader& real, Painter& painter, const AugmentOptions& options, Portion range,
                   const Made& made) {
  const models::ModelFolder& model = painter.model();
  const std::vector<int> numbers =
      class_numbers(real.set().taxonomy, model.layout_encoder->config().taxonomy, "the model");
  const auto copies = static_cast<std::size_t>(options.per_image);
  std::vector<std::pair<std::size_t, Variation>> portion;
  for (std::size_t k = range.first; k < range.last; ++k) {
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

void alter_portion(const shards::ShardReader& real, const AugmentOptions& options, Portion range, const Made& made) {
  const shards::AugmentOptions window{.crop = options.variation.size, .scale_jitter = 1.25};
  const auto copies = static_cast<std::size_t>(options.per_image);
  for (std::size_t k = range.first; k < range.last; ++k) {
    const std::size_t i = k / copies;
    const int copy = static_cast<int>(k % copies);
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

// Everything that the portions of one call share.
class DatasetAugmenter {
 public:
  DatasetAugmenter(const data::Dataset& dataset, Painter* painter, const models::PerceptionInference* judge,
                   const AugmentOptions& options)
      : dataset_(dataset),
        options_(options),
        painter_(options.method == "terragen" ? painter : nullptr),
        judge_(judge),
        empty_(dataset),
        stems_(dataset),
        training_(data::training_images(dataset)),
        packed_({training_}, "train") {
    empty_.images.clear();
    empty_.problems.clear();
    empty_.provenance = {};
    if (painter_ != nullptr) check_painter(painter_->model(), packed_.reader().set(), options.variation.size);
    if (judge_ != nullptr) {
      check_bands(judge_->model().config.images, "the judge", packed_.reader().set(), dataset.name);
      judged_ = class_numbers(dataset.taxonomy, judge_->model().config.taxonomy, "the judge");
    }
    settings_ = settings();
  }

  AugmentSummary run(const fs::path& output) {
    const DatasetParts parts(output, settings_);
    const auto total = training_.images.size() * static_cast<std::size_t>(options_.per_image);
    Progress progress(painter_ != nullptr ? "painting" : "making", static_cast<std::int64_t>(total));
    std::vector<data::Dataset> made;
    Work all;
    for (Portion range; range.first < total; range.first = range.last) {
      range.last = std::min(range.first + kImagesAPart, total);
      bool is_new = false;
      const fs::path folder = parts.part(std::format("{:07}", range.first), [&](const fs::path& part) {
        is_new = true;
        make_portion(range, part, progress);
      });
      if (!is_new) progress.resume_at(static_cast<std::int64_t>(range.last));
      made.push_back(data::read_dataset(folder));
      add(all, work_from_json(made.back().provenance.at("augmented"), folder.string()));
      made.back().provenance = {};
    }
    AugmentedDataset result(dataset_, options_.keep_real, output);
    for (const data::Dataset& part : made) result.adopt(part);
    AugmentSummary summary{.real = dataset_.images.size()};
    finish(result, all, summary);
    parts.remove();
    return summary;
  }

 private:
  // What decides the new images. Which of them are rejected is decided when all are made.
  Json settings() const {
    Json settings = {{"method", options_.method},
                     {"per_image", options_.per_image},
                     {"seed", options_.seed},
                     {"variation", to_json(options_.variation)},
                     {"dataset_sha256", data::dataset_hash(dataset_)}};
    if (painter_ != nullptr) {
      settings["model_sha256"] = painter_->model().hash;
      settings["painted"] = to_json(painter_->options());
    }
    if (judge_ != nullptr) settings["judge_sha256"] = judge_->model().hash;
    return settings;
  }

  void make_portion(Portion range, const fs::path& folder, Progress& progress) {
    Work work;
    AugmentedDataset part(empty_, false, folder);
    const Stopwatch watch;
    const tensor::FlopCounter flops;
    const Made made = [&](std::size_t image, int copy, const shards::Sample& sample) {
      if (interrupt_requested()) throw Interrupted("stopped while augmenting");
      const std::string name = fs::path(training_.images[image].file_name).stem().string();
      work.stems.push_back(stems_.free(std::format("{}_{:05}_{}_{}", options_.method, image, name, copy)));
      if (judge_ != nullptr) {
        const Stopwatch judging;
        const double before = flops.count();
        work.scores.push_back(layout_score(*judge_, sample.image, renumbered(sample.layout, judged_)));
        work.judge_seconds += judging.seconds();
        work.judge_flops += flops.count() - before;
      }
      part.add(work.stems.back(), sample);
      progress.advance();
    };
    if (painter_ != nullptr) {
      paint_portion(packed_.reader(), *painter_, options_, range, made);
    } else {
      alter_portion(packed_.reader(), options_, range, made);
    }
    work.make_seconds = watch.seconds() - work.judge_seconds;
    work.make_flops = flops.count() - work.judge_flops;
    part.finish(to_json(work));
  }

  static void add(Work& all, const Work& part) {
    all.make_seconds += part.make_seconds;
    all.judge_seconds += part.judge_seconds;
    all.make_flops += part.make_flops;
    all.judge_flops += part.judge_flops;
    all.stems.insert(all.stems.end(), part.stems.begin(), part.stems.end());
    all.scores.insert(all.scores.end(), part.scores.begin(), part.scores.end());
  }

  void finish(AugmentedDataset& result, const Work& all, AugmentSummary& summary) const {
    summary.made = all.stems.size();
    summary.make_seconds = all.make_seconds;
    summary.judge_seconds = all.judge_seconds;
    summary.make_flops = all.make_flops;
    summary.judge_flops = all.judge_flops;
    for (const double score : all.scores) summary.mean_score += score / static_cast<double>(all.scores.size());
    std::set<std::string> worst;
    for (const std::size_t i : rejected(all.scores, summary)) worst.insert(all.stems[i]);
    result.remove(worst);
    summary.rejected = worst.size();
    Json provenance = settings_;
    provenance.update({{"made", summary.made}, {"rejected", summary.rejected}});
    if (painter_ != nullptr) provenance["model_card"] = painter_->model().card;
    if (judge_ != nullptr) {
      provenance["threshold"] = summary.threshold;
      for (std::size_t i = 0; i < all.stems.size(); ++i) provenance["scores"][all.stems[i]] = all.scores[i];
    }
    result.finish(provenance);
  }

  // Which images go, by the score that the options ask for.
  std::vector<std::size_t> rejected(const std::vector<double>& scores, AugmentSummary& summary) const {
    if (!options_.least_score) {
      if (options_.reject_share > 0) summary.threshold = rejection_threshold(scores, options_.reject_share);
      return lowest_share(scores, options_.reject_share);
    }
    summary.threshold = *options_.least_score;
    std::vector<std::size_t> worst;
    for (std::size_t i = 0; i < scores.size(); ++i) {
      if (scores[i] < summary.threshold) worst.push_back(i);
    }
    return worst;
  }

  const data::Dataset& dataset_;
  const AugmentOptions& options_;
  Painter* painter_;
  const models::PerceptionInference* judge_;
  data::Dataset empty_;  // the dataset's kind, without its images and what is told of them
  ImageStems stems_;
  data::Dataset training_;
  data::PackedSamples packed_;
  std::vector<int> judged_;  // the dataset's classes among the judge's
  Json settings_;
};

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
  if (options.method == "terragen" && painter == nullptr) {
    throw RequestError("painting needs a model", "name one with --model");
  }
  if ((options.least_score || options.reject_share > 0) && judge == nullptr) {
    throw RequestError("only a judge can reject images", "name a trained segmenter or detector with --judge");
  }
  return DatasetAugmenter(dataset, painter, judge, options).run(output);
}

}  // namespace terragen::synthesis
