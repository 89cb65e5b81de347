#include "terragen/data/painters_card.h"

namespace terragen::data {

Json painters_card(const Json& provenance) {
  if (!provenance.is_object()) return {};
  const Json augmented = provenance.value("augmented", Json::object());
  return provenance.contains("model_card") ? provenance["model_card"] : augmented.value("model_card", Json());
}

std::vector<Json> painters_cards(const Json& provenance) {
  std::vector<Json> cards;
  for (Json step = provenance; step.is_object(); step = step.value("real", Json())) {
    if (Json card = painters_card(step); card.is_object()) cards.push_back(std::move(card));
  }
  return cards;
}

std::vector<Json> sources_of_painted(const Json& provenance) {
  std::vector<Json> sources;
  for (Json step = provenance; step.is_object(); step = step.value("real", Json())) {
    if (const Json card = painters_card(step); card.is_object()) {
      for (const Json& source : card.value("trained_on", Json::array())) sources.push_back(source);
    }
    const Json augmented = step.value("augmented", Json::object());
    if (augmented.contains("example_source")) sources.push_back(augmented["example_source"]);
  }
  return sources;
}

}  // namespace terragen::data
