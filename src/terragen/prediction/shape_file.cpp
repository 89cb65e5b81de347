#include "terragen/prediction/shape_file.h"

namespace terragen::prediction {

ShapeFile::ShapeFile(const std::filesystem::path& image, const geo::RasterInfo& info, const Json& provenance)
    : image_(image.string()) {
  Json ours = provenance;
  ours["image"] = image.filename().string();
  ours["width"] = info.width;
  ours["height"] = info.height;
  if (formats::is_located(info.georeference)) {
    on_earth_.emplace(info.georeference);
  } else {
    ours["coordinates"] = "pixel";
  }
  file_.members["terragen"] = std::move(ours);
}

void ShapeFile::add(const layout::Geometry& pixels, const Json& properties) {
  file_.features.push_back({on_earth_ ? on_earth_->place(pixels, image_) : pixels, properties});
}

}  // namespace terragen::prediction
