#include "terragen/data/path_match.h"

#include <algorithm>
#include <format>
#include <regex>

#include "terragen/core/error.h"

namespace terragen::data {
namespace {

std::string regex_of(const std::string& glob) {
  std::string regex;
  int depth = 0;
  for (std::size_t i = 0; i < glob.size(); ++i) {
    const char c = glob[i];
    if (c == '*' && i + 1 < glob.size() && glob[i + 1] == '*') {
      ++i;
      // "**/" also stands for no folder at all.
      if (i + 1 < glob.size() && glob[i + 1] == '/') {
        ++i;
        regex += "(?:.*/)?";
      } else {
        regex += ".*";
      }
    } else if (c == '*') {
      regex += "[^/]*";
    } else if (c == '?') {
      regex += "[^/]";
    } else if (c == '{') {
      regex += "(?:";
      ++depth;
    } else if (c == '}' && depth > 0) {
      regex += ")";
      --depth;
    } else if (c == ',' && depth > 0) {
      regex += "|";
    } else if (std::string(".^$+()[]|\\}").find(c) != std::string::npos) {
      regex += '\\';
      regex += c;
    } else {
      regex += c;
    }
  }
  for (; depth > 0; --depth) regex += ")";
  return regex;
}

}  // namespace

bool glob_matches(const std::string& glob, const std::string& path) {
  return std::regex_match(path, std::regex(regex_of(glob)));
}

std::vector<std::string> glob_files(const std::filesystem::path& root, const std::string& glob) {
  namespace fs = std::filesystem;
  std::error_code error;
  if (!fs::is_directory(root, error)) throw DataError(root.string(), "is not a folder that can be read");
  const std::regex pattern(regex_of(glob));
  std::vector<std::string> found;
  for (const auto& entry : fs::recursive_directory_iterator(root, fs::directory_options::follow_directory_symlink)) {
    if (!entry.is_regular_file()) continue;
    std::string path = entry.path().lexically_relative(root).generic_string();
    if (std::regex_match(path, pattern)) found.push_back(std::move(path));
  }
  std::ranges::sort(found);
  return found;
}

std::string captured(const std::string& regex, const std::string& path, const std::string& key) {
  try {
    std::smatch match;
    const std::regex pattern(regex);
    if (pattern.mark_count() == 0) throw DataError(key, std::format("\"{}\" has no group", regex));
    if (!std::regex_search(path, match, pattern)) return {};
    std::string joined;
    for (std::size_t i = 1; i < match.size(); ++i) joined += (i > 1 ? "/" : "") + match[i].str();
    return joined;
  } catch (const std::regex_error&) {
    throw DataError(key, std::format("\"{}\" is no regular expression", regex));
  }
}

}  // namespace terragen::data
