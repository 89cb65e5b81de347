#include "terragen/layout/taxonomy.h"

#include <algorithm>
#include <charconv>
#include <format>
#include <set>

#include "terragen/core/blame_file.h"
#include "terragen/core/error.h"
#include "terragen/core/json_file.h"

namespace terragen::layout {

Taxonomy::Taxonomy(std::vector<ClassInfo> classes) : classes_(std::move(classes)) {
  if (classes_.size() > 255) throw RequestError(std::format("{} classes, at most 255 are possible", classes_.size()));
  std::set<std::string> names;
  for (const ClassInfo& info : classes_) {
    if (info.name.empty()) throw RequestError("a class has no name");
    if (!names.insert(info.name).second) throw RequestError(std::format("class \"{}\" is named twice", info.name));
  }
}

int Taxonomy::find(const std::string& name) const {
  const auto found = std::ranges::find(classes_, name, &ClassInfo::name);
  return found == classes_.end() ? -1 : static_cast<int>(found - classes_.begin());
}

nlohmann::json taxonomy_to_json(const Taxonomy& taxonomy) {
  nlohmann::json json = nlohmann::json::array();
  for (const ClassInfo& info : taxonomy.classes()) {
    json.push_back({{"name", info.name}, {"color", color_to_text(info.color)}});
  }
  return json;
}

Taxonomy taxonomy_from_json(const nlohmann::json& value, const std::string& place) {
  if (!value.is_array()) throw DataError(place, "the classes are no list");
  std::vector<ClassInfo> classes;
  for (const auto& item : value) {
    classes.push_back({json_member<std::string>(item, "name", place),
                       color_from_text(json_member<std::string>(item, "color", place), place)});
  }
  return blame_file(place, [&] { return Taxonomy(std::move(classes)); });
}

std::string color_to_text(const std::array<std::uint8_t, 3>& color) {
  return std::format("#{:02X}{:02X}{:02X}", color[0], color[1], color[2]);
}

std::array<std::uint8_t, 3> color_from_text(const std::string& text, const std::string& place) {
  unsigned value = 0;
  const bool shaped = text.size() == 7 && text.front() == '#';
  const auto result = std::from_chars(text.data() + (shaped ? 1 : 0), text.data() + text.size(), value, 16);
  if (!shaped || result.ec != std::errc() || result.ptr != text.data() + text.size()) {
    throw DataError(place, std::format("\"{}\" is no colour of the form #RRGGBB", text));
  }
  return {static_cast<std::uint8_t>(value >> 16U), static_cast<std::uint8_t>(value >> 8U & 0xFFU),
          static_cast<std::uint8_t>(value & 0xFFU)};
}

std::array<std::uint8_t, 3> default_color(int index) {
  // Tableau's twenty, which stay apart for most kinds of colour blindness.
  static constexpr std::array<std::array<std::uint8_t, 3>, 20> kColors{{
      {31, 119, 180},  {255, 127, 14},  {44, 160, 44},   {214, 39, 40},   {148, 103, 189},
      {140, 86, 75},   {227, 119, 194}, {127, 127, 127}, {188, 189, 34},  {23, 190, 207},
      {174, 199, 232}, {255, 187, 120}, {152, 223, 138}, {255, 152, 150}, {197, 176, 213},
      {196, 156, 148}, {247, 182, 210}, {199, 199, 199}, {219, 219, 141}, {158, 218, 229},
  }};
  if (index < 20) return kColors[static_cast<std::size_t>(std::max(0, index))];
  const unsigned mixed = static_cast<unsigned>(index) * 2654435761U;
  return {static_cast<std::uint8_t>(mixed >> 24U), static_cast<std::uint8_t>(mixed >> 16U),
          static_cast<std::uint8_t>(mixed >> 8U)};
}

}  // namespace terragen::layout
