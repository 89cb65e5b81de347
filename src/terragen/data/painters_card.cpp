#include "terragen/data/painters_card.h"

namespace terragen::data {

namespace {

// Null where there is none, also where provenance that others wrote has something else in its place.
Json member_or_null(const Json& object, const char* key) {
  return object.is_object() && object.contains(key) ? object[key] : Json();
}

}  // namespace

Json painters_card(const Json& provenance) {
  Json card = member_or_null(provenance, "model_card");
  return card.is_null() ? member_or_null(member_or_null(provenance, "augmented"), "model_card") : card;
}

std::vector<Json> painters_cards(const Json& provenance) {
  std::vector<Json> cards;
  for (Json step = provenance; step.is_object(); step = member_or_null(step, "real")) {
    if (Json card = painters_card(step); card.is_object()) cards.push_back(std::move(card));
  }
  return cards;
}

std::vector<Json> sources_of_painted(const Json& provenance) {
  std::vector<Json> sources;
  for (Json step = provenance; step.is_object(); step = member_or_null(step, "real")) {
    if (const Json card = painters_card(step); card.is_object()) {
      for (const Json& source : member_or_null(card, "trained_on")) sources.push_back(source);
    }
    Json example = member_or_null(member_or_null(step, "augmented"), "example_source");
    if (!example.is_null()) sources.push_back(std::move(example));
  }
  return sources;
}

}  // namespace terragen::data
