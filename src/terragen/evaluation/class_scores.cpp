#include "terragen/evaluation/class_scores.h"

#include <cmath>

namespace terragen::evaluation {

double number_or_nan(const Json& value) { return value.is_number() ? value.get<double>() : std::nan(""); }

Json to_json(const ClassScores& scores) {
  Json json = Json::object();
  for (const auto& [name, score] : scores) json[name] = number_or_null(score);
  return json;
}

ClassScores class_scores_from_json(const Json& cell, const std::string& place) {
  ClassScores scores;
  const Json classes = json_member<Json>(cell, "classes", place);
  for (const auto& [name, score] : classes.items()) scores[name] = number_or_nan(score);
  return scores;
}

}  // namespace terragen::evaluation
