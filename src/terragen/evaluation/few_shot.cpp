#include "terragen/evaluation/few_shot.h"

#include <algorithm>
#include <cstdio>
#include <format>
#include <memory>
#include <numeric>
#include <optional>
#include <set>

#include "terragen/core/error.h"
#include "terragen/core/interrupt.h"
#include "terragen/core/memory.h"
#include "terragen/core/run_settings.h"
#include "terragen/core/seed.h"
#include "terragen/data/dataset_hash.h"
#include "terragen/data/example_windows.h"
#include "terragen/data/packed_samples.h"
#include "terragen/data/packing.h"
#include "terragen/data/withheld_class.h"
#include "terragen/evaluation/adopted_cells.h"
#include "terragen/evaluation/leak_check.h"
#include "terragen/evaluation/outside_identity.h"
#include "terragen/evaluation/perception.h"
#include "terragen/evaluation/perception_training.h"
#include "terragen/layout/rasterise.h"
#include "terragen/metrics/confusion.h"
#include "terragen/synthesis/painting_condition.h"
#include "terragen/synthesis/reference_set.h"

namespace terragen::evaluation {
namespace {

namespace fs = std::filesystem;

const std::set<std::string> kFewShotMethods{
    "real", "copy-paste", "inpaint", "inpaint-unrefined", "inpaint-unfiltered", "inpaint-anywhere", "inpaint-judged"};
// What nothing painted, a generator's settings do not change.
const std::set<std::string> kUnpainted{"real", "copy-paste"};

// What copy-paste does: the example as it is, anywhere, and nothing judges it.
synthesis::InpaintOptions pasted(synthesis::InpaintOptions inpaint) {
  inpaint.filter = false;
  inpaint.reject_share = 0;
  inpaint.objects.placement.anywhere = true;
  inpaint.objects.strengths = {0};
  inpaint.objects.variants = 1;
  inpaint.objects.match_colours = 0;
  inpaint.objects.decoys = 0;
  return inpaint;
}

// One novel class under the protocol.
class NovelClass {
 public:
  NovelClass(const FewShotOptions& options, synthesis::MaskRefiner& refiner, const data::Dataset& dataset,
             const data::PackedSamples& test, fs::path output, std::string name)
      : options_(options),
        refiner_(refiner),
        training_(data::real_images(dataset, "train")),
        test_(test),
        output_(std::move(output)),
        name_(std::move(name)),
        index_(dataset.taxonomy.find(name_)) {
    const fs::path folder = few_shot_base(output_, name_);
    if (!fs::exists(folder)) {
      fs::create_directories(folder.parent_path());
      data::write_without_class(training_, name_, folder);
    }
    base_ = data::read_dataset(folder);
  }

  const data::Dataset& base() const { return base_; }
  // Whether a cell was measured with this class and generator; the dataset is the settings'.
  bool owns(const FewShotCell& cell) const {
    return cell.novel == name_ && cell.generator_sha256 == generator_of_method(cell.method);
  }
  // What makes its images.
  void paint_with(models::ModelFolder generator) { generator_ = std::move(generator); }

  // What only further methods of the seed would have read.
  void drop_paintings(int seed) const { fs::remove_all(paintings_of(seed)); }

  FewShotCell cell(int seed, const std::string& method, const std::string& architecture) {
    FewShotCell cell{.novel = name_, .seed = seed, .method = method, .architecture = architecture};
    const fs::path file = output_ / "cells" / (cell_name(cell) + ".json");
    cell.generator_sha256 = generator_of_method(method);
    if (fs::exists(file)) {
      FewShotCell kept = few_shot_cell_from_json(read_json(file), file.string());
      require_same_hash(file, "generator", kept.generator_sha256, cell.generator_sha256);
      return kept;
    }
    const data::Dataset examples = examples_of(seed);
    std::vector<data::Dataset> training{base_without(examples), examples};
    if (method != "real") training.push_back(made(training[0], examples, seed, method, cell));
    const TrainingCost cost = train(training, seed, method, architecture);
    const fs::path run = model_of(seed, method, architecture);
    cell.train_seconds = cost.seconds;
    cell.train_flops = cost.flops;
    test(run / "model", cell);
    cell.peak_memory = peak_memory_bytes();
    write_json(file, to_json(cell));
    return cell;
  }

 private:
  std::string generator_of_method(const std::string& method) const {
    return kUnpainted.contains(method) ? "" : generator_.hash;
  }

  fs::path model_of(int seed, const std::string& method, const std::string& architecture) const {
    return output_ / "models" /
           cell_name({.novel = name_, .seed = seed, .method = method, .architecture = architecture});
  }

  TrainingCost train(const std::vector<data::Dataset>& datasets, int seed, const std::string& method,
                     const std::string& architecture) const {
    training::TrainJob job = options_.train;
    job.architecture = architecture;
    return train_perception(datasets, job, model_of(seed, method, architecture), static_cast<std::uint64_t>(seed));
  }

  // The first architecture trained without new images; trained again where only its figures were adopted.
  fs::path judge_of(int seed, const data::Dataset& base, const data::Dataset& examples) {
    const std::string& architecture = options_.architectures.front();
    cell(seed, "real", architecture);
    const fs::path model = model_of(seed, "real", architecture) / "model";
    if (!fs::exists(model)) train({base, examples}, seed, "real", architecture);
    return model;
  }

  // One thing of each of as many training images.
  std::vector<data::MarkedThing> marked_things(int seed) const {
    std::vector<std::size_t> images(training_.images.size());
    std::iota(images.begin(), images.end(), std::size_t{0});
    Random random(derive_seed(0x5407, static_cast<std::uint64_t>(seed)));
    shuffle(images, random);
    std::vector<data::MarkedThing> marked;
    for (const std::size_t image : images) {
      if (std::ssize(marked) == options_.examples) break;
      std::vector<layout::Geometry> things =
          synthesis::placeable_things(data::layout_of(training_, training_.images[image]), index_);
      if (things.empty()) continue;
      double areas = 0;
      for (const layout::Geometry& thing : things) areas += layout::area_of(thing);
      double drawn = areas * random.uniform();
      std::size_t k = 0;
      while (k + 1 < things.size() && (drawn -= layout::area_of(things[k])) >= 0) ++k;
      marked.push_back({image, std::move(things[k])});
    }
    if (std::ssize(marked) < options_.examples) {
      throw RequestError(std::format("only {} training images of {} show a {} that could be placed", marked.size(),
                                     training_.name, name_));
    }
    return marked;
  }

  data::Dataset examples_of(int seed) const {
    if (options_.example_window > 0) {
      const fs::path folder = output_ / name_ / std::format("examples_{}", seed);
      if (!fs::exists(folder)) {
        data::write_example_windows(training_, name_, marked_things(seed), options_.example_window, folder);
      }
      data::Dataset examples = data::read_dataset(folder);
      examples.name += "_examples";
      return examples;
    }
    data::Dataset examples = training_;
    examples.name += "_examples";
    examples.images.clear();
    for (const data::MarkedThing& one : marked_things(seed)) examples.images.push_back(training_.images[one.image]);
    return examples;
  }

  data::Dataset base_without(const data::Dataset& examples) const {
    data::Dataset base = base_;
    std::erase_if(base.images, [&](const data::ImageRecord& image) {
      return std::ranges::find(examples.images, image.file_name, &data::ImageRecord::file_name) !=
             examples.images.end();
    });
    return base;
  }

  // Methods that paint the same things paint them once.
  fs::path paintings_of(int seed) const { return output_ / name_ / std::format("paintings_{}", seed); }

  // New images are made once and serve every architecture.
  data::Dataset made(const data::Dataset& base, const data::Dataset& examples, int seed, const std::string& method,
                     FewShotCell& cell) {
    const fs::path folder = output_ / name_ / std::format("made_{}_{}", seed, method);
    const fs::path costs = folder.string() + ".json";
    if (!fs::exists(costs)) {
      fs::remove_all(folder);
      synthesis::InpaintOptions inpaint = options_.inpaint;
      inpaint.class_name = name_;
      inpaint.seed = static_cast<std::uint64_t>(seed);
      inpaint.keep_real = false;
      inpaint.explain = method == "inpaint" ? output_ / name_ / std::format("explained_{}", seed) : fs::path();
      inpaint.objects.paintings = paintings_of(seed);
      if (method == "inpaint-unfiltered") inpaint.filter = false;
      if (method == "inpaint-anywhere") inpaint.objects.placement.anywhere = true;
      if (method == "copy-paste") inpaint = pasted(inpaint);
      std::optional<models::PerceptionInference> judge;
      if (method == "inpaint-judged") {
        judge.emplace(models::load_perception_model(judge_of(seed, base, examples)), options_.train.compute);
      }
      synthesis::NoRefiner none;
      const bool plain = method == "inpaint-unrefined" || method == "copy-paste";
      const synthesis::InpaintSummary summary = synthesis::inpaint_dataset(
          base, examples, painter(), plain ? none : refiner_, judge ? &*judge : nullptr, inpaint, folder);
      Json told = synthesis::to_json(summary);
      // Across the margin the thing is blended; one pixel beyond it nothing may differ.
      told["outside"] = to_json(compare_outside(base, data::read_dataset(folder), name_, inpaint.objects.margin + 1));
      told["generator_sha256"] = cell.generator_sha256;
      write_json(costs, told);
    }
    cell.made = read_json(costs);
    require_same_hash(costs, "generator", json_member<std::string>(cell.made, "generator_sha256", costs.string()),
                      cell.generator_sha256);
    return data::read_dataset(folder);
  }

  synthesis::Painter& painter() {
    if (!painter_) painter_ = std::make_unique<synthesis::Painter>(generator_, options_.paint);
    return *painter_;
  }

  void test(const fs::path& model, FewShotCell& cell) const {
    const PerceptionReport report =
        evaluate_perception(models::load_perception_model(model), test_.reader(), "test", options_.train.compute);
    std::vector<int> novel;
    std::vector<int> base;
    for (std::size_t k = 0; k < report.classes.size(); ++k) {
      cell.classes[report.classes[k]] = report.class_score(k);
      (report.classes[k] == name_ ? novel : base).push_back(static_cast<int>(k));
    }
    cell.novel_iou = cell.classes.at(name_);
    cell.score = metrics::few_shot_score(report.iou, base, novel);
    metrics::ClassScores others;
    for (const int k : base) others.push_back(report.iou[static_cast<std::size_t>(k)]);
    cell.base_iou = metrics::mean_present(others);
    cell.test_seconds = report.seconds;
  }

  const FewShotOptions& options_;
  synthesis::MaskRefiner& refiner_;
  const data::Dataset training_;
  const data::PackedSamples& test_;
  const fs::path output_;
  const std::string name_;
  const int index_;
  data::Dataset base_;
  models::ModelFolder generator_;
  std::unique_ptr<synthesis::Painter> painter_;
};

Json few_shot_settings(const FewShotOptions& options, const synthesis::MaskRefiner& refiner,
                       const data::Dataset& dataset) {
  return {{"dataset_sha256", data::dataset_hash(dataset)},
          {"examples", options.examples},
          {"example_window", options.example_window},
          {"train", training_recipe(options.train)},
          {"pasted", synthesis::to_json(pasted(options.inpaint))},
          {"inpaint", synthesis::to_json(options.inpaint)},
          {"refiner", refiner.name()},
          {"refiner_sha256", refiner.hash()},
          {"painting", synthesis::to_json(options.paint)}};
}

bool makes_images(const FewShotOptions& options) {
  return std::ranges::any_of(options.methods, [](const std::string& method) { return method != "real"; });
}

// Whether a generator's last beginning, and all that followed at these places, left unlabelled pixels out of its loss:
// a class that is withheld is unlabelled there, and whoever learned to paint those pixels has seen it without its name.
bool kept_to_labelled_pixels(const Json& card, const std::string& model, const data::Dataset& dataset) {
  bool told = false;
  bool kept = true;
  for (const Json& stage : card.value("stages", Json::array())) {
    if (stage.value("model", "") != "generator") continue;
    told = true;
    kept = (kept || stage.value("autoencoder_only", false)) &&
           (stage.value("labelled_only", false) || was_elsewhere(stage.value("data", Json::array()), model, dataset));
  }
  return told && kept;
}

// The generator of a novel class, which has seen neither the class nor a test place.
models::ModelFolder checked_generator(const FewShotOptions& options, const std::string& novel,
                                      const data::Dataset& dataset, const fs::path& base) {
  const auto found = options.generators.find(novel);
  if (found == options.generators.end()) {
    throw RequestError(std::format("no generator is named for \"{}\"", novel),
                       std::format("`terragen train generator {} --labelled-only --reference-share 0.3 --from MODEL -o "
                                   "RUN` trains one; name it with --model {}=RUN/model",
                                   base.string(), novel));
  }
  models::ModelFolder model = models::load_model(found->second);
  check_model(model.card, found->second.string(), dataset);
  synthesis::require_painter(model);
  synthesis::check_bands_and_tasks(model, data::kind_of(dataset));
  for (const layout::ClassInfo& entry : dataset.taxonomy.classes()) {
    if (entry.name == novel || model.layout_encoder->config().taxonomy.find(entry.name) >= 0) continue;
    throw RequestError(std::format("{} does not know the class \"{}\"", found->second.string(), entry.name));
  }
  if (!model.reference_encoder) {
    throw RequestError(std::format("{} has not learned to paint after a picture", found->second.string()),
                       "`terragen train generator --reference-share 0.3` teaches it");
  }
  if (model.layout_encoder && model.layout_encoder->config().taxonomy.find(novel) >= 0) {
    throw RequestError(
        std::format("{} knows the class \"{}\", which is to be new to it", found->second.string(), novel));
  }
  if (!kept_to_labelled_pixels(model.card, found->second.string(), dataset)) {
    throw RequestError(std::format("{} was trained on unlabelled pixels, among them those of \"{}\", or does not tell",
                                   found->second.string(), novel),
                       "train it with --autoencoder-only --labelled-only");
  }
  return model;
}

// Hours of training tell nothing of a class that no test image shows.
void require_tested(const std::vector<std::string>& classes, const layout::Taxonomy& taxonomy,
                    const shards::ShardReader& test) {
  for (const std::string& novel : classes) {
    bool shown = false;
    for (std::size_t i = 0; i < test.size() && !shown; ++i) {
      shown = std::ranges::count(layout::pixels_of_class(test.layout(i), taxonomy.find(novel)), 1) > 0;
    }
    if (shown) continue;
    throw RequestError(std::format("no test image shows the class \"{}\"", novel),
                       "choose classes that the test places have, or other test places");
  }
}

}  // namespace

void FewShotOptions::validate() const {
  if (classes.empty()) throw RequestError("no class is named");
  if (examples < 1) throw RequestError(std::format("{} examples are none", examples));
  if (example_window < 0) throw RequestError(std::format("windows of {} pixels are not possible", example_window));
  if (seeds < 1) throw RequestError(std::format("{} seeds are not possible", seeds));
  for (const std::string& method : methods) {
    if (!kFewShotMethods.contains(method)) {
      throw RequestError(std::format("the method \"{}\" is not known", method),
                         "choose of real, copy-paste, inpaint, inpaint-unrefined, inpaint-unfiltered, "
                         "inpaint-anywhere, inpaint-judged");
    }
  }
  if (methods.empty() || architectures.empty()) throw RequestError("no method, or no architecture, is named");
  for (const auto& [name, folder] : generators) {
    if (std::ranges::find(classes, name) != classes.end()) continue;
    throw RequestError(std::format("a model is named for the class \"{}\", which is not withheld", name),
                       "name it among --classes");
  }
  synthesis::InpaintOptions any_class = inpaint;
  any_class.class_name = classes.front();
  any_class.validate();
  paint.validate();
}

fs::path few_shot_base(const fs::path& output, const std::string& novel) { return output / novel / "base"; }

std::vector<FewShotCell> evaluate_few_shot(const FewShotOptions& options, synthesis::MaskRefiner& refiner,
                                           const fs::path& output) {
  options.validate();
  const data::Dataset dataset = data::read_dataset(options.dataset);
  check_splits(dataset);
  for (const std::string& novel : options.classes) {
    if (dataset.taxonomy.find(novel) < 0) {
      throw RequestError(std::format("{} has no class \"{}\"", dataset.name, novel));
    }
  }
  const data::PackedSamples test({data::real_images(dataset, "test")}, "test");
  require_tested(options.classes, dataset.taxonomy, test.reader());
  claim_run_folder(output, few_shot_settings(options, refiner, dataset));
  fs::create_directories(output / "cells");
  std::vector<std::unique_ptr<NovelClass>> classes;
  for (const std::string& novel : options.classes) {
    classes.push_back(std::make_unique<NovelClass>(options, refiner, dataset, test, output, novel));
  }
  for (std::size_t i = 0; i < classes.size() && makes_images(options); ++i) {
    const std::string& novel = options.classes[i];
    classes[i]->paint_with(checked_generator(options, novel, dataset, few_shot_base(output, novel)));
  }
  adopt_cells(options.earlier, output, {"inpaint", "refiner", "refiner_sha256", "painting"},
              [&](const Json& json, bool painted_alike, const std::string& place) -> std::optional<std::string> {
                const FewShotCell cell = few_shot_cell_from_json(json, place);
                if (!kUnpainted.contains(cell.method) && !painted_alike) return {};
                if (std::ranges::none_of(classes, [&](const auto& novel) { return novel->owns(cell); })) return {};
                return cell_name(cell);
              });
  std::vector<FewShotCell> cells;
  // Seeds before classes, so that a run that was stopped has whole rows of the table.
  for (int seed = 0; seed < options.seeds; ++seed) {
    for (const auto& novel : classes) {
      for (const std::string& method : options.methods) {
        for (const std::string& architecture : options.architectures) {
          if (interrupt_requested()) throw Interrupted("stopped; finished cells are kept");
          cells.push_back(novel->cell(seed, method, architecture));
          const FewShotCell& cell = cells.back();
          std::printf("%-14s seed %d  %-20s %-14s novel %5.1f  base %5.1f  score %5.1f\n", cell.novel.c_str(), seed,
                      method.c_str(), architecture.c_str(), 100 * cell.novel_iou, 100 * cell.base_iou,
                      100 * cell.score);
          std::fflush(stdout);
        }
      }
      novel->drop_paintings(seed);
    }
  }
  return cells;
}

}  // namespace terragen::evaluation
