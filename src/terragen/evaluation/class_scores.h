// Scores in the JSON of a cell, where one that is none is null.
#pragma once

#include <map>
#include <string>

#include "terragen/core/json_file.h"

namespace terragen::evaluation {

using ClassScores = std::map<std::string, double>;  // by class; NaN: none

// The inverse of number_or_null.
double number_or_nan(const Json& value);
Json to_json(const ClassScores& scores);
// The member "classes" of `cell`; DataError naming `place` where it is missing.
ClassScores class_scores_from_json(const Json& cell, const std::string& place);

}  // namespace terragen::evaluation
