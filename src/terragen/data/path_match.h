// Globs over folders, and labels paired with images.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace terragen::data {

// `*` and `?` stay within a folder's name, `**` crosses folders, {a,b} is either.
bool glob_matches(const std::string& glob, const std::string& path);
// Files below `root` whose path relative to it matches, sorted; relative paths with '/'.
std::vector<std::string> glob_files(const std::filesystem::path& root, const std::string& glob);
// The groups of `regex` in `path`, joined by '/', or empty where it does not match. DataError naming `key` for a broken
// regex.
std::string captured(const std::string& regex, const std::string& path, const std::string& key);

}  // namespace terragen::data
