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
  using ExportWriter::ExportWriter;
  void add(const ImageRecord& image) override {
    const std::string split = split_name(image.split);
    copy_image(image, fs::path("images") / split);
    fs::create_directories(folder_ / "masks" / split);
    const layout::DenseMask mask = layout::rasterise_classes(layout_of(dataset_, image));
    geo::write_raster(folder_ / "masks" / split / (stem(image) + ".png"), formats::raster_from_mask(mask));
  }
  void finish() override {
    write_json(folder_ / "classes.json",
               {{"classes", layout::taxonomy_to_json(dataset_.taxonomy)}, {"unlabelled", layout::kUnlabelled}});
  }
};

}  // namespace

std::unique_ptr<ExportWriter> make_mask_writer(const Dataset& dataset, const ExportOptions& options,
                                               const fs::path& folder) {
  return std::make_unique<MaskWriter>(dataset, options, folder);
}

}  // namespace terragen::data
