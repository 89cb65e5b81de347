#include "terragen/data/split_rule.h"

#include <algorithm>
#include <format>
#include <optional>

#include "terragen/core/error.h"
#include "terragen/data/path_match.h"
#include "terragen/formats/text_lines.h"

namespace terragen::data {

namespace fs = std::filesystem;

SplitRule::SplitRule(const Recipe& recipe, fs::path root) : root_(std::move(root)) {
  add_claims(Split::test, recipe.test);
  add_claims(Split::val, recipe.val);
  add_claims(Split::train, recipe.train);
  all_train_ = claims_.empty();
}

void SplitRule::add_claims(Split split, const std::vector<std::string>& entries) {
  for (const std::string& entry : entries) {
    Claim claim{split, entry, {}};
    if (entry.starts_with("@")) {
      for (const formats::TextLine& line : formats::read_text_lines(root_ / entry.substr(1))) {
        std::string name = formats::trimmed(line.text);
        if (name.starts_with("./")) name = name.substr(2);
        if (!name.empty()) claim.listed.emplace(name, false);
      }
    }
    claims_.push_back(std::move(claim));
  }
}

bool SplitRule::Claim::holds(const std::string& path) {
  const fs::path file(path);
  bool held = !entry.starts_with("@") && glob_matches(entry, path);
  for (const std::string& name : {path, file.filename().string(), file.stem().string()}) {
    const auto found = listed.find(name);
    if (found == listed.end()) continue;
    found->second = true;
    held = true;
  }
  answered = answered || held;
  return held;
}

Split SplitRule::split_of(const std::string& path) {
  if (all_train_) return Split::train;
  std::optional<Split> split;
  for (Claim& claim : claims_) {
    if (claim.holds(path) && !split) split = claim.split;
  }
  if (split) return *split;
  throw DataError((root_ / path).string(), "falls into none of train, val and test", "extend [splits] in the recipe");
}

std::vector<formats::LabelProblem> SplitRule::finish() const {
  std::vector<formats::LabelProblem> problems;
  for (const Claim& claim : claims_) {
    if (!claim.answered) {
      throw DataError(
          root_.string(),
          std::format("no image answers to \"{}\", which [splits] gives to {}", claim.entry, split_name(claim.split)),
          "globs and lists name images by their path below the root, lists also by name or stem");
    }
    const auto missing = std::ranges::count(claim.listed, false, &std::pair<const std::string, bool>::second);
    if (missing == 0) continue;
    const auto first = std::ranges::find(claim.listed, false, &std::pair<const std::string, bool>::second);
    problems.push_back({(root_ / claim.entry.substr(1)).string(),
                        std::format("names {} images that are not there, such as {}", missing, first->first)});
  }
  return problems;
}

}  // namespace terragen::data
