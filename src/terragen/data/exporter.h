// Datasets to the formats that other tools read.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "terragen/data/dataset.h"

namespace terragen::data {

struct ExportOptions {
  std::string format;          // "coco", "yolo", "dota", "voc", "masks", "geojson"
  std::string shape;           // of YOLO alone: "boxes" (also when empty), "oriented", "polygons"
  bool lossy = false;          // shapes that the format cannot carry become the nearest it can, crowds are left out
  std::optional<Split> split;  // nothing: all
};

struct ExportSummary {
  std::size_t images = 0;
  std::size_t objects = 0;
  std::size_t approximated = 0;  // shapes that changed, with `lossy`
  std::size_t left_out = 0;      // crowds that the format does not know, with `lossy`
};

// Images are copied byte for byte; images without objects are kept. Boxes and rings are cut at the image's edge, which
// most readers ask for; oriented boxes keep their corners, as in DOTA. RequestError for a format that is not offered,
// for a shape or a crowd that the format cannot carry unless `lossy`, and for images whose labels would share a file.
// `output` appears complete or not at all.
//   coco:    <split>/ images and _annotations.coco.json
//   yolo:    images/<split>/, labels/<split>/, data.yaml; where nothing is for validation, the test or training images
//   dota:    <split>/images/, <split>/labelTxt/
//   voc:     JPEGImages/, Annotations/, ImageSets/Main/<split>.txt
//   masks:   images/<split>/, masks/<split>/, classes.json; features are drawn into the masks. Where no mask is dense,
//            what no feature covers is a class of its own, "(background)", the last; unlabelled pixels are 255
//   geojson: images/<split>/, labels.geojson in EPSG:4326; every image must be georeferenced
ExportSummary export_dataset(const Dataset& dataset, const ExportOptions& options, const std::filesystem::path& output);

}  // namespace terragen::data
