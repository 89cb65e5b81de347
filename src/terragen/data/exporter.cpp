#include "terragen/data/exporter.h"

#include <format>
#include <map>

#include "terragen/core/atomic_file.h"
#include "terragen/core/error.h"
#include "terragen/formats/coco.h"
#include "terragen/formats/geojson.h"
#include "terragen/formats/masks.h"
#include "terragen/formats/yolo.h"
#include "terragen/geo/georeference.h"
#include "terragen/geo/raster_io.h"
#include "terragen/layout/rasterise.h"

namespace terragen::data {
namespace {

namespace fs = std::filesystem;

class Exporter {
 public:
  Exporter(const Dataset& dataset, const ExportOptions& options, const fs::path& output)
      : dataset_(dataset), options_(options), folder_(output) {
    for (const ImageRecord& image : dataset.images) {
      if (!options.split || image.split == *options.split) images_.push_back(&image);
    }
    if (images_.empty()) throw RequestError("the dataset has no images of this split");
  }

  ExportSummary run() {
    summary_.images = images_.size();
    if (options_.format == "coco") {
      to_coco();
    } else if (options_.format == "yolo") {
      to_yolo();
    } else if (options_.format == "masks") {
      to_masks();
    } else if (options_.format == "geojson") {
      to_geojson();
    } else {
      throw RequestError(std::format("the format \"{}\" is not offered", options_.format),
                         "choose coco, yolo, masks or geojson");
    }
    folder_.commit();
    return summary_;
  }

 private:
  void copy_image(const ImageRecord& image, const fs::path& below) {
    const fs::path target = folder_.path() / below;
    fs::create_directories(target);
    std::error_code error;
    fs::copy_file(dataset_.folder / "images" / image.file_name, target / image.file_name, error);
    if (error) throw DataError((dataset_.folder / "images" / image.file_name).string(), error.message());
  }

  void to_coco() {
    std::map<std::string, formats::AnnotationSet> sets;
    for (const ImageRecord* image : images_) {
      const std::string split = split_name(image->split);
      formats::AnnotationSet& set = sets[split];
      set.taxonomy = dataset_.taxonomy;
      set.images.push_back({image->file_name, image->width, image->height, image->features});
      summary_.objects += image->features.size();
      copy_image(*image, split);
    }
    for (const auto& [split, set] : sets) formats::write_coco(set, folder_.path() / split / "_annotations.coco.json");
  }

  // The shape as YOLO's form can carry it.
  layout::Geometry carried(const layout::Geometry& shape, const std::string& place) {
    using layout::GeometryKind;
    const bool one_ring = shape.parts.size() == 1 && shape.parts[0].holes.empty();
    bool exact = false;
    layout::Geometry result;
    if (options_.shape == "boxes") {
      exact = shape.kind == GeometryKind::box;
      result = layout::make_box(layout::bounds_of(shape));
    } else if (options_.shape == "oriented") {
      exact = shape.kind == GeometryKind::box || shape.kind == GeometryKind::oriented_box;
      result = exact ? shape : layout::make_oriented_box(layout::minimum_oriented_box(shape));
    } else {
      exact = one_ring;
      if (one_ring) {
        result = layout::make_polygon(shape.parts[0].exterior);
      } else {
        const std::vector<layout::Polygon> parts = layout::as_polygons(shape);
        result = layout::make_polygon(
            parts.size() == 1 ? parts[0].exterior
                              : layout::make_oriented_box(layout::minimum_oriented_box(shape)).parts[0].exterior);
      }
    }
    if (!exact) {
      if (!options_.lossy) {
        throw RequestError(std::format("{}: a shape of kind {} cannot be written as YOLO {}", place,
                                       layout::kind_name(shape.kind), options_.shape),
                           "choose another --shape, or approximate with --lossy");
      }
      ++summary_.approximated;
    }
    return result;
  }

  void to_yolo() {
    const std::map<std::string, formats::YoloShape> shapes{{"boxes", formats::YoloShape::boxes},
                                                           {"oriented", formats::YoloShape::oriented},
                                                           {"polygons", formats::YoloShape::polygons}};
    const auto shape = shapes.find(options_.shape);
    if (shape == shapes.end()) {
      throw RequestError(std::format("shape \"{}\" is not known", options_.shape),
                         "choose boxes, oriented or polygons");
    }
    std::map<std::string, bool> splits;
    for (const ImageRecord* image : images_) {
      const std::string split = split_name(image->split);
      splits[split] = true;
      std::vector<layout::Feature> features = image->features;
      for (layout::Feature& feature : features) feature.geometry = carried(feature.geometry, image->file_name);
      summary_.objects += features.size();
      copy_image(*image, fs::path("images") / split);
      const fs::path labels = folder_.path() / "labels" / split;
      fs::create_directories(labels);
      formats::write_yolo(features, shape->second, image->width, image->height,
                          labels / (fs::path(image->file_name).stem().string() + ".txt"));
    }
    std::string yaml = "path: .\n";
    for (const auto& [split, present] : splits) yaml += std::format("{0}: images/{0}\n", split);
    yaml += "names:\n";
    for (int k = 0; k < dataset_.taxonomy.size(); ++k)
      yaml += std::format("  {}: \"{}\"\n", k, dataset_.taxonomy.at(k).name);
    write_file(folder_.path() / "data.yaml", yaml);
  }

  void to_masks() {
    for (const ImageRecord* image : images_) {
      const std::string split = split_name(image->split);
      copy_image(*image, fs::path("images") / split);
      fs::create_directories(folder_.path() / "masks" / split);
      const layout::DenseMask mask = layout::rasterise_classes(layout_of(dataset_, *image));
      summary_.objects += image->features.size();
      geo::write_raster(folder_.path() / "masks" / split / (fs::path(image->file_name).stem().string() + ".png"),
                        formats::raster_from_mask(mask));
    }
    write_json(folder_.path() / "classes.json",
               {{"classes", layout::taxonomy_to_json(dataset_.taxonomy)}, {"unlabelled", layout::kUnlabelled}});
  }

  void to_geojson() {
    formats::GeoFile file;
    for (const ImageRecord* image : images_) {
      if (image->crs.empty() || !image->crs_from_pixel) {
        throw RequestError(
            std::format("{} has no georeference, so its labels have no place on a map", image->file_name),
            "export to coco or masks instead");
      }
      copy_image(*image, fs::path("images") / split_name(image->split));
      const geo::CrsTransform transform(image->crs, "EPSG:4326");
      for (const layout::Feature& feature : image->features) {
        formats::GeoFeature moved{
            feature.geometry, {{"class", dataset_.taxonomy.at(feature.class_index).name}, {"image", image->file_name}}};
        const auto move = [&](layout::Vertices& vertices) {
          for (layout::Point& p : vertices) {
            const auto at = transform.apply(geo::crs_from_pixel(*image->crs_from_pixel, {p.x, p.y}));
            if (!at) throw DataError(image->file_name, "a label has no place on Earth");
            p = {at->x, at->y};
          }
        };
        for (layout::Polygon& part : moved.geometry.parts) {
          move(part.exterior);
          for (layout::Vertices& hole : part.holes) move(hole);
        }
        for (layout::Vertices& line : moved.geometry.lines) move(line);
        move(moved.geometry.points);
        const double metres = image->gsd.value_or(1.0);
        if (moved.geometry.kind == layout::GeometryKind::polyline)
          moved.properties["width"] = feature.geometry.width * metres;
        if (moved.geometry.kind == layout::GeometryKind::point)
          moved.properties["radius"] = feature.geometry.radius * metres;
        file.features.push_back(std::move(moved));
        ++summary_.objects;
      }
    }
    formats::write_geojson(file, folder_.path() / "labels.geojson");
  }

  const Dataset& dataset_;
  const ExportOptions& options_;
  AtomicFolder folder_;
  std::vector<const ImageRecord*> images_;
  ExportSummary summary_;
};

}  // namespace

ExportSummary export_dataset(const Dataset& dataset, const ExportOptions& options, const fs::path& output) {
  return Exporter(dataset, options, output).run();
}

}  // namespace terragen::data
