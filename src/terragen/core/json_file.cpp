#include "terragen/core/json_file.h"

#include <algorithm>
#include <cmath>
#include <format>

#include "terragen/core/atomic_file.h"
#include "terragen/core/error.h"

namespace terragen {
namespace {

constexpr int kMostDepth = 200;

}  // namespace

void require_shallow_json(std::string_view text, const std::string& place) {
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '\\') ++i;
      quoted = c != '"';
    } else if (c == '"') {
      quoted = true;
    } else if (c == '[' || c == '{') {
      if (++depth > kMostDepth) throw DataError(place, std::format("nests JSON more than {} deep", kMostDepth));
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
}

Json parse_json(const std::string& text, const std::string& place) {
  require_shallow_json(text, place);
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

void write_json(const std::filesystem::path& path, const Json& value) {
  // Of what is no UTF-8 nothing but those bytes is lost.
  write_file(path, value.dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
}

Json number_or_null(double value) { return std::isfinite(value) ? Json(value) : Json(); }

bool is_whole_json_number(const Json& value, std::int64_t low, std::uint64_t high) {
  if (value.is_boolean()) return false;
  if (!value.is_number()) return true;
  if (value.is_number_unsigned()) return value.get<std::uint64_t>() <= high;
  if (value.is_number_integer()) {
    const auto number = value.get<std::int64_t>();
    return number >= low && (number < 0 || static_cast<std::uint64_t>(number) <= high);
  }
  // Beyond 2^53 not every whole number is one of double's.
  const auto number = value.get<double>();
  return number == std::floor(number) && std::abs(number) <= 0x1p53 && number >= static_cast<double>(low) &&
         number <= static_cast<double>(high);
}

void throw_json_member_error(const std::string& place, const std::string& key, const char* reason) {
  throw DataError(place, std::format("key \"{}\" {}", key, reason));
}

}  // namespace terragen
