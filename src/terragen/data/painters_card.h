// What a dataset's provenance says of the models that painted its images.
#pragma once

#include <vector>

#include "terragen/core/json_file.h"

namespace terragen::data {

// The card of the one that painted last, as `generate`, `augment` and `inpaint` write it; null where none is told.
Json painters_card(const Json& provenance);
// Of all: images of one step stay when another is made over them. The last first.
std::vector<Json> painters_cards(const Json& provenance);
// What went into the images besides the dataset's own: the sources that the painters' cards name as trained on, and
// those of examples that were painted or pasted into them ("example_source" of a step). Each as a card has it:
// {"dataset", "task", "licence", "attribution", "samples", "places"}.
std::vector<Json> sources_of_painted(const Json& provenance);

}  // namespace terragen::data
