// Datasets to the formats that other tools read.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "terragen/data/dataset.h"

namespace terragen::data {

struct ExportOptions {
  std::string format;           // "coco", "yolo", "dota", "voc", "masks", "geojson"
  std::string shape = "boxes";  // of YOLO: "boxes", "oriented", "polygons"
  bool lossy = false;           // shapes that the format cannot carry become the nearest it can
  std::optional<Split> split;   // nothing: all
};

struct ExportSummary {
  std::size_t images = 0;
  std::size_t objects = 0;
  std::size_t approximated = 0;  // shapes that changed, with `lossy`
};

// Images are copied byte for byte; images without objects are kept. RequestError for a format that is not offered, and
// for a shape that the format cannot carry unless `lossy`. `output` appears complete or not at all.
//   coco:    <split>/ images and _annotations.coco.json
//   yolo:    images/<split>/, labels/<split>/, data.yaml
//   dota:    <split>/images/, <split>/labelTxt/
//   voc:     JPEGImages/, Annotations/, ImageSets/Main/<split>.txt
//   masks:   images/<split>/, masks/<split>/, classes.json; features are drawn into the masks
//   geojson: images/<split>/, labels.geojson in EPSG:4326; every image must be georeferenced
ExportSummary export_dataset(const Dataset& dataset, const ExportOptions& options, const std::filesystem::path& output);

}  // namespace terragen::data
