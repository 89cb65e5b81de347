// YOLO labels: one text file an image, one line an object, coordinates as shares of the image.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "terragen/formats/annotation_set.h"

namespace terragen::formats {

enum class YoloShape {
  boxes,     // class cx cy w h
  oriented,  // class x1 y1 x2 y2 x3 y3 x4 y4
  polygons   // class x1 y1 x2 y2 ...
};

// Features of one label file for an image of width x height pixels. Blank lines are skipped. DataError naming file and
// line for wrong counts, numbers that are none, a class not below `classes`; shapes that leave the image are cut and
// reported, those without area dropped and reported.
std::vector<layout::Feature> read_yolo(const std::filesystem::path& path, YoloShape shape, int classes, int width,
                                       int height, std::vector<LabelProblem>& problems);
// DataError (InternalError for shapes the form cannot carry: callers check).
void write_yolo(const std::vector<layout::Feature>& features, YoloShape shape, int width, int height,
                const std::filesystem::path& path);
// Class names of a .names file (one a line) or of data.yaml's `names` (a list or a map of numbers).
std::vector<std::string> read_yolo_names(const std::filesystem::path& path);

}  // namespace terragen::formats
