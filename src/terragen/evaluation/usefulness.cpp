#include "terragen/evaluation/usefulness.h"

#include <algorithm>
#include <cmath>
#include <format>
#include <functional>
#include <memory>
#include <optional>
#include <set>

#include "terragen/core/error.h"
#include "terragen/core/interrupt.h"
#include "terragen/core/memory.h"
#include "terragen/core/run_settings.h"
#include "terragen/data/dataset_hash.h"
#include "terragen/data/packed_samples.h"
#include "terragen/data/packing.h"
#include "terragen/evaluation/adopted_cells.h"
#include "terragen/evaluation/leak_check.h"
#include "terragen/evaluation/perception.h"
#include "terragen/evaluation/perception_training.h"
#include "terragen/synthesis/layout_score.h"
#include "terragen/synthesis/painting_condition.h"

namespace terragen::evaluation {
namespace {

namespace fs = std::filesystem;

const std::set<std::string> kPainted{"terragen", "terragen-unfiltered"};
const std::set<std::string> kAltered{"copy-paste", "photometric", "geometric"};

bool is_labelled(const data::ImageRecord& image) { return !image.features.empty() || image.mask_name; }

// The training images of one subset: all, or `tiles` that show something, drawn by `seed`; those of a larger subset of
// the same seed hold those of a smaller one.
data::Dataset training_subset(const data::Dataset& dataset, int tiles, int seed) {
  data::Dataset subset = data::training_images(dataset);
  if (tiles == 0) return subset;
  std::erase_if(subset.images, std::not_fn(is_labelled));
  if (std::ssize(subset.images) < tiles) {
    throw RequestError(
        std::format("{} has {} labelled training images, not {}", dataset.name, subset.images.size(), tiles));
  }
  Random random(derive_seed(0x7A9E, static_cast<std::uint64_t>(seed)));
  shuffle(subset.images, random);
  subset.images.resize(static_cast<std::size_t>(tiles));
  return subset;
}

// What paints for one dataset.
fs::path generator_of(const UsefulnessOptions& options, const data::Dataset& dataset) {
  const auto own = options.models.find(dataset.name);
  return own == options.models.end() ? options.model : own->second;
}

// One dataset under the protocol. Everything that several cells need is made once.
class Protocol {
 public:
  // generator_sha256: empty where nothing is painted.
  Protocol(const UsefulnessOptions& options, fs::path output, const data::Dataset& dataset,
           std::string generator_sha256)
      : options_(options),
        output_(std::move(output)),
        dataset_(dataset),
        dataset_sha256_(data::dataset_hash(dataset)),
        generator_sha256_(std::move(generator_sha256)),
        detector_(dataset.task == "detection"),
        test_({data::real_images(dataset, "test")}, "test") {}

  // Whether a cell was measured with this dataset and generator.
  bool owns(const UsefulnessCell& cell) const {
    return cell.dataset == dataset_.name && cell.dataset_sha256 == dataset_sha256_ &&
           cell.generator_sha256 == generator_of_method(cell.method);
  }

  UsefulnessCell cell(int tiles, int seed, const std::string& method) {
    const fs::path file = output_ / "cells" / (name_of(tiles, seed, method) + ".json");
    if (fs::exists(file)) {
      UsefulnessCell kept = usefulness_cell_from_json(read_json(file), file.string());
      require_same_hash(file, "dataset", kept.dataset_sha256, dataset_sha256_);
      require_same_hash(file, "generator", kept.generator_sha256, generator_of_method(method));
      return kept;
    }
    UsefulnessCell cell{
        .dataset = dataset_.name, .task = dataset_.task, .tiles = tiles, .seed = seed, .method = method};
    cell.dataset_sha256 = dataset_sha256_;
    cell.generator_sha256 = generator_of_method(method);
    cell.measure = detector_ ? "AP50" : "mIoU";
    std::vector<data::Dataset> training{training_subset(dataset_, tiles, seed)};
    cell.real_images = static_cast<int>(training.front().images.size());
    if (kAltered.contains(method)) training.push_back(altered(training.front(), tiles, seed, method, cell));
    if (kPainted.contains(method)) training.push_back(painted(training.front(), tiles, seed, method, cell));
    const TrainingCost cost = train_perception(training, options_.train, model_of(tiles, seed, method), seed_of(seed));
    cell.train_seconds = cost.seconds;
    cell.train_flops = cost.flops;
    test(tiles, seed, method, cell);
    cell.peak_memory = peak_memory_bytes();
    write_json(file, to_json(cell));
    return cell;
  }

 private:
  std::string generator_of_method(const std::string& method) const {
    return kPainted.contains(method) ? generator_sha256_ : std::string();
  }
  std::string name_of(int tiles, int seed, const std::string& method) const {
    return cell_name({.dataset = dataset_.name, .tiles = tiles, .seed = seed, .method = method});
  }
  fs::path model_of(int tiles, int seed, const std::string& method) const {
    return output_ / "models" / name_of(tiles, seed, method);
  }
  int per_image(const data::Dataset& real) const {
    return std::max(
        1, (options_.painted + static_cast<int>(real.images.size()) / 2) / static_cast<int>(real.images.size()));
  }

  // What new images are made from: no more real ones than new ones are wanted.
  data::Dataset sources_of(const data::Dataset& real, int seed) const {
    data::Dataset sources = real;
    if (std::ssize(sources.images) <= options_.painted) return sources;
    Random random(derive_seed(0x50CE, seed_of(seed)));
    shuffle(sources.images, random);
    sources.images.resize(static_cast<std::size_t>(options_.painted));
    return sources;
  }

  data::Dataset altered(const data::Dataset& real, int tiles, int seed, const std::string& method,
                        UsefulnessCell& cell) const {
    const fs::path folder = output_ / "made" / name_of(tiles, seed, method);
    fs::remove_all(folder);
    synthesis::AugmentOptions augment{.method = method,
                                      .per_image = per_image(real),
                                      .seed = seed_of(seed),
                                      .variation = options_.variation,
                                      .keep_real = false};
    fs::create_directories(folder.parent_path());
    const auto summary = synthesis::augment_dataset(sources_of(real, seed), nullptr, nullptr, augment, folder);
    cell.made = static_cast<int>(summary.made);
    cell.make_seconds = summary.make_seconds;
    return data::read_dataset(folder);
  }

  // The model trained on real images alone; trained again where only its figures were adopted.
  fs::path judge_of(int tiles, int seed) {
    cell(tiles, seed, "real");
    const fs::path run = model_of(tiles, seed, "real");
    if (!fs::exists(run / "model")) {
      train_perception({training_subset(dataset_, tiles, seed)}, options_.train, run, seed_of(seed));
    }
    return run / "model";
  }

  // The filtered and the unfiltered images are the same ones.
  data::Dataset painted(const data::Dataset& real, int tiles, int seed, const std::string& method,
                        UsefulnessCell& cell) {
    const fs::path folder = output_ / "made" / name_of(tiles, seed, "terragen");
    const fs::path costs = folder.string() + ".json";
    if (!fs::exists(costs)) {
      fs::remove_all(folder);
      fs::create_directories(folder.parent_path());
      const models::PerceptionInference judge(models::load_perception_model(judge_of(tiles, seed)),
                                              options_.train.compute);
      synthesis::Painter painter(models::load_model(generator_of(options_, dataset_)), options_.paint);
      const synthesis::AugmentOptions augment{
          .per_image = per_image(real), .seed = seed_of(seed), .variation = options_.variation, .keep_real = false};
      const auto summary = synthesis::augment_dataset(sources_of(real, seed), &painter, &judge, augment, folder);
      write_json(costs, {{"make_seconds", summary.make_seconds},
                         {"judge_seconds", summary.judge_seconds},
                         {"made", summary.made},
                         {"make_flops", summary.make_flops},
                         {"judge_flops", summary.judge_flops},
                         {"dataset_sha256", dataset_sha256_},
                         {"generator_sha256", generator_sha256_}});
    }
    const Json cost = read_json(costs);
    require_same_hash(costs, "dataset", json_member<std::string>(cost, "dataset_sha256", costs.string()),
                      dataset_sha256_);
    require_same_hash(costs, "generator", json_member<std::string>(cost, "generator_sha256", costs.string()),
                      generator_sha256_);
    cell.make_seconds = json_member<double>(cost, "make_seconds", costs.string());
    cell.judge_seconds = json_member<double>(cost, "judge_seconds", costs.string());
    cell.make_flops = json_member<double>(cost, "make_flops", costs.string());
    cell.judge_flops = json_member<double>(cost, "judge_flops", costs.string());
    cell.made = json_member<int>(cost, "made", costs.string());
    data::Dataset result = data::read_dataset(folder);
    if (method == "terragen-unfiltered" || options_.reject_share == 0) return result;
    return filtered(std::move(result), cell);
  }

  data::Dataset filtered(data::Dataset made, UsefulnessCell& cell) const {
    const Json& scores = made.provenance.at("augmented").at("scores");
    std::vector<std::string> stems;
    std::vector<double> all;
    for (const auto& [stem, score] : scores.items()) {
      stems.push_back(stem);
      all.push_back(score.get<double>());
    }
    cell.threshold = synthesis::rejection_threshold(all, options_.reject_share);
    std::set<std::string> worst;
    for (const std::size_t i : synthesis::lowest_share(all, options_.reject_share)) worst.insert(stems[i]);
    cell.rejected = static_cast<int>(std::erase_if(made.images, [&](const data::ImageRecord& image) {
      return worst.contains(fs::path(image.file_name).stem().string());
    }));
    return made;
  }

  void test(int tiles, int seed, const std::string& method, UsefulnessCell& cell) const {
    const auto report = evaluate_perception(models::load_perception_model(model_of(tiles, seed, method) / "model"),
                                            test_.reader(), "test", options_.train.compute);
    cell.test_seconds = report.seconds;
    cell.score = report.score();
    const auto classes = static_cast<std::size_t>(dataset_.taxonomy.size());
    for (std::size_t k = 0; k < classes; ++k) cell.classes[report.classes[k]] = report.class_score(k);
  }

  static std::uint64_t seed_of(int seed) { return static_cast<std::uint64_t>(seed); }

  const UsefulnessOptions& options_;
  const fs::path output_;
  const data::Dataset& dataset_;
  const std::string dataset_sha256_;
  const std::string generator_sha256_;
  const bool detector_;
  const data::PackedSamples test_;
};

// All that would otherwise end a run after hours: splits that leak, too few images, a network of the wrong kind.
void check_dataset(const UsefulnessOptions& options, const data::Dataset& dataset) {
  check_splits(dataset);
  for (const int tiles : options.tiles) training_subset(dataset, tiles, 0);
  const data::Dataset tested = data::real_images(dataset, "test");
  if (std::ranges::none_of(tested.images, is_labelled)) {
    throw RequestError(std::format("{} has no labelled test images", dataset.name));
  }
  const std::string& architecture = options.train.architecture;
  const std::string kind = models::PerceptionConfig{.architecture = architecture}.kind();
  const std::string needed = dataset.task == "detection" ? "detector" : "segmenter";
  if (!architecture.empty() && kind != needed) {
    throw RequestError(std::format("{} needs a {}, which {} is not", dataset.name, needed, architecture),
                       "run datasets of other tasks by themselves");
  }
}

// Names are what cells and generators are found by.
void check_names(const UsefulnessOptions& options, const std::vector<data::Dataset>& datasets) {
  std::set<std::string> names;
  for (const data::Dataset& dataset : datasets) {
    if (!names.insert(dataset.name).second) {
      throw RequestError(std::format("two datasets are called {}", dataset.name));
    }
  }
  for (const auto& [name, model] : options.models) {
    if (names.contains(name)) continue;
    throw RequestError(std::format("a model is named for the dataset {}, which is not there", name));
  }
}

// What cells of one output folder must have in common.
Json common_settings(const UsefulnessOptions& options) {
  return {{"train", training_recipe(options.train)},
          {"painted", options.painted},
          {"reject_share", options.reject_share},
          {"variation", synthesis::to_json(options.variation)},
          {"painting", synthesis::to_json(options.paint)}};
}

}  // namespace

void UsefulnessOptions::validate() const {
  if (datasets.empty()) throw RequestError("no datasets are named");
  if (methods.empty() || tiles.empty()) throw RequestError("no method, or no number of training images, is named");
  if (seeds < 1) throw RequestError(std::format("{} seeds are not possible", seeds));
  if (painted < 1) throw RequestError(std::format("{} new images are not possible", painted));
  if (!(reject_share >= 0 && reject_share < 1)) {
    throw RequestError(std::format("reject_share is {}, not in [0, 1)", reject_share));
  }
  for (const int count : tiles) {
    if (count < 0) throw RequestError(std::format("{} training images are not possible", count));
  }
  for (const std::string& method : methods) {
    if (method != "real" && !kPainted.contains(method) && !kAltered.contains(method)) {
      throw RequestError(std::format("the method \"{}\" is not known", method),
                         "choose of real, copy-paste, photometric, geometric, terragen, terragen-unfiltered");
    }
  }
  variation.validate();
  paint.validate();
}

std::vector<UsefulnessCell> evaluate_usefulness(const UsefulnessOptions& options, const fs::path& output) {
  options.validate();
  const bool paints =
      std::ranges::any_of(options.methods, [](const std::string& method) { return kPainted.contains(method); });
  std::vector<data::Dataset> datasets;
  std::vector<std::string> generators;
  for (const fs::path& folder : options.datasets) {
    datasets.push_back(data::read_dataset(folder));
    check_dataset(options, datasets.back());
    generators.emplace_back();
    if (!paints) continue;
    const fs::path generator = generator_of(options, datasets.back());
    if (generator.empty()) throw RequestError("painting needs a model", "name one with --model");
    const models::ModelFolder model = models::load_model(generator);
    check_model(model.card, generator.string(), datasets.back());
    synthesis::require_painter(model);
    synthesis::check_painter(model, data::kind_of(datasets.back()), options.variation.size);
    generators.back() = model.hash;
  }
  check_names(options, datasets);
  claim_run_folder(output, common_settings(options));
  fs::create_directories(output / "cells");
  std::vector<UsefulnessCell> cells;
  std::vector<std::unique_ptr<Protocol>> protocols;
  for (std::size_t i = 0; i < datasets.size(); ++i) {
    protocols.push_back(std::make_unique<Protocol>(options, output, datasets[i], generators[i]));
  }
  adopt_cells(options.earlier, output, {"reject_share", "variation", "painting"},
              [&](const Json& json, bool painted_alike, const std::string& place) -> std::optional<std::string> {
                const UsefulnessCell cell = usefulness_cell_from_json(json, place);
                if (kPainted.contains(cell.method) && !painted_alike) return {};
                if (std::ranges::none_of(protocols, [&](const auto& protocol) { return protocol->owns(cell); }))
                  return {};
                return cell_name(cell);
              });
  // Seeds before datasets, so that a run that was stopped has whole rows of the table.
  for (const int tiles : options.tiles) {
    for (int seed = 0; seed < options.seeds; ++seed) {
      for (const auto& protocol : protocols) {
        for (const std::string& method : options.methods) {
          if (interrupt_requested()) throw Interrupted("stopped; finished cells are kept");
          cells.push_back(protocol->cell(tiles, seed, method));
          const UsefulnessCell& cell = cells.back();
          std::printf("%-20s %4s images  seed %d  %-20s %s %6.2f  (made in %.0f s, trained in %.0f s)\n",
                      cell.dataset.c_str(), tiles_text(tiles).c_str(), seed, method.c_str(), cell.measure.c_str(),
                      100 * cell.score, cell.make_seconds, cell.train_seconds);
          std::fflush(stdout);
        }
      }
    }
  }
  return cells;
}

}  // namespace terragen::evaluation
