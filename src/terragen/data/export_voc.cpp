#include <map>

#include "terragen/core/atomic_file.h"
#include "terragen/data/export_writer.h"
#include "terragen/formats/voc.h"

namespace terragen::data {
namespace {

namespace fs = std::filesystem;

class VocWriter : public ExportWriter {
 public:
  using ExportWriter::ExportWriter;
  void add(const ImageRecord& image) override {
    formats::VocFile file{image.file_name, image.width, image.height, {}};
    for (const layout::Feature& feature : carried(image, Carries::boxes, true, "Pascal VOC")) {
      file.objects.push_back({class_name(feature), feature.geometry, feature.difficult, {}});
    }
    copy_image(image, "JPEGImages");  // VOC's own name for the folder, whatever the images' form
    fs::create_directories(folder_ / "Annotations");
    formats::write_voc(file, static_cast<int>(dataset_.bands.size()), folder_ / "Annotations" / (stem(image) + ".xml"));
    lists_[split_name(image.split)] += stem(image) + "\n";
  }
  void finish() override {
    fs::create_directories(folder_ / "ImageSets" / "Main");
    for (const auto& [split, list] : lists_) write_file(folder_ / "ImageSets" / "Main" / (split + ".txt"), list);
  }

 private:
  std::map<std::string, std::string> lists_;
};

}  // namespace

std::unique_ptr<ExportWriter> make_voc_writer(const Dataset& dataset, const ExportOptions& options,
                                              const fs::path& folder) {
  return std::make_unique<VocWriter>(dataset, options, folder);
}

}  // namespace terragen::data
