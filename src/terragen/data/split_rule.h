// Which split an image belongs to, by the recipe's [splits].
#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "terragen/data/dataset.h"
#include "terragen/data/recipe.h"

namespace terragen::data {

class SplitRule {
 public:
  // DataError when a list of images cannot be read.
  SplitRule(const Recipe& recipe, std::filesystem::path root);
  // `path`: below the root. Test wins over validation, validation over training; without [splits] all is for training.
  // DataError when none claims the image.
  Split split_of(const std::string& path) const;

 private:
  struct Claim {
    std::vector<std::string> globs;
    std::set<std::string> listed;  // paths, names and stems
    bool holds(const std::string& path) const;
  };
  Claim claim_of(const std::vector<std::string>& entries) const;
  std::filesystem::path root_;
  Claim train_, val_, test_;
  bool all_train_ = false;
};

}  // namespace terragen::data
