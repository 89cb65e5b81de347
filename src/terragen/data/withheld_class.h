// A dataset as if one of its classes had never been labelled.
#pragma once

#include <filesystem>
#include <string>

#include "terragen/data/dataset.h"

namespace terragen::data {

// Writes `dataset` to `output` without the class: what a mask says of it becomes unlabelled, its features go, and the
// other classes keep their order. Images are copied. RequestError for a class the dataset has not, for its only one,
// and for a dataset without dense masks, where what is not labelled would count as background. `output` appears
// complete or not at all.
void write_without_class(const Dataset& dataset, const std::string& class_name, const std::filesystem::path& output);

}  // namespace terragen::data
