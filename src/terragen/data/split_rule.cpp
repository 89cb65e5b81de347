#include "terragen/data/split_rule.h"

#include <algorithm>

#include "terragen/core/error.h"
#include "terragen/data/path_match.h"
#include "terragen/formats/text_lines.h"

namespace terragen::data {

namespace fs = std::filesystem;

SplitRule::SplitRule(const Recipe& recipe, fs::path root) : root_(std::move(root)) {
  train_ = claim_of(recipe.train);
  val_ = claim_of(recipe.val);
  test_ = claim_of(recipe.test);
  all_train_ = recipe.train.empty() && recipe.val.empty() && recipe.test.empty();
}

SplitRule::Claim SplitRule::claim_of(const std::vector<std::string>& entries) const {
  Claim claim;
  for (const std::string& entry : entries) {
    if (!entry.starts_with("@")) {
      claim.globs.push_back(entry);
      continue;
    }
    for (const formats::TextLine& line : formats::read_text_lines(root_ / entry.substr(1))) {
      std::string name = formats::trimmed(line.text);
      if (name.starts_with("./")) name = name.substr(2);
      if (!name.empty()) claim.listed.insert(name);
    }
  }
  return claim;
}

bool SplitRule::Claim::holds(const std::string& path) const {
  if (std::ranges::any_of(globs, [&](const std::string& glob) { return glob_matches(glob, path); })) return true;
  const fs::path file(path);
  return listed.contains(path) || listed.contains(file.filename().string()) || listed.contains(file.stem().string());
}

Split SplitRule::split_of(const std::string& path) const {
  if (all_train_) return Split::train;
  if (test_.holds(path)) return Split::test;
  if (val_.holds(path)) return Split::val;
  if (train_.holds(path)) return Split::train;
  throw DataError((root_ / path).string(), "falls into none of train, val and test", "extend [splits] in the recipe");
}

}  // namespace terragen::data
