#include "terragen/data/export_writer.h"
#include "terragen/formats/dota.h"

namespace terragen::data {
namespace {

namespace fs = std::filesystem;

class DotaWriter : public ExportWriter {
 public:
  using ExportWriter::ExportWriter;
  void add(const ImageRecord& image) override {
    const fs::path split = split_name(image.split);
    std::vector<formats::NamedObject> objects;
    for (const layout::Feature& feature : carried(image, Carries::oriented_boxes, "DOTA")) {
      objects.push_back({class_name(feature), feature.geometry, feature.difficult, {}});
    }
    copy_image(image, split / "images");
    fs::create_directories(folder_ / split / "labelTxt");
    formats::write_dota(objects, folder_ / split / "labelTxt" / (stem(image) + ".txt"));
  }
};

}  // namespace

std::unique_ptr<ExportWriter> make_dota_writer(const Dataset& dataset, const ExportOptions& options,
                                               const fs::path& folder) {
  return std::make_unique<DotaWriter>(dataset, options, folder);
}

}  // namespace terragen::data
