// A dataset on disk: dataset.json, images/, masks/ where dense, annotations.json (COCO with extra keys).
#pragma once

#include <array>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "terragen/formats/annotation_set.h"
#include "terragen/layout/layout.h"

namespace terragen::data {

enum class Split { train, val, test };
std::string split_name(Split split);
// DataError naming `place` for any other word.
Split split_from_name(const std::string& name, const std::string& place);

// How one band's stored values map to what the model sees: low -> -1, high -> +1, linear, clamped.
struct BandInfo {
  std::string name;  // "red", "B02", ...
  double low = 0;
  double high = 255;
};

struct ImageRecord {
  std::string file_name;                 // below images/
  std::optional<std::string> mask_name;  // below masks/, single-band uint8 PNG of class numbers, 255 unlabelled
  int width = 0;                         // pixels
  int height = 0;                        // pixels
  Split split = Split::train;
  std::string place;                                    // place or event, from the recipe; splits are by place
  std::string crs;                                      // "EPSG:32611", WKT, or empty: the image has none
  std::optional<std::array<double, 6>> crs_from_pixel;  // GDAL geotransform, or none
  std::optional<double> gsd;                            // metres a pixel at the image's centre
  std::string source;                                   // file it came from and window in it
  std::string caption;                                  // what its user says of it in words, or empty
  bool synthetic = false;                               // painted, pasted or distorted, not as it was measured
  std::vector<layout::Feature> features;                // pixel coordinates
};

struct Dataset {
  std::filesystem::path folder;
  std::string name;
  std::string task;
  std::string licence;
  std::string attribution;
  std::string sensor;
  std::string data_type;  // "uint8", "uint16", "int16", "float32": of all images
  std::vector<BandInfo> bands;
  std::optional<double> nodata;
  layout::Taxonomy taxonomy;
  bool dense = false;  // masks/ is present
  std::vector<ImageRecord> images;
  std::vector<formats::LabelProblem> problems;  // found while importing
  nlohmann::json provenance;                    // recipe, its hash, program version, for synthetic data the model
};

// Reads dataset.json and annotations.json; images and masks stay on disk. DataError naming file and place.
Dataset read_dataset(const std::filesystem::path& folder);
// Writes dataset.json and annotations.json into `folder`, where images/ and masks/ already lie.
void write_dataset(const Dataset& dataset, const std::filesystem::path& folder);
// The layout of one image, with its dense mask read from masks/ where it has one.
layout::Layout layout_of(const Dataset& dataset, const ImageRecord& image);
// The dataset with nothing but the measured images of one split ("train", "val", "test").
Dataset real_images(const Dataset& dataset, const std::string& split);
// The painted ones of one split, or all of it where none is called synthetic.
Dataset painted_images(const Dataset& dataset, const std::string& split);
// The measured images of the split "train"; RequestError where there are none.
Dataset training_images(const Dataset& dataset);

}  // namespace terragen::data
