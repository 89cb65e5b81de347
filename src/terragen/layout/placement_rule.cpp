#include "terragen/layout/placement_rule.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <format>

#include "terragen/core/blame_file.h"
#include "terragen/core/error.h"
#include "terragen/core/json_file.h"

namespace terragen::layout {
namespace {

constexpr std::array<std::string_view, 2> kDirections{"any", "structure"};

int class_of(const std::string& name, const Taxonomy& taxonomy, const std::string& place) {
  const int index = taxonomy.find(name);
  if (index < 0) throw DataError(place, std::format("names the class \"{}\", which the dataset does not have", name));
  return index;
}

void check_length(const char* name, double value) {
  if (std::isnan(value) || value < 0) {
    throw RequestError(std::format("rule of placement: {} is {}, it must not be negative", name, value));
  }
}

}  // namespace

std::string_view direction_name(PlacementDirection direction) {
  return kDirections.at(static_cast<std::size_t>(direction));
}

PlacementDirection direction_from_name(std::string_view name) {
  const auto found = std::ranges::find(kDirections, name);
  if (found == kDirections.end()) {
    throw RequestError(std::format("direction \"{}\" is not known", name), "choose any or structure");
  }
  return static_cast<PlacementDirection>(found - kDirections.begin());
}

void PlacementRule::validate(int classes) const {
  const auto check_class = [&](int index) {
    if (index < 0 || index >= classes) {
      throw RequestError(std::format("rule of placement: there is no class number {}", index));
    }
  };
  for (const int index : ground) check_class(index);
  for (const NeighbourRule& neighbour : neighbours) {
    check_class(neighbour.class_index);
    check_length("a neighbour's least distance", neighbour.least);
    check_length("a neighbour's most distance", neighbour.most);
    if (neighbour.most < neighbour.least) {
      throw RequestError(std::format("rule of placement: a neighbour is to be within {} and not within {}",
                                     neighbour.most, neighbour.least));
    }
  }
  check_length("the least size", least_size);
  check_length("the most size", most_size);
  if (most_size < least_size) {
    throw RequestError(std::format("rule of placement: sizes from {} to {} are none", least_size, most_size));
  }
  check_length("the spacing", spacing);
  if (!(least_likeness >= 0 && least_likeness < 1)) {
    throw RequestError(std::format("rule of placement: likeness {} is not in [0, 1)", least_likeness));
  }
}

nlohmann::json placement_rule_to_json(const PlacementRule& rule, const Taxonomy& taxonomy) {
  nlohmann::json json{{"unlabelled_ground", rule.unlabelled_ground},
                      {"ground", nlohmann::json::array()},
                      {"neighbours", nlohmann::json::array()},
                      {"least_size", rule.least_size},
                      {"spacing", rule.spacing},
                      {"direction", direction_name(rule.direction)},
                      {"least_likeness", rule.least_likeness}};
  for (const int index : rule.ground) json["ground"].push_back(taxonomy.at(index).name);
  for (const NeighbourRule& neighbour : rule.neighbours) {
    nlohmann::json entry{{"class", taxonomy.at(neighbour.class_index).name}, {"least", neighbour.least}};
    if (std::isfinite(neighbour.most)) entry["most"] = neighbour.most;
    json["neighbours"].push_back(std::move(entry));
  }
  if (std::isfinite(rule.most_size)) json["most_size"] = rule.most_size;
  return json;
}

PlacementRule placement_rule_from_json(const nlohmann::json& value, const Taxonomy& taxonomy,
                                       const std::string& place) {
  static const std::array<std::string_view, 8> kKeys{"unlabelled_ground", "ground",  "neighbours", "least_size",
                                                     "most_size",         "spacing", "direction",  "least_likeness"};
  if (!value.is_object()) throw DataError(place, "is no table");
  for (const auto& [key, member] : value.items()) {
    if (std::ranges::find(kKeys, key) == kKeys.end())
      throw DataError(place, std::format("key \"{}\" is not known", key));
  }
  PlacementRule rule;
  for (const std::string& name : json_member_or<std::vector<std::string>>(value, "ground", {}, place)) {
    rule.ground.push_back(class_of(name, taxonomy, place));
  }
  rule.unlabelled_ground = json_member_or<bool>(value, "unlabelled_ground", rule.ground.empty(), place);
  for (const Json& entry : json_member_or<Json>(value, "neighbours", Json::array(), place)) {
    rule.neighbours.push_back({class_of(json_member<std::string>(entry, "class", place), taxonomy, place),
                               json_member_or<double>(entry, "least", 0, place),
                               json_member_or<double>(entry, "most", NeighbourRule{}.most, place)});
  }
  rule.least_size = json_member_or<double>(value, "least_size", rule.least_size, place);
  rule.most_size = json_member_or<double>(value, "most_size", rule.most_size, place);
  rule.spacing = json_member_or<double>(value, "spacing", rule.spacing, place);
  rule.least_likeness = json_member_or<double>(value, "least_likeness", rule.least_likeness, place);
  blame_file(place, [&] {
    rule.direction = direction_from_name(
        json_member_or<std::string>(value, "direction", std::string(direction_name(rule.direction)), place));
    rule.validate(taxonomy.size());
  });
  return rule;
}

}  // namespace terragen::layout
