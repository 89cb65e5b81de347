#include <format>
#include <map>
#include <set>

#include "terragen/core/atomic_file.h"
#include "terragen/core/error.h"
#include "terragen/data/export_writer.h"
#include "terragen/formats/yaml_lines.h"
#include "terragen/formats/yolo.h"

namespace terragen::data {
namespace {

namespace fs = std::filesystem;

class YoloWriter : public ExportWriter {
 public:
  YoloWriter(const Dataset& dataset, const ExportOptions& options, const fs::path& folder)
      : ExportWriter(dataset, options, folder) {
    using formats::YoloShape;
    if (!options.shape.empty()) shape_name_ = options.shape;
    if (shape_name_ == "boxes") {
      shape_ = YoloShape::boxes;
    } else if (shape_name_ == "oriented") {
      shape_ = YoloShape::oriented;
      carries_ = Carries::oriented_boxes;
    } else if (shape_name_ == "polygons") {
      shape_ = YoloShape::polygons;
      carries_ = Carries::single_rings;
    } else {
      throw RequestError(std::format("shape \"{}\" is not known", options.shape), "choose boxes, oriented or polygons");
    }
  }
  void add(const ImageRecord& image) override {
    const std::string split = split_name(image.split);
    splits_.insert(split);
    const auto features = carried(image, carries_, false, "YOLO " + shape_name_);
    copy_image(image, fs::path("images") / split);
    const fs::path labels = folder_ / "labels" / split;
    fs::create_directories(labels);
    formats::write_yolo(features, shape_, image.width, image.height, labels / (stem(image) + ".txt"));
  }
  void finish() override {
    // Without a "path" the folders below are looked for beside this file.
    std::string yaml;
    for (const std::string& split : splits_) yaml += std::format("{0}: images/{0}\n", split);
    // Trainers ask for both of these whatever there is.
    if (!splits_.contains("val")) yaml += std::format("val: images/{}\n", splits_.contains("test") ? "test" : "train");
    if (!splits_.contains("train")) yaml += std::format("train: images/{}\n", *splits_.begin());
    yaml += "names:\n";
    for (int k = 0; k < dataset_.taxonomy.size(); ++k)
      yaml += std::format("  {}: {}\n", k, formats::yaml_quoted(dataset_.taxonomy.at(k).name));
    write_file(folder_ / "data.yaml", yaml);
  }

 private:
  std::string shape_name_ = "boxes";
  formats::YoloShape shape_ = formats::YoloShape::boxes;
  Carries carries_ = Carries::boxes;
  std::set<std::string> splits_;
};

}  // namespace

std::unique_ptr<ExportWriter> make_yolo_writer(const Dataset& dataset, const ExportOptions& options,
                                               const fs::path& folder) {
  return std::make_unique<YoloWriter>(dataset, options, folder);
}

}  // namespace terragen::data
