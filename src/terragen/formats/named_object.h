// One object of a format that names its classes in words: DOTA and Pascal VOC.
#pragma once

#include <string>

#include "terragen/layout/geometry.h"

namespace terragen::formats {

struct NamedObject {
  std::string class_name;
  layout::Geometry geometry;  // pixels
  bool difficult = false;
  std::string place;  // file and line or object it was read from
};

}  // namespace terragen::formats
