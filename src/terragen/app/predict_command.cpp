#include "terragen/app/predict_command.h"

#include <cstdio>
#include <filesystem>
#include <format>
#include <memory>

#include "terragen/app/paint_options.h"
#include "terragen/core/error.h"
#include "terragen/core/memory.h"
#include "terragen/prediction/predict.h"

namespace terragen::app {
namespace {

struct PredictCommandOptions {
  std::string model;
  std::vector<std::string> images;
  std::string output;
  prediction::PredictOptions predict;
  tensor::ComputeOptions compute;
};

void print_predicted(const prediction::PredictedImage& image) {
  const double megapixels = 1e-6 * image.width * image.height;
  std::printf("%s: %d x %d pixels in %.1f s, %.2f megapixels/s, peak memory %.0f MiB\n", image.source.c_str(),
              image.width, image.height, image.seconds, megapixels / image.seconds,
              static_cast<double>(peak_memory_bytes()) / (1 << 20));
  for (const std::filesystem::path& file : image.files) {
    if (image.shapes && file.extension() == ".geojson") {
      std::printf("  %s (%zu shapes)\n", file.c_str(), *image.shapes);
    } else {
      std::printf("  %s\n", file.c_str());
    }
  }
  // Whoever reads along sees every image when it is done.
  std::fflush(stdout);
}

void predict(const PredictCommandOptions& options) {
  for (const std::string& image : options.images) {
    if (!std::filesystem::is_directory(image)) continue;
    throw RequestError(std::format("{} is a folder", image), std::format("name its images: {}/*.tif", image));
  }
  models::PerceptionModel model = models::load_perception_model(options.model);
  options.predict.validate(model.config);
  options.compute.validate();
  tensor::set_threads(options.compute.threads);
  const models::PerceptionInference inference(std::move(model), options.compute);
  prediction::predict(inference, {options.images.begin(), options.images.end()}, options.predict, options.output,
                      print_predicted);
}

}  // namespace

void add_predict_command(CLI::App& app, std::function<void()>& run) {
  auto options = std::make_shared<PredictCommandOptions>();
  CLI::App* command = app.add_subcommand("predict", "Apply a segmenter or detector to images of any size");
  command->add_option("model", options->model, "Model folder")->required();
  command->add_option("images", options->images, "GeoTIFF, PNG, JPEG or JPEG 2000 files")->required();
  command->add_option("-o,--output", options->output, "Folder of what is written")->required();
  command->add_option("--tile", options->predict.tiles.size, "Pixels of the square tiles; a multiple of 32")
      ->capture_default_str();
  command->add_option("--overlap", options->predict.tiles.overlap, "Pixels that neighbouring tiles share")
      ->capture_default_str();
  command
      ->add_option("--bands", options->predict.bands, "0-based bands of the files, in the model's order; default: all")
      ->delimiter(',')
      ->allow_extra_args(false);  // images may follow
  command->add_option("--probabilities", options->predict.probabilities,
                      "Of segmenters: also a band a class, as uint8 (250 is certain) or float32");
  command->add_flag("--polygons", options->predict.polygons,
                    "Of segmenters: also the regions of every class as GeoJSON");
  command->add_option("--least-pixels", options->predict.least_pixels, "Smallest region that becomes a polygon")
      ->capture_default_str();
  command->add_option("--least-score", options->predict.least_score,
                      "Of detectors: least score of an object; default: 0.3");
  add_compute_options(*command, options->compute);
  command->callback([options, &run] { run = [options] { predict(*options); }; });
}

}  // namespace terragen::app
