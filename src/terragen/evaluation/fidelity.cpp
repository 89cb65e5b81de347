#include "terragen/evaluation/fidelity.h"

#include <algorithm>
#include <format>
#include <limits>
#include <memory>

#include "terragen/core/error.h"
#include "terragen/core/memory.h"
#include "terragen/core/stage_timer.h"
#include "terragen/core/stopwatch.h"
#include "terragen/data/packed_samples.h"
#include "terragen/evaluation/leak_check.h"
#include "terragen/evaluation/repainting.h"
#include "terragen/evaluation/sample_pictures.h"
#include "terragen/synthesis/painting_condition.h"
#include "terragen/tensor/flop_counter.h"
#include "terragen/training/sample_grid.h"

namespace terragen::evaluation {
namespace {

constexpr std::size_t kShownLayouts = 6;

// At most `limit` images of every split, spread over it; synthetic ones go.
data::Dataset limited_dataset(const data::Dataset& dataset, int limit) {
  data::Dataset result = dataset;
  result.images.clear();
  for (const data::Split split : {data::Split::train, data::Split::val, data::Split::test}) {
    std::vector<const data::ImageRecord*> own;
    for (const data::ImageRecord& image : dataset.images) {
      if (image.split == split && !image.synthetic) own.push_back(&image);
    }
    const std::size_t count = limit == 0 ? own.size() : std::min(own.size(), static_cast<std::size_t>(limit));
    for (std::size_t i = 0; i < count; ++i) result.images.push_back(*own[i * own.size() / count]);
  }
  return result;
}

// One dataset with no more images than the limit, and those of the split.
struct FidelityRun {
  data::Dataset dataset;
  std::unique_ptr<data::PackedSamples> packed;
};

FidelityRun run_of(const data::Dataset& dataset, const FidelityOptions& options) {
  FidelityRun run{.dataset = limited_dataset(dataset, options.limit), .packed = nullptr};
  data::Dataset chosen = run.dataset;
  std::erase_if(chosen.images,
                [&](const data::ImageRecord& image) { return data::split_name(image.split) != options.split; });
  run.packed = std::make_unique<data::PackedSamples>(std::vector{chosen}, options.split);
  return run;
}

FidelityScore score_of(const FidelityRun& run, synthesis::Painter& painter, const models::PerceptionInference& judge,
                       const FidelityOptions& options, FidelityReport& report) {
  const shards::ShardReader& reader = run.packed->reader();
  PerceptionMeter real(judge, reader.set().taxonomy);
  PerceptionMeter painted(judge, reader.set().taxonomy);
  std::vector<layout::Layout> layouts;
  std::vector<torch::Tensor> rows_real;
  std::vector<torch::Tensor> rows_painted;
  const std::size_t shown = std::min(kShownLayouts, reader.size());
  std::size_t index = 0;
  repaint(reader, painter, {.size = options.size, .seed = options.seed},
          [&](const shards::Sample& seen, const shards::Sample& made) {
            real.add(seen);
            painted.add(made);
            if (index * shown / reader.size() != (index + 1) * shown / reader.size()) {
              layouts.push_back(seen.layout);
              rows_real.push_back(seen.image);
              rows_painted.push_back(made.image);
            }
            ++index;
          });
  report.pictures.emplace_back(image_rows({training::layout_pictures(layouts, reader.set().taxonomy),
                                           torch::stack(rows_real), torch::stack(rows_painted)}),
                               std::format("{}: layouts, real images, painted ones", run.dataset.name));
  FidelityScore score{
      .dataset = run.dataset.name, .task = run.dataset.task, .real = real.report(), .painted = painted.report()};
  score.real.split = score.painted.split = options.split;
  return score;
}

AccuracyScoreOptions accuracy_options(const FidelityOptions& options) {
  return {.steps = options.cas_steps,
          .size = options.size,
          .seed = options.seed,
          .split = options.split,
          .compute = options.paint.compute};
}

}  // namespace

void FidelityOptions::validate() const {
  if (datasets.empty()) throw RequestError("no datasets are named");
  if (limit < 0) throw RequestError(std::format("a limit of {} images is not possible", limit));
  if (cas_steps < 0) throw RequestError(std::format("{} training steps are not possible", cas_steps));
  if (cas_steps > 0) accuracy_options(*this).validate();
  paint.validate();
}

double fidelity_ratio(double painted, double real) {
  return real > 0 ? painted / real : std::numeric_limits<double>::quiet_NaN();
}

FidelityReport evaluate_fidelity(const FidelityOptions& options) {
  options.validate();
  tensor::set_threads(options.paint.compute.threads);
  const Stopwatch watch;
  const models::PerceptionInference judge(models::load_perception_model(options.judge), options.paint.compute);
  synthesis::Painter painter(models::load_model(options.model), options.paint);
  FidelityReport report{.split = options.split,
                        .size = options.size,
                        .seed = options.seed,
                        .model_hash = painter.model().hash,
                        .judge_hash = judge.model().hash,
                        .judge_architecture = judge.model().config.architecture,
                        .painting = painter.options()};
  std::vector<FidelityRun> runs;
  for (const std::filesystem::path& folder : options.datasets) {
    const data::Dataset dataset = data::read_dataset(folder);
    if (options.split == "test") {
      check_splits(dataset);
      check_model(painter.model().card, options.model.string(), dataset);
      check_model(judge.model().config.card, options.judge.string(), dataset);
    }
    runs.push_back(run_of(dataset, options));
    const shards::ShardReader& reader = runs.back().packed->reader();
    check_repaint(reader, painter, {.size = options.size});
    if (reader.set().bands.size() != judge.model().config.images.bands.size()) {
      throw RequestError(std::format("the judge is for {} bands, {} has {}", judge.model().config.images.bands.size(),
                                     dataset.name, reader.set().bands.size()));
    }
    synthesis::class_numbers(reader.set().taxonomy, judge.model().config.taxonomy, "the judge");
    if (options.cas_steps > 0) check_accuracy_score(runs.back().dataset, accuracy_options(options));
  }
  for (const FidelityRun& run : runs) {
    {
      const StageTimer timer(report.painting_seconds);
      const tensor::FlopCounter flops;
      report.scores.push_back(score_of(run, painter, judge, options, report));
      report.painting_flops += flops.count();
      report.painted += report.scores.back().painted.images;
    }
    if (options.cas_steps > 0) {
      report.scores.back().accuracy = classification_accuracy_score(run.dataset, painter, accuracy_options(options));
    }
  }
  report.seconds = watch.seconds();
  report.peak_memory = peak_memory_bytes();
  return report;
}

}  // namespace terragen::evaluation
