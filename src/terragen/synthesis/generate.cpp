#include "terragen/synthesis/generate.h"

#include <algorithm>
#include <format>
#include <set>

#include "terragen/core/atomic_file.h"
#include "terragen/core/error.h"
#include "terragen/core/progress.h"
#include "terragen/core/seed.h"
#include "terragen/core/stopwatch.h"
#include "terragen/data/dataset.h"
#include "terragen/data/labelled_image.h"
#include "terragen/geo/raster_io.h"
#include "terragen/models/reference_encoder.h"
#include "terragen/synthesis/contact_sheet.h"
#include "terragen/synthesis/image_raster.h"
#include "terragen/synthesis/painting_condition.h"
#include "terragen/synthesis/stac_item.h"

namespace terragen::synthesis {
namespace {

constexpr std::size_t kMostInARow = 8;         // of the contact sheet
constexpr int kMostShown = 384;                // pixels of an image's middle there
constexpr std::size_t kPaintedTogether = 256;  // images told and painted together

namespace fs = std::filesystem;

// The real image as the model would see it, for the contact sheet.
torch::Tensor real_image(const PlacedLayout& placed, const models::ImageInfo& info) {
  if (placed.real_image.empty()) return {};
  const geo::Raster raster = geo::read_raster(placed.real_image);
  if (static_cast<std::size_t>(raster.bands) < info.bands.size()) return {};
  torch::Tensor image = torch::empty({raster.bands, placed.layout.height, placed.layout.width});
  auto pixel = image.accessor<float, 3>();
  const auto [type_low, type_high] = geo::natural_range(raster.type);
  for (int b = 0; b < raster.bands; ++b) {
    // A dataset of another type than the model's was mapped to the model's range when it was packed: here the picture
    // is only stretched to be looked at.
    const bool same = geo::data_type_name(raster.type) == info.data_type;
    double low = same && b < std::ssize(info.bands) ? info.bands[static_cast<std::size_t>(b)].low : type_low;
    double high = same && b < std::ssize(info.bands) ? info.bands[static_cast<std::size_t>(b)].high : type_high;
    if (!same) {
      low = high = raster.at(b, 0, 0);
      for (int y = 0; y < raster.height; ++y) {
        for (int x = 0; x < raster.width; ++x)
          low = std::min(low, raster.at(b, x, y)), high = std::max(high, raster.at(b, x, y));
      }
      high = std::max(high, low + 1);
    }
    for (int y = 0; y < placed.layout.height; ++y) {
      for (int x = 0; x < placed.layout.width; ++x) {
        pixel[b][y][x] = static_cast<float>((raster.at(b, x, y) - low) / (high - low) * 2.0 - 1.0);
      }
    }
  }
  return image.clamp(-1.0, 1.0);
}

// What the contact sheet shows of an image: [B, H, W], or undefined.
torch::Tensor shown_part(const torch::Tensor& image) {
  if (!image.defined()) return image;
  const auto middle = [&](const torch::Tensor& whole, std::int64_t dim) {
    const std::int64_t length = std::min<std::int64_t>(whole.size(dim), kMostShown);
    return whole.narrow(dim, (whole.size(dim) - length) / 2, length);
  };
  return middle(middle(image, 1), 2);
}

layout::Layout shown_part(const layout::Layout& layout) {
  const int width = std::min(layout.width, kMostShown);
  const int height = std::min(layout.height, kMostShown);
  if (width == layout.width && height == layout.height) return layout;
  return layout::crop(layout, (layout.width - width) / 2, (layout.height - height) / 2, width, height);
}

// Without the class by which a model is told of pictures: nobody labels that.
layout::Taxonomy users_classes(const layout::Taxonomy& known) {
  std::vector<layout::ClassInfo> classes = known.classes();
  if (!classes.empty() && classes.back().name == models::kReferenceClass) classes.pop_back();
  return layout::Taxonomy(std::move(classes));
}

}  // namespace

GenerateSummary generate(Painter& painter, const std::vector<PlacedLayout>& layouts, const GenerateOptions& options,
                         const fs::path& output) {
  const Json settings = to_json(painter.options());
  if (options.count < 1) throw RequestError(std::format("{} images a layout are not possible", options.count));
  const Stopwatch watch;
  const models::ModelFolder& model = painter.model();
  const layout::Taxonomy& taxonomy = model.layout_encoder->config().taxonomy;

  const auto count = static_cast<std::size_t>(options.count);
  const std::size_t total = layouts.size() * count;
  std::set<std::string> tasks;
  for (const PlacedLayout& placed : layouts) tasks.insert(placed.layout.task);

  AtomicFolder folder(output);
  for (const char* part : {"images", "masks", "stac"}) fs::create_directory(folder.path() / part);
  data::Dataset dataset;
  dataset.name = output.filename().string();
  dataset.task = tasks.size() == 1 ? *tasks.begin() : "mixed";
  dataset.data_type = model.images.data_type;
  for (const models::BandRange& band : model.images.bands) dataset.bands.push_back({band.name, band.low, band.high});
  dataset.taxonomy = users_classes(taxonomy);
  dataset.provenance = {{"synthetic", true},
                        {"model_sha256", model.hash},
                        {"settings", settings},
                        {"seed", options.seed},
                        {"model_card", model.card}};
  const geo::DataType type = geo::data_type_from_name(model.images.data_type, "model");
  std::vector<SheetRow> rows;
  Progress progress("painting", static_cast<std::int64_t>(total));
  const auto keep = [&](std::size_t index, const PaintRequest& request, const torch::Tensor& image) {
    const std::size_t l = index / count;
    const PlacedLayout& placed = layouts[l];
    const layout::Layout& label = request.layout;
    const std::string stem = std::format("{:04}_{}_{}", l, placed.name, index % count);
    const geo::Raster raster = raster_from_image(image, model.images.bands, type, {placed.crs, placed.crs_from_pixel});
    data::ImageRecord record;
    record.file_name = stem + image_extension(raster);
    record.synthetic = true;
    record.split = placed.split;
    record.place = placed.layout.place;
    record.crs = placed.crs;
    record.crs_from_pixel = placed.crs_from_pixel;
    record.gsd = placed.layout.gsd;
    record.caption = placed.layout.caption;
    record.source = std::format("painted from {}, seed {}", placed.source, request.seed);
    record.features = label.features;
    data::write_labelled_image(folder.path(), raster, label.mask, record);
    dataset.dense = dataset.dense || label.mask;
    write_json(folder.path() / "stac" / (stem + ".json"),
               stac_item(stem, "../images/" + record.file_name, raster.width, raster.height, placed.crs,
                         placed.crs_from_pixel, {model.hash, request.seed, placed.source, settings}));
    dataset.images.push_back(std::move(record));
    if (index % count == 0 && std::ssize(rows) < options.sheet_rows) {
      rows.push_back({std::format("{}: {}", label.task, placed.name),
                      shown_part(label),
                      shown_part(real_image(placed, model.images)),
                      {}});
    }
    if (l < rows.size() && rows[l].painted.size() < kMostInARow) rows[l].painted.push_back(shown_part(image).clone());
    progress.advance();
  };
  bool stopped = false;
  try {
    // In portions, so that memory does not grow with the number of layouts. What is painted is told there, once, and is
    // also the label.
    for (std::size_t first = 0; first < total; first += kPaintedTogether) {
      std::vector<PaintRequest> requests;
      for (std::size_t k = first; k < std::min(first + kPaintedTogether, total); ++k) {
        const std::uint64_t seed = derive_seed(derive_seed(options.seed, k / count), k % count);
        requests.push_back({painting_condition(layouts[k / count].layout, model), seed, {}, 1, {}});
      }
      painter.paint(requests, [&](std::size_t index, const torch::Tensor& image) {
        keep(first + index, requests[index], image);
      });
    }
  } catch (const Interrupted&) {
    if (dataset.images.empty()) throw;
    stopped = true;
  }
  data::write_dataset(dataset, folder.path());
  write_contact_sheet(folder.path() / "contact_sheet.png", rows, taxonomy);
  folder.commit();
  if (stopped) {
    throw Interrupted(std::format("stopped; {} of {} images are in {}", dataset.images.size(), total, output.string()));
  }
  return {total, watch.seconds()};
}

}  // namespace terragen::synthesis
