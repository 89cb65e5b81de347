// The protocol of few-shot segmentation: a class is withheld from a dataset but for a few examples, and what finds it
// in places never seen is a segmenter trained on the rest, the examples, and new images in which the class stands.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "terragen/core/json_file.h"
#include "terragen/synthesis/inpaint.h"
#include "terragen/training/train_job.h"

namespace terragen::evaluation {

struct FewShotOptions {
  std::filesystem::path dataset;                            // dense masks, training and test images
  std::vector<std::string> classes;                         // each in its turn is the novel one
  std::map<std::string, std::filesystem::path> generators;  // by novel class: paint after references, know it not
  int examples = 5;                                         // of the novel class, each in another training image
  // Pixels a side of a window about each example, in which nothing else of the class is labelled. 0: an example is a
  // whole image, labelled throughout.
  int example_window = 256;
  int seeds = 3;
  // "real", "copy-paste", "inpaint", and "inpaint" without one of its parts: "inpaint-unrefined",
  // "inpaint-unfiltered", "inpaint-anywhere"; or with one more: "inpaint-judged" by the model trained on "real"
  std::vector<std::string> methods = {
      "real", "copy-paste", "inpaint", "inpaint-unrefined", "inpaint-unfiltered", "inpaint-anywhere"};
  std::vector<std::string> architectures = {"segformer-b0"};
  synthesis::InpaintOptions inpaint;  // of every method but what it changes; class and seed are the protocol's
  synthesis::PaintOptions paint;
  training::TrainJob train;
  std::vector<std::filesystem::path> earlier;  // JSON of runs whose models count as trained, see adopt_cells

  void validate() const;
};

// What one segmenter achieved. IoU on the test places, in [0, 1].
struct FewShotCell {
  std::string novel;
  int seed = 0;
  std::string method;
  std::string architecture;
  std::map<std::string, double> classes;  // IoU; NaN where no test image has a class
  double novel_iou = 0;
  double base_iou = 0;  // mean over the other classes
  double score = 0;     // 0.4 base_iou + 0.6 novel_iou, see metrics::few_shot_score
  Json made;            // how the new images came about, see to_json(InpaintSummary); null where there are none
  double train_seconds = 0;
  double train_flops = 0;
  double test_seconds = 0;
  std::int64_t peak_memory = 0;  // bytes, of the process that measured it
  std::string generator_sha256;  // of the model that painted the new images; empty where nothing was painted
};

Json to_json(const FewShotCell& cell);
// Of the cell's file and its model's folder.
std::string cell_name(const FewShotCell& cell);
FewShotCell few_shot_cell_from_json(const Json& value, const std::string& place);

// What a generator for a class is trained on: `output`/CLASS/base, the dataset's training images without it.
std::filesystem::path few_shot_base(const std::filesystem::path& output, const std::string& novel);

// Runs what is not yet done, every finished cell is a file in `output`/cells. Makes the base sets first; where a
// generator is then missing, RequestError says how to train it. `refiner` outlines what is inpainted. The examples are
// drawn by the seed among the training images that show a thing of the class fit for placing, the things by their
// areas; all methods of a seed share them. Test places are checked as in evaluate_usefulness; a generator that knows
// the class is refused.
std::vector<FewShotCell> evaluate_few_shot(const FewShotOptions& options, synthesis::MaskRefiner& refiner,
                                           const std::filesystem::path& output);

}  // namespace terragen::evaluation
