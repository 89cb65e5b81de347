// Captions of images as the field writes them beside a folder of images: metadata.jsonl.
#pragma once

#include <filesystem>
#include <map>
#include <string>

namespace terragen::data {

// A line {"file_name": PATH, "text": TEXT} an image; other keys are passed over, empty lines too. Gives texts by path.
// DataError naming file and line, also for a path that comes twice.
std::map<std::string, std::string> read_captions(const std::filesystem::path& path);

}  // namespace terragen::data
