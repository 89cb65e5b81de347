// JSON files with errors that name the file and the place in it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace terragen {

using Json = nlohmann::json;

// DataError for JSON nested so deep that whoever walks through it could run out of stack. Called by parse_json.
void require_shallow_json(std::string_view text, const std::string& place);

// Parses `text`; a UTF-8 byte order mark is skipped. DataError with line and column when it is not valid JSON or
// not valid UTF-8; `place` is the file's name.
Json parse_json(const std::string& text, const std::string& place);
Json read_json(const std::filesystem::path& path);
// Writes atomically, indented by one space, keys sorted.
void write_json(const std::filesystem::path& path, const Json& value);

// The member `key` of `object` as T. DataError naming `place` and the key when it is missing or of another type.
template <class T>
T json_member(const Json& object, const std::string& key, const std::string& place);
// As above, `fallback` where the key is missing (a wrong type is still an error).
template <class T>
T json_member_or(const Json& object, const std::string& key, T fallback, const std::string& place);

// JSON has no infinity and no NaN: such a figure becomes null.
Json number_or_null(double value);

[[noreturn]] void throw_json_member_error(const std::string& place, const std::string& key, const char* reason);

// Whether a number is whole (5.0 is) and within [low, high].
bool is_whole_json_number(const Json& value, std::int64_t low, std::uint64_t high);

template <class T>
inline constexpr bool kIsVector = false;
template <class T>
inline constexpr bool kIsVector<std::vector<T>> = true;

// Whether T holds the value as it is: nlohmann's conversions cut and wrap numbers. What is no number at all is theirs
// to refuse.
template <class T>
bool fits_json(const Json& value) {
  if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
    return is_whole_json_number(value, static_cast<std::int64_t>(std::numeric_limits<T>::min()),
                                static_cast<std::uint64_t>(std::numeric_limits<T>::max()));
  } else if constexpr (kIsVector<T>) {
    return !value.is_array() || std::ranges::all_of(value, fits_json<typename T::value_type>);
  } else {
    return true;
  }
}

template <class T>
T json_member(const Json& object, const std::string& key, const std::string& place) {
  if (!object.is_object() || !object.contains(key)) throw_json_member_error(place, key, "is missing");
  if (!fits_json<T>(object.at(key))) throw_json_member_error(place, key, "is no whole number, or out of range");
  try {
    return object.at(key).get<T>();
  } catch (const nlohmann::json::exception&) {
    throw_json_member_error(place, key, "has the wrong type");
  }
}

template <class T>
T json_member_or(const Json& object, const std::string& key, T fallback, const std::string& place) {
  if (object.is_object() && !object.contains(key)) return fallback;
  return json_member<T>(object, key, place);
}

}  // namespace terragen
