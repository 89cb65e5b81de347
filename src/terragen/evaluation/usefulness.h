// The protocol of usefulness: models trained on real images alone, and on real images with new ones made from them,
// with the same number of steps and the same augmentation, tested on places that none of them has seen.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "terragen/core/json_file.h"
#include "terragen/synthesis/augment.h"
#include "terragen/training/train_job.h"

namespace terragen::evaluation {

struct UsefulnessOptions {
  std::vector<std::filesystem::path> datasets;          // with train and test images
  std::filesystem::path model;                          // generator
  std::map<std::string, std::filesystem::path> models;  // generators of single datasets, by name
  std::vector<int> tiles = {0, 20, 5};                  // training images; 0: all
  int seeds = 3;
  // "real", "copy-paste", "photometric", "geometric", "terragen", "terragen-unfiltered"
  std::vector<std::string> methods = {"real", "copy-paste", "terragen", "terragen-unfiltered"};
  int painted = 100;          // new images of a method, about: as many for every training image, at most one for each
                              // of that many where there are more
  double reject_share = 0.2;  // of "terragen": lowest scores by the model trained on the real images
  synthesis::VariationOptions variation;
  synthesis::PaintOptions paint;
  training::TrainJob train;                    // of every model; what is trained is decided by the dataset's task
  std::vector<std::filesystem::path> earlier;  // JSON of runs whose models count as trained, see adopt_cells

  void validate() const;
};

// What one model trained in one way on one subset achieved.
struct UsefulnessCell {
  std::string dataset;
  std::string task;
  int tiles = 0;        // training images; 0: all
  int real_images = 0;  // that were used
  int seed = 0;
  std::string method;
  std::string measure;                    // "mIoU" or "AP50"
  double score = 0;                       // in [0, 1], on the test places; NaN where nothing could be found
  std::map<std::string, double> classes;  // the same by class; NaN where it does not appear
  int made = 0;                           // new images
  int rejected = 0;
  double threshold = 0;
  double make_seconds = 0;
  double judge_seconds = 0;
  double train_seconds = 0;
  double test_seconds = 0;
  double train_flops = 0;  // of all steps
  double make_flops = 0;
  double judge_flops = 0;
  std::int64_t peak_memory = 0;  // bytes, of the process that measured it
  // Of what it was measured with: a cell is one of a later run only where both are the same.
  std::string dataset_sha256;
  std::string generator_sha256;  // empty where nothing was painted
};

Json to_json(const UsefulnessCell& cell);
// Of training images: the number, or "all" for 0.
std::string tiles_text(int tiles);
// Of the cell's file and its model's folder.
std::string cell_name(const UsefulnessCell& cell);
UsefulnessCell usefulness_cell_from_json(const Json& value, const std::string& place);

// Runs what is not yet done: every finished cell is a file in `output`/cells, so that a run that was stopped goes on.
// RequestError when `output` holds cells of other settings. Test places are checked against the generator's card and
// the datasets' own splits first (see leak_check.h).
std::vector<UsefulnessCell> evaluate_usefulness(const UsefulnessOptions& options, const std::filesystem::path& output);

}  // namespace terragen::evaluation
