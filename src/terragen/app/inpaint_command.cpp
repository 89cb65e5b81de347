#include "terragen/app/inpaint_command.h"

#include <cstdio>
#include <format>
#include <memory>
#include <optional>
#include <string>

#include "terragen/app/inpaint_options.h"
#include "terragen/app/paint_options.h"
#include "terragen/app/refiner_options.h"
#include "terragen/core/error.h"
#include "terragen/core/memory.h"
#include "terragen/synthesis/inpaint.h"
#include "terragen/synthesis/placement_rule_file.h"

namespace terragen::app {
namespace {

struct InpaintRequest {
  std::string dataset;
  std::string examples;
  std::string model;
  std::string output;
  std::string rules;
  RefinerRequest refiner;
  std::string explain;
  std::string judge;
  synthesis::PaintOptions paint;
  synthesis::InpaintOptions inpaint;
};

void inpaint(InpaintRequest request) {
  request.inpaint.validate();
  request.paint.validate();
  request.inpaint.explain = request.explain;
  const int threads = tensor::set_threads(request.paint.compute.threads);
  const data::Dataset dataset = data::read_dataset(request.dataset);
  const data::Dataset examples = data::read_dataset(request.examples);
  if (!request.rules.empty()) {
    request.inpaint.rule = synthesis::read_placement_rule(request.rules, request.inpaint.class_name, dataset.taxonomy);
    if (!request.inpaint.rule) {
      throw RequestError(request.rules + " has no rule for " + request.inpaint.class_name,
                         "without --rules it is learned from the examples");
    }
  }
  synthesis::Painter painter(models::load_model(request.model), request.paint);
  const std::unique_ptr<synthesis::MaskRefiner> refiner = refiner_of(request.refiner, request.paint.compute);
  std::optional<models::PerceptionInference> judge;
  if (!request.judge.empty()) judge.emplace(models::load_perception_model(request.judge), request.paint.compute);
  const synthesis::InpaintSummary summary = synthesis::inpaint_dataset(
      dataset, examples, painter, *refiner, judge ? &*judge : nullptr, request.inpaint, request.output);
  const auto share = [&](std::size_t count) {
    return summary.placed == 0 ? 0.0 : 100.0 * static_cast<double>(count) / static_cast<double>(summary.placed);
  };
  std::printf("%zu of %zu scenes hold %zu things of %zu examples, %zu of them pasted, in %s\n", summary.images,
              summary.scenes, summary.accepted, summary.references, summary.pasted, request.output.c_str());
  std::printf(
      "placed %zu: %.0f %% accepted, %.0f %% not outlined as intended, %.0f %% unlike the examples (margin below "
      "%.3f)\n",
      summary.placed, share(summary.accepted), share(summary.wrong_mask), share(summary.unlike), summary.threshold);
  if (judge) {
    std::printf("%.0f %% not seen by the judge (probability below %.3f)\n", share(summary.unseen),
                summary.judge_threshold);
  }
  const double each = std::max<double>(1, static_cast<double>(summary.accepted));
  const synthesis::InpaintCost& cost = summary.cost;
  const auto stage = [each](const StageCost& one) {
    return std::format("{:.2f} ({:.0f} MiB)", one.seconds / each, static_cast<double>(one.peak_memory) / (1 << 20));
  };
  std::printf(
      "%.2f s an accepted thing on %d threads: placing %s, painting %s, refining %s, filtering %s, writing %s; in "
      "all at most %.0f MiB\n",
      cost.seconds() / each, threads, stage(cost.placing).c_str(), stage(cost.painting).c_str(),
      stage(cost.refining).c_str(), stage(cost.filtering).c_str(), stage(cost.writing).c_str(),
      static_cast<double>(peak_memory_bytes()) / (1 << 20));
}

}  // namespace

void add_inpaint_command(CLI::App& app, std::function<void()>& run) {
  auto request = std::make_shared<InpaintRequest>();
  synthesis::InpaintOptions& options = request->inpaint;
  CLI::App* command = app.add_subcommand("inpaint", "Paint a class of which there are few examples into real scenes");
  command->add_option("dataset", request->dataset, "Dataset whose training images are the scenes")->required();
  command->add_option("--model", request->model, "Model folder that paints")->required();
  command->add_option("--class", options.class_name, "Class to be painted")->required();
  command->add_option("--examples", request->examples, "Dataset with a few labelled examples of the class")->required();
  command->add_option("-o,--output", request->output, "Folder of the new dataset; a run that was stopped goes on")
      ->required();
  command->add_option("--seed", options.seed, "Seed")->capture_default_str();
  add_inpaint_options(*command, options);
  command->add_option("--rules", request->rules, "TOML file of geographic rules; default: learned from the examples");
  command->add_flag("--anywhere", options.objects.placement.anywhere, "Place at random, by no rule (for comparison)");
  add_refiner_options(*command, request->refiner);
  command->add_option("--judge", request->judge, "Segmenter that knows the class, and must see it in what was painted");
  command->add_flag("!--no-filter", options.filter, "Keep things that are unlike the examples");
  command->add_flag("!--without-real", options.keep_real, "Write the new images alone");
  command->add_option("--explain", request->explain, "Folder for pictures of where things may stand and were placed");
  add_paint_options(*command, request->paint);
  add_compute_options(*command, request->paint.compute);
  command->callback([request, &run] { run = [request] { inpaint(*request); }; });
}

}  // namespace terragen::app
