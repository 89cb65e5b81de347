// What a model's card says of what it learned from.
#pragma once

#include <string>
#include <vector>

#include "terragen/core/json_file.h"

namespace terragen::evaluation {

// The names of the datasets in "trained_on", each once; none of a null card.
std::vector<std::string> datasets_learned(const Json& card);

}  // namespace terragen::evaluation
