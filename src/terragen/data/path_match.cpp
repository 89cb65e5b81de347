#include "terragen/data/path_match.h"

#include <algorithm>
#include <format>
#include <regex>

#include "terragen/core/error.h"
#include "terragen/core/unicode.h"

namespace terragen::data {
namespace {

namespace fs = std::filesystem;

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

// Called for every pair of files of one name: no fs::path, which would cost more than the comparison.
std::vector<std::string_view> folders_of(std::string_view path) {
  std::vector<std::string_view> folders;
  for (std::size_t end = path.find('/'); end != std::string_view::npos; end = path.find('/')) {
    folders.push_back(path.substr(0, end));
    path.remove_prefix(end + 1);
  }
  return folders;
}

}  // namespace

bool glob_matches(const std::string& glob, const std::string& path) {
  return std::regex_match(path, std::regex(regex_of(glob)));
}

std::vector<std::string> glob_files(const std::filesystem::path& root, const std::string& glob) {
  std::error_code error;
  if (!fs::is_directory(root, error)) throw DataError(root.string(), "is not a folder that can be read");
  const std::regex pattern(regex_of(glob));
  std::vector<std::string> found;
  fs::recursive_directory_iterator entry(root, fs::directory_options::follow_directory_symlink, error);
  const auto readable = [&](const fs::path& at) {
    if (error) throw DataError(at.string(), std::format("cannot be read ({})", error.message()));
  };
  readable(root);
  for (fs::path at = root; entry != fs::recursive_directory_iterator();) {
    at = entry->path();
    const bool is_file = entry->is_regular_file(error);
    // A link to nothing is no file.
    if (error == std::errc::no_such_file_or_directory) error.clear();
    readable(at);
    std::string path = at.lexically_relative(root).generic_string();
    if (is_file && std::regex_match(path, pattern)) {
      if (!is_utf8(path)) throw DataError(at.string(), "has a name that is not UTF-8");
      found.push_back(std::move(path));
    }
    entry.increment(error);
    readable(at);
  }
  std::ranges::sort(found);
  return found;
}

std::pair<int, int> nearness(const std::string& image, const std::string& label) {
  const std::vector<std::string_view> a = folders_of(image);
  const std::vector<std::string_view> b = folders_of(label);
  // The longest common subsequence.
  std::vector<int> longest(b.size() + 1, 0);
  for (const std::string_view name : a) {
    int before = 0;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const int above = longest[j];
      longest[j] = name == b[j - 1] ? before + 1 : std::max(longest[j], longest[j - 1]);
      before = above;
    }
  }
  return {longest.back(), -static_cast<int>(b.size())};
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
