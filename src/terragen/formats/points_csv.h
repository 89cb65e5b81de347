// Points as CSV: a header with x and y, and a class where there are several.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "terragen/layout/geometry.h"

namespace terragen::formats {

struct CsvPoint {
  layout::Point position;  // pixels
  std::string class_name;  // empty where the file has no such column
};

// Column names in any order and case; "class", "label" or "category" names the class. DataError naming file and line.
std::vector<CsvPoint> read_points_csv(const std::filesystem::path& path);

}  // namespace terragen::formats
