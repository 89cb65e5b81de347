// A trained layout encoder for data with other classes and tasks.
#pragma once

#include <string>
#include <vector>

#include "terragen/layout/taxonomy.h"
#include "terragen/models/layout_encoder.h"

namespace terragen::models {

// A new encoder that knows `taxonomy` and `tasks` in their order. What `known` has under the same name keeps its
// weights, the rest of the encoder is as it was; classes and tasks that are new begin as the mean of those known, so
// that the network sees nothing it was never shown, and what is not in the data is forgotten.
LayoutEncoder with_classes(const LayoutEncoder& known, const layout::Taxonomy& taxonomy,
                           const std::vector<std::string>& tasks);

}  // namespace terragen::models
