#include "terragen/data/caption_file.h"

#include <format>
#include <sstream>

#include "terragen/core/atomic_file.h"
#include "terragen/core/error.h"
#include "terragen/core/json_file.h"

namespace terragen::data {

std::map<std::string, std::string> read_captions(const std::filesystem::path& path) {
  std::map<std::string, std::string> captions;
  std::istringstream lines(read_file(path));
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    const std::string place = std::format("{}: line {}", path.string(), number);
    const Json json = parse_json(line, place);
    const auto name = json_member<std::string>(json, "file_name", place);
    if (!captions.emplace(name, json_member<std::string>(json, "text", place)).second) {
      throw DataError(place, std::format("tells of {} a second time", name));
    }
  }
  return captions;
}

}  // namespace terragen::data
