#include "terragen/evaluation/outside_identity.h"

#include <algorithm>

#include "terragen/core/error.h"
#include "terragen/geo/raster_io.h"
#include "terragen/layout/rasterise.h"
#include "terragen/synthesis/pixel_distance.h"

namespace terragen::evaluation {
namespace {

std::vector<std::uint8_t> class_pixels(const data::Dataset& dataset, const data::ImageRecord& image,
                                       const std::string& class_name) {
  return layout::pixels_of_class(data::layout_of(dataset, image), dataset.taxonomy.find(class_name));
}

// What was painted as what it is, see ObjectInpainterOptions::decoys.
void draw_decoys(const data::Dataset& inpainted, const data::ImageRecord& image, std::vector<std::uint8_t>& painted) {
  const Json told = inpainted.provenance.value("augmented", Json::object()).value("decoy_outlines", Json::object());
  for (const Json& decoy : told.value(image.file_name, Json::array())) {
    layout::draw_onto(painted, layout::geometry_from_json(decoy, image.file_name), image.width, image.height);
  }
}

}  // namespace

Json to_json(const OutsideIdentity& identity) {
  return {{"images", identity.images}, {"bytes", identity.bytes}, {"differing", identity.differing}};
}

OutsideIdentity compare_outside(const data::Dataset& real, const data::Dataset& inpainted,
                                const std::string& class_name, int margin) {
  OutsideIdentity result;
  for (const data::ImageRecord& image : inpainted.images) {
    if (!image.synthetic) continue;
    const std::string where = (inpainted.folder / "images" / image.file_name).string();
    // "inpainted into DATASET/IMAGE"
    const std::string original = image.source.substr(image.source.find('/') + 1);
    const auto found = std::ranges::find(real.images, original, &data::ImageRecord::file_name);
    if (found == real.images.end()) throw DataError(where, "says no real image that it was painted into");
    const geo::Raster before = geo::read_raster(real.folder / "images" / found->file_name);
    const geo::Raster after = geo::read_raster(where);
    if (after.samples.size() != before.samples.size() || after.type != before.type || after.width != before.width) {
      throw DataError(where, "is not of the size and type of " + found->file_name);
    }
    std::vector<std::uint8_t> painted = class_pixels(inpainted, image, class_name);
    if (real.taxonomy.find(class_name) >= 0) {
      const std::vector<std::uint8_t> known = class_pixels(real, *found, class_name);
      for (std::size_t i = 0; i < painted.size(); ++i) painted[i] &= known[i] == 0 ? 1 : 0;
    }
    draw_decoys(inpainted, image, painted);
    const layout::Plane away = synthesis::pixel_distance(painted, after.width, after.height);
    const std::size_t size = geo::size_of(after.type);
    for (std::size_t at = 0; at < after.samples.size(); ++at) {
      if (away.values[at / size % after.pixels()] <= static_cast<float>(margin)) continue;
      ++result.bytes;
      result.differing += after.samples[at] == before.samples[at] ? 0 : 1;
    }
    ++result.images;
  }
  return result;
}

}  // namespace terragen::evaluation
