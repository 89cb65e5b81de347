#include "terragen/app/inpaint_command.h"

#include <cstdio>
#include <memory>
#include <string>

#include "terragen/app/paint_options.h"
#include "terragen/core/error.h"
#include "terragen/core/memory.h"
#include "terragen/synthesis/inpaint.h"
#include "terragen/synthesis/placement_rule_file.h"
#include "terragen/synthesis/sam_refiner.h"

namespace terragen::app {
namespace {

struct InpaintRequest {
  std::string dataset;
  std::string examples;
  std::string model;
  std::string output;
  std::string rules;
  std::string refiner = "grabcut";
  std::string refiner_weights;
  std::string explain;
  synthesis::PaintOptions paint;
  synthesis::InpaintOptions inpaint;
};

std::unique_ptr<synthesis::MaskRefiner> refiner_of(const InpaintRequest& request) {
  const bool sam = request.refiner.ends_with("sam");
  if (sam == request.refiner_weights.empty()) {
    throw RequestError(sam ? request.refiner + " needs its published weights"
                           : "weights are of no use to the refiner " + request.refiner,
                       sam ? "name the file with --refiner-weights; grabcut needs none" : "");
  }
  if (sam) {
    return std::make_unique<synthesis::SamRefiner>(request.refiner_weights, request.refiner, request.paint.compute);
  }
  if (request.refiner == "none") return std::make_unique<synthesis::NoRefiner>();
  return std::make_unique<synthesis::GrabCutRefiner>();
}

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
  const std::unique_ptr<synthesis::MaskRefiner> refiner = refiner_of(request);
  const synthesis::InpaintSummary summary =
      synthesis::inpaint_dataset(dataset, examples, painter, *refiner, request.inpaint, request.output);
  const auto share = [&](std::size_t count) {
    return summary.placed == 0 ? 0.0 : 100.0 * static_cast<double>(count) / static_cast<double>(summary.placed);
  };
  std::printf("%zu of %zu scenes hold %zu things of %zu examples, in %s\n", summary.images, summary.scenes,
              summary.accepted, summary.references, request.output.c_str());
  std::printf(
      "placed %zu: %.0f %% accepted, %.0f %% not outlined as intended, %.0f %% unlike the examples (margin below "
      "%.3f)\n",
      summary.placed, share(summary.accepted), share(summary.wrong_mask), share(summary.unlike), summary.threshold);
  const double each = std::max<double>(1, static_cast<double>(summary.accepted));
  std::printf(
      "%.2f s an accepted thing on %d threads: placing %.2f, painting %.2f, refining %.2f, filtering %.2f; peak "
      "memory %.0f MiB\n",
      summary.seconds / each, threads, summary.times.placing / each, summary.times.painting / each,
      summary.times.refining / each, summary.times.filtering / each,
      static_cast<double>(peak_memory_bytes()) / (1 << 20));
}

}  // namespace

void add_inpaint_command(CLI::App& app, std::function<void()>& run) {
  auto request = std::make_shared<InpaintRequest>();
  synthesis::InpaintOptions& options = request->inpaint;
  synthesis::ObjectInpainterOptions& objects = options.objects;
  CLI::App* command = app.add_subcommand("inpaint", "Paint a class of which there are few examples into real scenes");
  command->add_option("dataset", request->dataset, "Dataset whose training images are the scenes")->required();
  command->add_option("--model", request->model, "Model folder that paints")->required();
  command->add_option("--class", options.class_name, "Class to be painted")->required();
  command->add_option("--examples", request->examples, "Dataset with a few labelled examples of the class")->required();
  command->add_option("-o,--output", request->output, "Folder of the new dataset; a run that was stopped goes on")
      ->required();
  command->add_option("--seed", options.seed, "Seed")->capture_default_str();
  command->add_option("--scenes", options.scenes, "Training images that are painted into; 0: all")
      ->capture_default_str();
  command->add_option("--per-scene", options.per_scene, "New images of each")->capture_default_str();
  command->add_option("--things", objects.placement.most, "Most things in a new image")->capture_default_str();
  command->add_option("--variants", objects.variants, "Painted of every thing; the one most like the examples stays")
      ->capture_default_str();
  command->add_option("--strength", objects.strength, "1: painted from nothing; less: over the example laid there")
      ->capture_default_str();
  command->add_option("--window", objects.window, "Pixels a side of what is painted at once, at least")
      ->capture_default_str();
  command->add_option("--rules", request->rules, "TOML file of geographic rules; default: learned from the examples");
  command->add_flag("--anywhere", objects.placement.anywhere, "Place at random, by no rule (for comparison)");
  command
      ->add_option("--refiner", request->refiner,
                   "What outlines the painted things: sam, efficientsam, grabcut or none")
      ->check(CLI::IsMember({"sam", "efficientsam", "grabcut", "none"}))
      ->capture_default_str();
  command->add_option("--refiner-weights", request->refiner_weights,
                      "Published weights of Segment Anything (.pth or safetensors) or EfficientSAM (.pt)");
  command
      ->add_option("--least-overlap", objects.mask.least_overlap,
                   "Of outline and intention; below it a thing is dropped")
      ->capture_default_str();
  command
      ->add_option("--reject-share", options.reject_share,
                   "Share of real examples that the filter would reject; it drops what is less alike")
      ->capture_default_str();
  command->add_flag("!--no-filter", options.filter, "Keep things that are unlike the examples");
  command->add_flag("!--without-real", options.keep_real, "Write the new images alone");
  command->add_option("--explain", request->explain, "Folder for pictures of where things may stand and were placed");
  add_paint_options(*command, request->paint);
  add_compute_options(*command, request->paint.compute);
  command->callback([request, &run] { run = [request] { inpaint(*request); }; });
}

}  // namespace terragen::app
