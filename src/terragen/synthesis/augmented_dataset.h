// A dataset under construction: real images as they are, and synthetic ones beside them.
#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "terragen/core/atomic_file.h"
#include "terragen/data/dataset.h"
#include "terragen/models/model_folder.h"
#include "terragen/shards/sample.h"

namespace terragen::synthesis {

// The names of a dataset's images without their endings.
class ImageStems {
 public:
  explicit ImageStems(const data::Dataset& dataset);
  // The stem, or where an image has it, the first of stem_2, stem_3, ... that is free: a dataset may be enlarged more
  // than once.
  std::string free(const std::string& stem) const;

 private:
  std::set<std::string> taken_;
};

class AugmentedDataset {
 public:
  // Takes over classes, bands and number type of `real`; with `keep_real` also its images, byte for byte. `output`
  // appears complete or not at all.
  AugmentedDataset(const data::Dataset& real, bool keep_real, const std::filesystem::path& output);
  // Bands as in the dataset, in the form that the writer of images wants.
  const std::vector<models::BandRange>& bands() const { return bands_; }
  // A synthetic image of the training split. Pixels that are not valid become unlabelled, and carry the nodata value
  // where the dataset has one.
  void add(const std::string& stem, const shards::Sample& sample);
  // A real image with things painted into it: pixels where `changed` is 0 keep their stored values to the bit, and the
  // image its place on Earth, bands, number type and nodata value. sample: the whole image and its label; changed:
  // [H, W].
  void add_over(const std::string& stem, const data::ImageRecord& real, const shards::Sample& sample,
                const torch::Tensor& changed);
  // The images of another dataset of the same classes, with their files.
  void adopt(const data::Dataset& other);
  // Takes back the synthetic images of these stems.
  void remove(const std::set<std::string>& stems);
  void finish(const nlohmann::json& provenance);

 private:
  // DataError where a file of the dataset is missing.
  void copy(const std::filesystem::path& from, const std::filesystem::path& name) const;
  void list(data::ImageRecord record);

  AtomicFolder folder_;
  data::Dataset dataset_;
  std::set<std::string> names_;  // files of dataset_.images
  std::vector<models::BandRange> bands_;
};

}  // namespace terragen::synthesis
