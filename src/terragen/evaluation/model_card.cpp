#include "terragen/evaluation/model_card.h"

#include <algorithm>

namespace terragen::evaluation {

std::vector<std::string> datasets_learned(const Json& card) {
  std::vector<std::string> names;
  const Json learned = card.is_object() ? card.value("trained_on", Json::array()) : Json::array();
  for (const Json& source : learned) {
    const auto name = source.value("dataset", std::string());
    if (!name.empty() && std::ranges::find(names, name) == names.end()) names.push_back(name);
  }
  return names;
}

}  // namespace terragen::evaluation
