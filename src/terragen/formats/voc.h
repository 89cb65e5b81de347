// Pascal VOC annotations: one XML file an image. Boxes are one-based and include their last pixel, as in the VOC
// development kit: xmin = 1 is the left edge.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "terragen/formats/annotation_set.h"
#include "terragen/formats/named_object.h"

namespace terragen::formats {

struct VocFile {
  std::string file_name;  // of the image; may be empty
  int width = 0;          // pixels; 0 where the file does not say
  int height = 0;
  std::vector<NamedObject> objects;
};

// <bndbox> boxes; <robndbox> oriented ones, as centre, size and angle (roLabelImg) or as four corners (DIOR-R).
// DataError naming file and object for XML that is none, missing or broken numbers and boxes turned inside out; boxes
// without area are dropped and reported.
VocFile read_voc(const std::filesystem::path& path, std::vector<LabelProblem>& problems);
// Bounds of the shapes as <bndbox>, in thousandths of a pixel where they are not whole.
void write_voc(const VocFile& file, int bands, const std::filesystem::path& path);

}  // namespace terragen::formats
