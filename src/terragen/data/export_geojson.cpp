#include <format>

#include "terragen/core/error.h"
#include "terragen/data/export_writer.h"
#include "terragen/formats/geojson.h"
#include "terragen/formats/lon_lat_shapes.h"

namespace terragen::data {
namespace {

namespace fs = std::filesystem;

class GeoJsonWriter : public ExportWriter {
 public:
  using ExportWriter::ExportWriter;
  void add(const ImageRecord& image) override {
    if (!formats::is_located({image.crs, image.crs_from_pixel})) {
      throw RequestError(std::format("{} has no georeference that leads to longitude and latitude", image.file_name),
                         "export to coco or masks instead");
    }
    copy_image(image, fs::path("images") / split_name(image.split));
    const formats::LonLatShapes on_earth({image.crs, image.crs_from_pixel});
    for (const layout::Feature& feature : image.features) {
      formats::GeoFeature moved{on_earth.place(feature.geometry, image.file_name),
                                {{"class", class_name(feature)}, {"image", image.file_name}}};
      // As an import reads them again.
      if (feature.crowd) moved.properties["crowd"] = true;
      if (feature.difficult) moved.properties["difficult"] = true;
      const double metres = image.gsd.value_or(1.0);
      if (moved.geometry.kind == layout::GeometryKind::polyline)
        moved.properties["width"] = feature.geometry.width * metres;
      if (moved.geometry.kind == layout::GeometryKind::point)
        moved.properties["radius"] = feature.geometry.radius * metres;
      file_.features.push_back(std::move(moved));
    }
  }
  void finish() override { formats::write_geojson(file_, folder_ / "labels.geojson"); }

 private:
  formats::GeoFile file_;
};

}  // namespace

std::unique_ptr<ExportWriter> make_geojson_writer(const Dataset& dataset, const ExportOptions& options,
                                                  const fs::path& folder) {
  return std::make_unique<GeoJsonWriter>(dataset, options, folder);
}

}  // namespace terragen::data
