// Examples of a class as somebody who marked a few things of it would have them.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "terragen/data/dataset.h"

namespace terragen::data {

// A thing in image number `image` of a dataset, in its pixels.
struct MarkedThing {
  std::size_t image = 0;
  layout::Geometry thing;
};

// Writes one window of at most `size` pixels a side about each of `marked` to `output`: what the window shows of the
// class beside the thing is unlabelled and no feature; other classes, place and georeference stay. RequestError for a
// dataset without dense masks, where what is not labelled would count as background. `output` appears complete or not
// at all.
void write_example_windows(const Dataset& dataset, const std::string& class_name,
                           const std::vector<MarkedThing>& marked, int size, const std::filesystem::path& output);

}  // namespace terragen::data
