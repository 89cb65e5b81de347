// That no place a model is tested on was among those it, or what made its images, was trained on.
#pragma once

#include <string>
#include <vector>

#include "terragen/core/json_file.h"
#include "terragen/data/dataset.h"
#include "terragen/shards/shard_reader.h"

namespace terragen::evaluation {

// The training and the test images of one dataset. DataError naming the place when both have images of it, or naming
// two images whose ground overlaps (same ground under other names, at other zoom levels, in overlapping tiles).
void check_splits(const data::Dataset& dataset);

// A model's card ("trained_on": [{"dataset", "places"}], as training writes it) against the test places of `dataset`.
// DataError naming the place when the model was trained on it in any dataset; RequestError when the card does not say
// what its model was trained on, or test images name no place, because nothing can be shown then.
void check_model(const Json& card, const std::string& model, const data::Dataset& dataset);
// The same for all that painted the images of `made`, and for the examples that were painted or pasted into them. False
// where nothing tells what painted them.
bool check_painters(const data::Dataset& made, const data::Dataset& tested);
// The same for packed samples of test places.
void check_model(const Json& card, const std::string& model, const shards::ShardReader& tested);

// Whether all `sources` of a model's card, or of one of its stages ([{"dataset", "places"}]), name their places, and
// none is a training place of `dataset`.
bool was_elsewhere(const Json& sources, const std::string& model, const data::Dataset& dataset);

}  // namespace terragen::evaluation
