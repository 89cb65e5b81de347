#include "terragen/synthesis/placement_rule_file.h"

#include <sstream>
#include <toml++/toml.hpp>

#include "terragen/core/atomic_file.h"
#include "terragen/core/error.h"
#include "terragen/core/json_file.h"

namespace terragen::synthesis {

std::optional<layout::PlacementRule> read_placement_rule(const std::filesystem::path& file,
                                                         const std::string& class_name,
                                                         const layout::Taxonomy& taxonomy) {
  const std::string text = read_file(file, std::size_t{1} << 20);
  toml::table root;
  try {
    root = toml::parse(text, file.string());
  } catch (const toml::parse_error& error) {
    throw DataError(std::format("{}:{}", file.string(), error.source().begin.line), std::string(error.description()));
  }
  const toml::node* node = root.get(class_name);
  if (node == nullptr) return {};
  const std::string place = std::format("{} [{}]", file.string(), class_name);
  const toml::table* table = node->as_table();
  if (table == nullptr) throw DataError(place, "is no table");
  std::ostringstream json;
  json << toml::json_formatter(*table);
  return layout::placement_rule_from_json(parse_json(json.str(), place), taxonomy, place);
}

}  // namespace terragen::synthesis
