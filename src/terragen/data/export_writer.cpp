#include "terragen/data/export_writer.h"

#include <format>

#include "terragen/core/error.h"
#include "terragen/layout/rasterise.h"
#include "terragen/layout/vectorise.h"

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

// The shape's ring without holes. Of several parts that are one region of pixels, as those of a line with bends, that
// region's; else that of the rectangle around them.
Geometry ring(const Geometry& shape, int width, int height) {
  std::vector<layout::Polygon> parts = layout::as_polygons(shape);
  if (parts.size() > 1) {
    const std::vector<layout::Polygon> regions =
        layout::vectorise(layout::rasterise(shape, width, height), width, height);
    if (regions.size() == 1) parts = regions;
  }
  return layout::make_polygon(parts.size() == 1 ? parts[0].exterior : oriented(shape).parts[0].exterior);
}

}  // namespace

void ExportWriter::copy_image(const ImageRecord& image, const fs::path& below) const {
  const fs::path target = folder_ / below;
  const fs::path source = dataset_.folder / "images" / image.file_name;
  std::error_code error;
  fs::create_directories((target / image.file_name).parent_path(), error);
  fs::copy_file(source, target / image.file_name, error);
  if (error) throw DataError(source.string(), "cannot be copied: " + error.message());
}

std::vector<layout::Feature> ExportWriter::carried(const ImageRecord& image, Carries what, bool knows_difficult,
                                                   const std::string& format) {
  const auto refuse = [&](const std::string& thing) {
    if (options_.lossy) return;
    throw RequestError(std::format("{}: a {} cannot be written as {}", image.file_name, thing, format),
                       "choose another format or --shape, or approximate with --lossy");
  };
  const layout::Bounds whole{0, 0, static_cast<double>(image.width), static_cast<double>(image.height)};
  std::vector<layout::Feature> features;
  for (layout::Feature feature : image.features) {
    if ((feature.crowd || feature.difficult) && !knows_difficult) {
      refuse(feature.crowd ? "crowd region" : "object that is marked difficult");
      ++left_out_;
      continue;
    }
    feature.difficult = feature.difficult || feature.crowd;
    const Geometry& shape = feature.geometry;
    const bool one_ring = shape.parts.size() == 1 && shape.parts[0].holes.empty();
    const bool exact = what == Carries::boxes            ? shape.kind == GeometryKind::box
                       : what == Carries::oriented_boxes ? is_quad(shape)
                                                         : one_ring;
    if (!exact) {
      refuse(std::format("shape of kind {}", layout::kind_name(shape.kind)));
      ++approximated_;
    }
    if (what == Carries::boxes) {
      feature.geometry = layout::clip(layout::make_box(layout::bounds_of(shape)), whole);
    } else if (what == Carries::oriented_boxes) {
      feature.geometry = oriented(shape);
    } else {
      feature.geometry = layout::clip(ring(shape, image.width, image.height), whole);
    }
    // Of what lies on the edge nothing may be left inside.
    if (layout::is_empty(feature.geometry) || !(layout::area_of(feature.geometry) > 0)) {
      ++left_out_;
      continue;
    }
    features.push_back(std::move(feature));
  }
  return features;
}

}  // namespace terragen::data
