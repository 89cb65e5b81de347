// The classes of a dataset or a model, in the order of their numbers.
#pragma once

#include <array>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace terragen::layout {

// Value of a dense mask's pixel that carries no label: no loss, no condition.
inline constexpr std::uint8_t kUnlabelled = 255;

struct ClassInfo {
  std::string name;
  std::array<std::uint8_t, 3> color{};  // RGB, for masks and pictures
  bool operator==(const ClassInfo&) const = default;
};

// At most 255 classes; a class's number is its index. Names are unique.
class Taxonomy {
 public:
  Taxonomy() = default;
  // RequestError for an empty or repeated name or more than 255 classes.
  explicit Taxonomy(std::vector<ClassInfo> classes);
  const std::vector<ClassInfo>& classes() const { return classes_; }
  int size() const { return static_cast<int>(classes_.size()); }
  const ClassInfo& at(int index) const { return classes_.at(static_cast<std::size_t>(index)); }
  // Index of `name`, or -1.
  int find(const std::string& name) const;
  bool operator==(const Taxonomy&) const = default;

 private:
  std::vector<ClassInfo> classes_;
};

// [{"name": "building", "color": "#3C1098"}, ...]
nlohmann::json taxonomy_to_json(const Taxonomy& taxonomy);
// DataError naming `place` when the JSON does not have that form.
Taxonomy taxonomy_from_json(const nlohmann::json& value, const std::string& place);
// "#3C1098" <-> RGB. DataError naming `place` for anything else.
std::string color_to_text(const std::array<std::uint8_t, 3>& color);
std::array<std::uint8_t, 3> color_from_text(const std::string& text, const std::string& place);
// A colour for class `index` when the user gave none: distinct for the first 20, repeatable after.
std::array<std::uint8_t, 3> default_color(int index);

}  // namespace terragen::layout
