#include "terragen/app/generate_command.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <format>
#include <memory>

#include "terragen/app/paint_options.h"
#include "terragen/app/prompt_options.h"
#include "terragen/core/error.h"
#include "terragen/core/memory.h"
#include "terragen/synthesis/generate.h"

namespace terragen::app {
namespace {

struct GenerateRequest {
  std::string model;
  std::vector<std::string> layouts;
  std::string output;
  synthesis::PaintOptions paint;
  synthesis::LayoutSourceOptions source;
  synthesis::GenerateOptions generate;
  PromptRequest prompt;
};

// What is not painted as it was given.
void tell_of_cuts(const std::vector<synthesis::PlacedLayout>& layouts, const synthesis::LayoutSourceOptions& options) {
  std::size_t cut = 0, outside = 0;
  for (const synthesis::PlacedLayout& placed : layouts) {
    cut += placed.cut_from ? 1 : 0;
    outside += placed.objects_outside;
  }
  if (cut > 0) {
    const std::string most = options.size > 0 ? std::format("at most {} pixels (--size), in ", options.size) : "";
    std::fprintf(stderr, "terragen: %zu of %zu layouts are cut: painted are %smultiples of %d pixels\n", cut,
                 layouts.size(), most.c_str(), options.size_step);
  }
  if (outside > 0) std::fprintf(stderr, "terragen: %zu objects lie outside the pixels that are painted\n", outside);
}

void generate(GenerateRequest options) {
  options.paint.validate();
  if (options.layouts.empty() == options.prompt.prompt.empty()) {
    throw RequestError("`terragen generate` takes either layouts or --prompt");
  }
  if (!options.prompt.prompt.empty()) {
    return generate_from_prompt(options.prompt, options.paint, options.model, options.generate.count,
                                options.generate.seed, options.output);
  }
  const int threads = tensor::set_threads(options.paint.compute.threads);
  synthesis::Painter painter(models::load_model(options.model), options.paint);
  options.source.size_step = painter.size_step();
  const models::LayoutEncoderConfig& known = painter.model().layout_encoder->config();
  std::vector<synthesis::PlacedLayout> layouts;
  for (const std::string& path : options.layouts) {
    for (synthesis::PlacedLayout& placed : synthesis::read_layouts(path, known.taxonomy, known.tasks, options.source)) {
      layouts.push_back(std::move(placed));
    }
  }
  tell_of_cuts(layouts, options.source);
  const synthesis::GenerateSummary summary = synthesis::generate(painter, layouts, options.generate, options.output);
  const synthesis::PaintTimes& times = painter.times();
  const double network = std::max(1e-9, times.unet + times.decoder + times.layout_encoder);
  const auto each = static_cast<double>(summary.images);
  std::printf("%zu images painted in %s\n", summary.images, options.output.c_str());
  std::printf("labels: %s/annotations.json, contact sheet: %s/contact_sheet.png\n", options.output.c_str(),
              options.output.c_str());
  std::printf(
      "%.2f s an image on %d threads in %d steps (U-Net %.0f %%, decoder %.0f %%, layout encoder %.0f %% of the "
      "network's time), peak memory %.0f MiB\n",
      summary.seconds / each, threads, painter.options().steps, 100 * times.unet / network,
      100 * times.decoder / network, 100 * times.layout_encoder / network,
      static_cast<double>(peak_memory_bytes()) / (1 << 20));
}

}  // namespace

void add_generate_command(CLI::App& app, std::function<void()>& run) {
  auto options = std::make_shared<GenerateRequest>();
  CLI::App* command = app.add_subcommand("generate", "Paint new images: labelled ones from layouts, or from a text");
  command->add_option("--model", options->model, "Model folder")->required();
  command->add_option("layouts", options->layouts, "GeoJSON or COCO files, or dataset folders");
  command->add_option("-o,--output", options->output, "Folder of the new dataset")->required();
  command->add_option("--count", options->generate.count, "Images a layout")->capture_default_str();
  command->add_option("--seed", options->generate.seed, "Seed")->capture_default_str();
  add_paint_options(*command, options->paint);
  command->add_option("--task", options->source.task, "Task of layouts that do not say theirs");
  command->add_option("--gsd", options->source.gsd, "Metres a pixel of layouts that do not say theirs");
  command
      ->add_option(
          "--size", options->source.size,
          "Pixels of layouts that do not say theirs; of larger ones the top left is painted; 0: they are painted "
          "whole")
      ->capture_default_str();
  command->add_option("--class-property", options->source.class_property, "GeoJSON property that names the class")
      ->capture_default_str();
  command->add_option("--split", options->source.split, "Split of a dataset: train, val or test");
  command->add_option("--limit", options->source.limit, "Most layouts of each source; 0: all")->capture_default_str();
  add_prompt_options(*command, options->prompt);
  add_compute_options(*command, options->paint.compute);
  command->callback([options, command, &run] {
    run = [options, command] {
      check_prompt_options(*command, !options->prompt.prompt.empty());
      generate(*options);
    };
  });
}

}  // namespace terragen::app
