#include <map>

#include "terragen/data/export_writer.h"
#include "terragen/formats/coco.h"

namespace terragen::data {
namespace {

class CocoWriter : public ExportWriter {
 public:
  using ExportWriter::ExportWriter;
  void add(const ImageRecord& image) override {
    const std::string split = split_name(image.split);
    formats::AnnotationSet& set = sets_[split];
    set.taxonomy = dataset_.taxonomy;
    set.images.push_back({image.file_name, image.width, image.height, image.features});
    copy_image(image, split);
  }
  void finish() override {
    for (const auto& [split, set] : sets_) formats::write_coco(set, folder_ / split / "_annotations.coco.json", true);
  }

 private:
  std::map<std::string, formats::AnnotationSet> sets_;
};

}  // namespace

std::unique_ptr<ExportWriter> make_coco_writer(const Dataset& dataset, const ExportOptions& options,
                                               const std::filesystem::path& folder) {
  return std::make_unique<CocoWriter>(dataset, options, folder);
}

}  // namespace terragen::data
