// Folders of labelled imagery, as they lie, to a dataset.
#pragma once

#include <filesystem>

#include "terragen/data/dataset.h"
#include "terragen/data/recipe.h"

namespace terragen::data {

// Where a recipe's paths start from.
struct ImportRoots {
  std::filesystem::path images;  // and captions and lists of splits
  std::filesystem::path labels = images;
};

// Reads everything the recipe names below the roots and writes the dataset at `output`, which appears complete or not
// at all. DataError naming file and place for anything damaged; RequestError when `output` exists.
Dataset import_dataset(const Recipe& recipe, const ImportRoots& roots, const std::filesystem::path& output);

}  // namespace terragen::data
