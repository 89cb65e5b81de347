#include "terragen/prediction/predict.h"

#include <algorithm>
#include <format>
#include <map>

#include "terragen/core/error.h"
#include "terragen/core/progress.h"
#include "terragen/core/stopwatch.h"
#include "terragen/geo/strip_writer.h"
#include "terragen/layout/vectorise.h"
#include "terragen/prediction/image_strips.h"
#include "terragen/prediction/prediction_outputs.h"
#include "terragen/prediction/shape_file.h"
#include "terragen/prediction/tiled_detection.h"
#include "terragen/prediction/tiled_segmentation.h"

namespace terragen::prediction {
namespace {

namespace fs = std::filesystem;

constexpr double kLeastScore = 0.3;
constexpr const char* kClassList = "classes.json";

// Where the files of one image go.
struct OutputPaths {
  fs::path classes, probabilities, polygons, objects;

  OutputPaths(const fs::path& folder, const fs::path& image) {
    const auto named = [&](const char* ending) { return folder / (image.stem().string() + ending); };
    classes = named("_classes.tif");
    probabilities = named("_probabilities.tif");
    polygons = named("_polygons.geojson");
    objects = named("_objects.geojson");
  }
};

std::vector<fs::path> wanted_files(const OutputPaths& paths, bool segmenter, const PredictOptions& options) {
  if (!segmenter) return {paths.objects};
  std::vector<fs::path> files{paths.classes};
  if (!options.probabilities.empty()) files.push_back(paths.probabilities);
  if (options.polygons) files.push_back(paths.polygons);
  return files;
}

// Everything that can be wrong with the request, before hours are spent on half of it.
void refuse_before_work(const models::PerceptionConfig& config, const std::vector<fs::path>& images,
                        const PredictOptions& options, const fs::path& output) {
  std::map<std::string, fs::path> names;
  for (const fs::path& image : images) {
    const auto [other, fresh] = names.emplace(image.stem().string(), image);
    if (!fresh) {
      throw RequestError(
          std::format("{} and {} would be written under the same name", other->second.string(), image.string()),
          "give one of them another output folder");
    }
    const ImageStrips readable(image, config.images, options.bands);
    for (const fs::path& file : wanted_files({output, image}, config.is_segmenter(), options)) {
      std::error_code error;
      if (fs::exists(file, error)) {
        throw RequestError(std::format("{} exists already", file.string()),
                           "choose another output folder or remove it");
      }
    }
  }
  const fs::path list = output / kClassList;
  std::error_code error;
  if (config.is_segmenter() && fs::exists(list, error) && read_json(list) != class_numbers(config)) {
    throw RequestError(std::format("{} speaks of other classes than the model's", list.string()),
                       "choose another output folder");
  }
}

std::int64_t tile_count(const geo::RasterInfo& info, const TileOptions& tiles) {
  return std::ssize(geo::tile_grid(info.width, info.height, tiles.size, tiles.overlap));
}

Json provenance_of(const models::PerceptionModel& model) {
  return {{"model_sha256", model.hash}, {"architecture", model.config.architecture}};
}

// One polygon a region and class; what belongs to no class of the taxonomy has none.
std::size_t write_polygons(const fs::path& mask_file, const fs::path& image, const geo::RasterInfo& info,
                           const models::PerceptionModel& model, int least_pixels, const fs::path& path) {
  ShapeFile shapes(image, info, provenance_of(model));
  const geo::Raster mask = geo::read_raster(mask_file);
  std::vector<std::uint8_t> of_class(mask.pixels());
  for (int k = 0; k < model.config.taxonomy.size(); ++k) {
    const auto number = static_cast<std::byte>(k);
    std::ranges::transform(mask.samples, of_class.begin(),
                           [number](std::byte v) { return static_cast<std::uint8_t>(v == number ? 1 : 0); });
    if (std::ranges::count(of_class, 1) < least_pixels) continue;
    for (layout::Polygon& part : layout::vectorise(of_class, mask.width, mask.height, least_pixels)) {
      shapes.add(layout::make_polygon(std::move(part.exterior), std::move(part.holes)),
                 {{"class", model.config.taxonomy.at(k).name}});
    }
  }
  shapes.write(path);
  return shapes.size();
}

void segment_image(const models::PerceptionInference& inference, ImageStrips& image, const PredictOptions& options,
                   const OutputPaths& paths, PredictedImage& result) {
  const models::PerceptionConfig& config = inference.model().config;
  geo::RasterInfo shape = image.info();
  shape.bands = 1;
  shape.type = geo::DataType::uint8;
  shape.nodata = layout::kUnlabelled;
  geo::StripWriter classes(paths.classes, shape);
  std::optional<geo::StripWriter> probabilities;
  const geo::DataType type =
      geo::data_type_from_name(options.probabilities.empty() ? "uint8" : options.probabilities, "--probabilities");
  if (!options.probabilities.empty()) {
    shape.bands = config.outputs();
    shape.type = type;
    shape.nodata = probability_nodata(type);
    probabilities.emplace(paths.probabilities, shape);
  }
  Progress progress(result.source.filename().string(), tile_count(image.info(), options.tiles), "tiles");
  const auto look = [&](const geo::PixelWindow& tile) {
    // Mosaics are empty at the rim: nothing is computed there.
    const torch::Tensor said =
        image.any_valid(tile) ? inference.class_probabilities(image.pixels(tile)) : torch::Tensor();
    progress.advance();
    return said;
  };
  const auto write = [&](int y, const torch::Tensor& rows) {
    const torch::Tensor valid = image.valid(y, static_cast<int>(rows.size(1)));
    classes.add(class_rows(rows, valid));
    if (probabilities) probabilities->add(probability_rows(rows, valid, type));
  };
  blend_tiles(image.info().width, image.info().height, config.outputs(), options.tiles, look, write);
  classes.commit();
  if (probabilities) probabilities->commit();
  if (options.polygons) {
    result.shapes = write_polygons(paths.classes, result.source, image.info(), inference.model(), options.least_pixels,
                                   paths.polygons);
  }
}

void detect_image(const models::PerceptionInference& inference, ImageStrips& image, const PredictOptions& options,
                  const OutputPaths& paths, PredictedImage& result) {
  const models::PerceptionModel& model = inference.model();
  // Of one tile; tiles are larger than the crops of training, and crowns of trees or parked cars fill them.
  const models::DetectionOptions limits{
      .least_score = options.least_score.value_or(kLeastScore), .most_candidates = 4000, .most = 2000};
  ShapeFile shapes(result.source, image.info(), provenance_of(model));
  Progress progress(result.source.filename().string(), tile_count(image.info(), options.tiles), "tiles");
  const auto look = [&](const geo::PixelWindow& tile) {
    std::vector<models::Detection> found;
    if (image.any_valid(tile)) found = inference.detections(image.pixels(tile), limits);
    std::erase_if(found, [&](const models::Detection& object) {
      // What has its centre beyond the tile is better seen by the neighbour.
      const bool inside =
          object.box.cx >= 0 && object.box.cx < tile.width && object.box.cy >= 0 && object.box.cy < tile.height;
      return !inside ||
             !image.is_valid(tile.x + static_cast<int>(object.box.cx), tile.y + static_cast<int>(object.box.cy));
    });
    progress.advance();
    return found;
  };
  const bool oriented = model.detector->config().oriented;
  for (const models::Detection& object :
       detect_in_tiles(image.info().width, image.info().height, options.tiles, look, oriented, limits)) {
    shapes.add(layout::make_oriented_box(object.box),
               {{"class", model.config.taxonomy.at(object.class_index).name}, {"score", object.score}});
  }
  shapes.write(paths.objects);
  result.shapes = shapes.size();
}

}  // namespace

void predict(const models::PerceptionInference& inference, const std::vector<fs::path>& images,
             const PredictOptions& options, const fs::path& output,
             const std::function<void(const PredictedImage&)>& done) {
  const models::PerceptionConfig& config = inference.model().config;
  options.validate(config);
  refuse_before_work(config, images, options, output);
  std::error_code error;
  fs::create_directories(output, error);
  if (error) throw DataError(output.string(), std::format("cannot be created ({})", error.message()));
  if (config.is_segmenter()) write_json(output / kClassList, class_numbers(config));
  for (const fs::path& source : images) {
    const Stopwatch watch;
    const OutputPaths paths(output, source);
    ImageStrips image(source, config.images, options.bands);
    PredictedImage result{.source = source, .width = image.info().width, .height = image.info().height};
    config.is_segmenter() ? segment_image(inference, image, options, paths, result)
                          : detect_image(inference, image, options, paths, result);
    result.seconds = watch.seconds();
    result.files = wanted_files(paths, config.is_segmenter(), options);
    done(result);
  }
}

}  // namespace terragen::prediction
