#include <format>
#include <map>

#include "terragen/core/error.h"
#include "terragen/data/export_writer.h"
#include "terragen/formats/dota.h"

namespace terragen::data {
namespace {

namespace fs = std::filesystem;

class DotaWriter : public ExportWriter {
 public:
  DotaWriter(const Dataset& dataset, const ExportOptions& options, const fs::path& folder)
      : ExportWriter(dataset, options, folder) {
    std::map<std::string, std::string> names;
    for (const layout::ClassInfo& entry : dataset.taxonomy.classes()) {
      const auto [other, is_new] = names.emplace(formats::dota_name(entry.name), entry.name);
      if (is_new) continue;
      throw RequestError(std::format("DOTA has no spaces in names: the classes \"{}\" and \"{}\" would be one",
                                     other->second, entry.name));
    }
  }
  void add(const ImageRecord& image) override {
    const fs::path split = split_name(image.split);
    std::vector<formats::NamedObject> objects;
    for (const layout::Feature& feature : carried(image, Carries::oriented_boxes, true, "DOTA")) {
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
