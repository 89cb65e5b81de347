// Which split an image belongs to, by the recipe's [splits].
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "terragen/data/dataset.h"
#include "terragen/data/recipe.h"
#include "terragen/formats/annotation_set.h"

namespace terragen::data {

class SplitRule {
 public:
  // DataError when a list of images cannot be read.
  SplitRule(const Recipe& recipe, std::filesystem::path root);
  // `path`: below the root. Test wins over validation, validation over training; without [splits] all is for training.
  // DataError when none claims the image.
  Split split_of(const std::string& path);
  // When all images were asked for. DataError for an entry of [splits] that none of them answers to: what it was meant
  // for has gone into another split. Of lists with some names that are not there the first is told.
  std::vector<formats::LabelProblem> finish() const;

 private:
  // One entry of a split: a glob, or a list of images.
  struct Claim {
    Split split = Split::train;
    std::string entry;
    std::map<std::string, bool> listed;  // path, name or stem, and whether an image has it
    bool answered = false;
    bool holds(const std::string& path);
  };
  void add_claims(Split split, const std::vector<std::string>& entries);
  std::filesystem::path root_;
  std::vector<Claim> claims_;  // of test, then validation, then training
  bool all_train_ = false;
};

}  // namespace terragen::data
