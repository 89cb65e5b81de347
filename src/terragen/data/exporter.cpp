#include "terragen/data/exporter.h"

#include <format>
#include <map>

#include "terragen/core/atomic_file.h"
#include "terragen/core/error.h"
#include "terragen/core/interrupt.h"
#include "terragen/core/progress.h"
#include "terragen/data/export_writer.h"

namespace terragen::data {
namespace {

// In these formats an image's labels are a file of the image's name without its extension.
void require_own_stems(const std::vector<const ImageRecord*>& images) {
  std::map<std::filesystem::path, const ImageRecord*> seen;
  for (const ImageRecord* image : images) {
    const auto [other, is_new] = seen.emplace(std::filesystem::path(image->file_name).stem(), image);
    if (is_new) continue;
    throw RequestError(
        std::format("the labels of {} and {} would be one file", other->second->file_name, image->file_name),
        "export to coco or geojson instead");
  }
}

}  // namespace

ExportSummary export_dataset(const Dataset& dataset, const ExportOptions& options,
                             const std::filesystem::path& output) {
  static const std::map<std::string, decltype(&make_coco_writer)> kWriters{
      {"coco", make_coco_writer}, {"yolo", make_yolo_writer},  {"dota", make_dota_writer},
      {"voc", make_voc_writer},   {"masks", make_mask_writer}, {"geojson", make_geojson_writer}};
  const auto make = kWriters.find(options.format);
  if (make == kWriters.end()) {
    throw RequestError(std::format("the format \"{}\" is not offered", options.format),
                       "choose coco, yolo, dota, voc, masks or geojson");
  }
  if (!options.shape.empty() && options.format != "yolo") {
    throw RequestError("--shape is YOLO's alone", "leave it out for " + options.format);
  }
  std::vector<const ImageRecord*> images;
  for (const ImageRecord& image : dataset.images) {
    if (!options.split || image.split == *options.split) images.push_back(&image);
  }
  if (images.empty()) throw RequestError("the dataset has no images of this split");
  if (options.format != "coco" && options.format != "geojson") require_own_stems(images);
  AtomicFolder folder(output);
  const auto writer = make->second(dataset, options, folder.path());
  ExportSummary summary{.images = images.size()};
  Progress progress("exporting", std::ssize(images));
  for (const ImageRecord* image : images) {
    if (interrupt_requested()) throw Interrupted("stopped while exporting");
    if (image->mask_name && options.format != "masks") {
      throw RequestError(std::format("{}: a dense mask cannot be written as {}", image->file_name, options.format),
                         "export to masks instead");
    }
    writer->add(*image);
    summary.objects += image->features.size();
    progress.advance();
  }
  writer->finish();
  folder.commit();
  summary.approximated = writer->approximated();
  summary.left_out = writer->left_out();
  return summary;
}

}  // namespace terragen::data
