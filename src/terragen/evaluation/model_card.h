// What a model's card says of what it learned from.
#pragma once

#include <string>
#include <vector>

#include "terragen/core/json_file.h"

namespace terragen::evaluation {

// The card of what painted a dataset's images, as `generate` and `augment` write it into the provenance; null where
// that does not say.
Json painters_card(const Json& provenance);
// The names of the datasets in "trained_on", each once; none of a null card.
std::vector<std::string> datasets_learned(const Json& card);

}  // namespace terragen::evaluation
