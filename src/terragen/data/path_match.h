// Globs over folders, and labels paired with images.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace terragen::data {

// `*` and `?` stay within a folder's name, `**` crosses folders, {a,b} is either.
bool glob_matches(const std::string& glob, const std::string& path);
// Files below `root` whose path relative to it matches, sorted; relative paths with '/'. DataError for a folder that
// cannot be read to its end, and for names that are not UTF-8.
std::vector<std::string> glob_files(const std::filesystem::path& root, const std::string& glob);
// How near a label's file is to an image by their folders' names: those they share in order, anywhere in the path
// (images/train/a.png and labels/train/a.txt share one), then fewer folders of the label.
std::pair<int, int> nearness(const std::string& image, const std::string& label);
// The groups of `regex` in `path`, joined by '/', or empty where it does not match. DataError naming `key` for a broken
// regex.
std::string captured(const std::string& regex, const std::string& path, const std::string& key);

}  // namespace terragen::data
