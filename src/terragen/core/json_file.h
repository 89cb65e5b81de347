// JSON files with errors that name the file and the place in it.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

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

template <class T>
T json_member(const Json& object, const std::string& key, const std::string& place) {
  if (!object.is_object() || !object.contains(key)) throw_json_member_error(place, key, "is missing");
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
