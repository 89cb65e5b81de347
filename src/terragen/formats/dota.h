// DOTA labels (labelTxt): one text file an image, one line an object: x1 y1 x2 y2 x3 y3 x4 y4 class difficulty.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "terragen/formats/annotation_set.h"
#include "terragen/formats/named_object.h"

namespace terragen::formats {

// Objects of one label file. Leading "imagesource:" and "gsd:" lines and blank lines are skipped. Corners may lie
// outside the image. DataError naming file and line for wrong counts, numbers that are none, a difficulty that is none;
// quads without area are dropped and reported.
std::vector<NamedObject> read_dota(const std::filesystem::path& path, std::vector<LabelProblem>& problems);
// A class name without spaces, hyphens in their place, as in DOTA's own names.
std::string dota_name(std::string name);
// Shapes of four corners each; names as by dota_name.
// InternalError for shapes the form cannot carry: callers check.
void write_dota(const std::vector<NamedObject>& objects, const std::filesystem::path& path);

}  // namespace terragen::formats
