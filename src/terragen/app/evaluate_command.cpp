#include "terragen/app/evaluate_command.h"

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "terragen/core/json_file.h"
#include "terragen/evaluation/reconstruction.h"

namespace terragen::app {
namespace {

struct ReconstructionOptions {
  std::string model;
  std::vector<std::string> data;
  std::string split = "test";
  std::string json;
  tensor::ComputeOptions compute;
};

void reconstruction(const ReconstructionOptions& options) {
  const std::vector<std::filesystem::path> data(options.data.begin(), options.data.end());
  const auto report = evaluation::evaluate_reconstruction(options.model, data, options.split, options.compute);
  std::printf("%-28s %8s %10s %10s\n", "dataset", "images", "PSNR dB", "worst");
  for (const auto& score : report.scores) {
    std::printf("%-28s %8zu %10.2f %10.2f\n", score.dataset.c_str(), score.images, score.psnr, score.worst_psnr);
  }
  std::printf("%-28s %8s %10.2f   (%s split, %.0f s)\n", "mean over datasets", "", report.mean_psnr,
              report.split.c_str(), report.seconds);
  if (!options.json.empty()) write_json(options.json, evaluation::to_json(report));
}

}  // namespace

void add_evaluate_command(CLI::App& app, std::function<void()>& run) {
  CLI::App* command = app.add_subcommand("evaluate", "Measure what a model is worth on held-out places");
  command->require_subcommand(1);
  auto options = std::make_shared<ReconstructionOptions>();
  CLI::App* autoencoder = command->add_subcommand("reconstruction", "PSNR of the autoencoder, by dataset");
  autoencoder->add_option("model", options->model, "Model folder")->required();
  autoencoder->add_option("data", options->data, "Dataset folders, or one folder of packed shards")->required();
  autoencoder->add_option("--split", options->split, "train, val or test")
      ->capture_default_str()
      ->check(CLI::IsMember({"train", "val", "test"}));
  autoencoder->add_option("--json", options->json, "Also write the figures to this file");
  autoencoder->add_option("--device", options->compute.device, "cpu or cuda")->capture_default_str();
  autoencoder->add_option("--precision", options->compute.precision, "bf16 or fp32")->capture_default_str();
  autoencoder->add_option("--threads", options->compute.threads, "Threads; 0: the processor's cores")
      ->capture_default_str();
  autoencoder->callback([options, &run] { run = [options] { reconstruction(*options); }; });
}

}  // namespace terragen::app
