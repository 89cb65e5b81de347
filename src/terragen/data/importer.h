// Folders of labelled imagery, as they lie, to a dataset.
#pragma once

#include <filesystem>

#include "terragen/data/dataset.h"
#include "terragen/data/recipe.h"

namespace terragen::data {

// Reads everything the recipe names below `root` and writes the dataset at `output`, which appears complete or not at
// all. DataError naming file and place for anything damaged; RequestError when `output` exists.
Dataset import_dataset(const Recipe& recipe, const std::filesystem::path& root, const std::filesystem::path& output);

}  // namespace terragen::data
