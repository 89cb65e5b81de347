// What every label format is read into and written from.
#pragma once

#include <string>
#include <vector>

#include "terragen/layout/layout.h"

namespace terragen::formats {

// The labels of one image. Coordinates in pixels of that image.
struct AnnotatedImage {
  std::string file_name;  // as the format names it, relative to the images' folder
  int width = 0;          // 0 where the format does not say
  int height = 0;
  std::vector<layout::Feature> features;
};

// A finding that does not make the labels unreadable: reported by `terragen info`, never swallowed.
struct LabelProblem {
  std::string place;     // file and annotation
  std::string sentence;  // what is wrong and what was done about it
};

struct AnnotationSet {
  layout::Taxonomy taxonomy;
  std::vector<AnnotatedImage> images;  // images without labels included
  std::vector<LabelProblem> problems;
};

}  // namespace terragen::formats
