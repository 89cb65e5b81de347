#include <algorithm>
#include <format>

#include "terragen/core/error.h"
#include "terragen/core/json_file.h"
#include "terragen/data/export_writer.h"
#include "terragen/formats/masks.h"
#include "terragen/geo/raster_io.h"
#include "terragen/layout/rasterise.h"

namespace terragen::data {
namespace {

namespace fs = std::filesystem;

class MaskWriter : public ExportWriter {
 public:
  MaskWriter(const Dataset& dataset, const ExportOptions& options, const fs::path& folder)
      : ExportWriter(dataset, options, folder),
        has_background_(
            std::ranges::none_of(dataset.images, [](const ImageRecord& i) { return i.mask_name.has_value(); })),
        uncovered_(has_background_ ? static_cast<std::uint8_t>(dataset.taxonomy.size()) : layout::kUnlabelled) {
    if (has_background_ && dataset.taxonomy.size() >= layout::kUnlabelled) {
      throw RequestError(
          std::format("masks of {} classes and a background need more than a byte", dataset.taxonomy.size()));
    }
  }
  void add(const ImageRecord& image) override {
    const std::string split = split_name(image.split);
    copy_image(image, fs::path("images") / split);
    fs::create_directories(folder_ / "masks" / split);
    const layout::DenseMask mask = layout::rasterise_classes(layout_of(dataset_, image), uncovered_);
    geo::write_raster(folder_ / "masks" / split / (stem(image) + ".png"), formats::raster_from_mask(mask));
  }
  void finish() override {
    Json classes = layout::taxonomy_to_json(dataset_.taxonomy);
    if (has_background_) classes.push_back({{"name", "(background)"}, {"color", "#000000"}});
    write_json(folder_ / "classes.json", {{"classes", classes}, {"unlabelled", layout::kUnlabelled}});
  }

 private:
  const bool has_background_;
  const std::uint8_t uncovered_;
};

}  // namespace

std::unique_ptr<ExportWriter> make_mask_writer(const Dataset& dataset, const ExportOptions& options,
                                               const fs::path& folder) {
  return std::make_unique<MaskWriter>(dataset, options, folder);
}

}  // namespace terragen::data
