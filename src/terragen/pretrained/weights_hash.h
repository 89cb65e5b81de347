// Which published weights they were: a run that is resumed must find the same.
#pragma once

#include <filesystem>
#include <string>

namespace terragen::pretrained {

// SHA-256 of a file, or of the names and contents of all safetensors files below a folder, in the order of their names.
// DataError where one cannot be read.
std::string weights_sha256(const std::filesystem::path& path);

}  // namespace terragen::pretrained
