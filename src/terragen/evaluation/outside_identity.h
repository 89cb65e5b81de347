// Whether inpainting left the real image alone.
#pragma once

#include <cstdint>

#include "terragen/core/json_file.h"
#include "terragen/data/dataset.h"

namespace terragen::evaluation {

struct OutsideIdentity {
  std::int64_t images = 0;
  std::int64_t bytes = 0;      // compared
  std::int64_t differing = 0;  // of them
};
Json to_json(const OutsideIdentity& identity);

// Compares the stored values of every image that was inpainted into an image of `real` with that one's, farther than
// `margin` pixels from what its label has of the class and the real one's has not, and from the decoys that its
// dataset's provenance names. DataError where an image is not of its real one's size and type.
OutsideIdentity compare_outside(const data::Dataset& real, const data::Dataset& inpainted,
                                const std::string& class_name, int margin);

}  // namespace terragen::evaluation
