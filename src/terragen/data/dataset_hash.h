// Which dataset it is, whatever its folder is called.
#pragma once

#include <string>

#include "terragen/data/dataset.h"

namespace terragen::data {

// SHA-256 (hex) of all that a dataset says and shows: classes, bands, splits, places, georeference, labels and the
// bytes of images and masks; not of where it came from. DataError where a file of it cannot be read.
std::string dataset_hash(const Dataset& dataset);

}  // namespace terragen::data
