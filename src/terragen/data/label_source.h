// The labels a recipe names, looked up by image.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "terragen/data/recipe.h"
#include "terragen/formats/annotation_set.h"
#include "terragen/formats/geojson.h"
#include "terragen/formats/masks.h"
#include "terragen/geo/georeference.h"

namespace terragen::data {

// What the labels say of one whole image, in its pixels.
struct ImageLabels {
  std::vector<layout::Feature> features;
  std::optional<layout::DenseMask> mask;
};

// One image as the importer knows it.
struct SourceImage {
  std::string path;  // below the root
  int width = 0;
  int height = 0;
  geo::Georeference georeference;
  std::optional<double> gsd;  // metres a pixel
};

class LabelSource {
 public:
  // Reads what all images share (one COCO or GeoJSON file), and lists the rest. labels.path starts from `labels_root`.
  LabelSource(const Recipe& recipe, std::filesystem::path images_root, std::filesystem::path labels_root,
              const layout::Taxonomy& taxonomy);
  ~LabelSource();
  // DataError when the image has no label and the recipe does not say what is to be done then, or the label is damaged.
  // Nothing where the recipe says that such images are to be left out. A label that is nearer to another image of the
  // same name is that one's.
  std::optional<ImageLabels> labels_of(const SourceImage& image);
  // Call after the last image. Throws when masks held values that no class claims; labels that belong to no image are
  // a problem.
  void finish();
  std::vector<formats::LabelProblem>& problems() { return problems_; }
  bool is_dense() const;

 private:
  struct GeoLayer;
  struct CocoEntry {
    std::string file;
    formats::AnnotatedImage image;
  };
  void list_file(const std::string& file);
  void read_coco_file(const std::string& file);
  void tell_of_unused(const std::vector<std::string>& labels, const char* what);
  void read_geojson_layer(const std::string& file, const std::vector<std::string>& images);
  std::string label_file_of(const SourceImage& image);
  std::string nearest_file(const SourceImage& image) const;
  bool is_anothers(const std::string& file, const std::string& image) const;
  std::optional<ImageLabels> without_labels(const SourceImage& image, const std::string& problem);
  int class_of(const std::string& name, const std::string& place) const;
  ImageLabels from_mask(const SourceImage& image, const std::string& file);
  std::optional<ImageLabels> from_coco(const SourceImage& image);
  ImageLabels from_yolo(const SourceImage& image, const std::string& file);
  ImageLabels from_named_objects(const SourceImage& image, const std::string& file);
  ImageLabels from_points(const SourceImage& image, const std::string& file) const;
  ImageLabels from_geojson(const SourceImage& image);
  double pixels_from_metres(double metres, const char* key, const SourceImage& image) const;

  const Recipe& recipe_;
  std::filesystem::path images_root_;
  std::filesystem::path labels_root_;
  const layout::Taxonomy& taxonomy_;
  std::multimap<std::string, std::string> files_;      // label files by what they are matched on
  std::multimap<std::string, std::string> images_;     // images by their names, of label files without extension
  std::multimap<std::string, CocoEntry> coco_images_;  // by file name; classes are ours
  std::vector<std::unique_ptr<GeoLayer>> layers_;
  std::set<std::string> used_files_;
  std::set<const CocoEntry*> used_entries_;
  formats::UnknownValues unknown_;
  std::vector<formats::LabelProblem> problems_;
};

}  // namespace terragen::data
