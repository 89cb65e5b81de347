#include "terragen/core/json_file.h"

#include <algorithm>
#include <cmath>
#include <format>

#include "terragen/core/atomic_file.h"
#include "terragen/core/error.h"

namespace terragen {

Json parse_json(const std::string& text, const std::string& place) {
  const std::size_t begin = text.starts_with("\xEF\xBB\xBF") ? 3 : 0;
  try {
    return Json::parse(text.begin() + static_cast<std::ptrdiff_t>(begin), text.end());
  } catch (const Json::parse_error& error) {
    const auto end = text.begin() + static_cast<std::ptrdiff_t>(std::min(text.size(), begin + error.byte));
    const auto line = 1 + std::count(text.begin(), end, '\n');
    throw DataError(std::format("{}: line {}", place, line), "is not valid JSON",
                    "the file may be cut off or not be UTF-8");
  } catch (const Json::out_of_range&) {
    throw DataError(place, "holds a number that is too large");
  }
}

Json read_json(const std::filesystem::path& path) { return parse_json(read_file(path), path.string()); }

void write_json(const std::filesystem::path& path, const Json& value) { write_file(path, value.dump(1) + "\n"); }

Json number_or_null(double value) { return std::isfinite(value) ? Json(value) : Json(); }

void throw_json_member_error(const std::string& place, const std::string& key, const char* reason) {
  throw DataError(place, std::format("key \"{}\" {}", key, reason));
}

}  // namespace terragen
