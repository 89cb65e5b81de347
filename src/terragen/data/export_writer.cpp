#include "terragen/data/export_writer.h"

#include <format>

#include "terragen/core/error.h"

namespace terragen::data {
namespace {

namespace fs = std::filesystem;
using layout::Geometry;
using layout::GeometryKind;

bool is_quad(const Geometry& shape) {
  return shape.kind == GeometryKind::box || shape.kind == GeometryKind::oriented_box;
}

Geometry oriented(const Geometry& shape) {
  return is_quad(shape) ? shape : layout::make_oriented_box(layout::minimum_oriented_box(shape));
}

// The shape's ring; of shapes with holes or several parts that of the rectangle around it.
Geometry ring(const Geometry& shape) {
  const std::vector<layout::Polygon> parts = layout::as_polygons(shape);
  return layout::make_polygon(parts.size() == 1 ? parts[0].exterior : oriented(shape).parts[0].exterior);
}

}  // namespace

void ExportWriter::copy_image(const ImageRecord& image, const fs::path& below) const {
  const fs::path target = folder_ / below;
  const fs::path source = dataset_.folder / "images" / image.file_name;
  fs::create_directories(target);
  std::error_code error;
  fs::copy_file(source, target / image.file_name, error);
  if (error) throw DataError(source.string(), "cannot be copied: " + error.message());
}

std::vector<layout::Feature> ExportWriter::carried(const ImageRecord& image, Carries what, const std::string& format) {
  std::vector<layout::Feature> features = image.features;
  for (layout::Feature& feature : features) {
    const Geometry& shape = feature.geometry;
    const bool one_ring = shape.parts.size() == 1 && shape.parts[0].holes.empty();
    const bool exact = what == Carries::boxes            ? shape.kind == GeometryKind::box
                       : what == Carries::oriented_boxes ? is_quad(shape)
                                                         : one_ring;
    if (!exact && !options_.lossy) {
      throw RequestError(std::format("{}: a shape of kind {} cannot be written as {}", image.file_name,
                                     layout::kind_name(shape.kind), format),
                         "choose another format or --shape, or approximate with --lossy");
    }
    if (!exact) ++approximated_;
    feature.geometry = what == Carries::boxes            ? layout::make_box(layout::bounds_of(shape))
                       : what == Carries::oriented_boxes ? oriented(shape)
                                                         : ring(shape);
  }
  return features;
}

}  // namespace terragen::data
