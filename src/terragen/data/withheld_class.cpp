#include "terragen/data/withheld_class.h"

#include <format>
#include <vector>

#include "terragen/core/atomic_file.h"
#include "terragen/core/error.h"
#include "terragen/formats/masks.h"
#include "terragen/geo/raster_io.h"

namespace terragen::data {

namespace fs = std::filesystem;

void write_without_class(const Dataset& dataset, const std::string& class_name, const fs::path& output) {
  const int withheld = dataset.taxonomy.find(class_name);
  if (withheld < 0) throw RequestError(std::format("{} has no class \"{}\"", dataset.name, class_name));
  if (!dataset.dense) {
    throw RequestError(
        std::format("{} has no dense masks: a class withheld there would count as background", dataset.name));
  }
  if (dataset.taxonomy.size() < 2) throw RequestError(std::format("\"{}\" is the only class there is", class_name));
  std::vector<layout::ClassInfo> classes = dataset.taxonomy.classes();
  classes.erase(classes.begin() + withheld);
  AtomicFolder folder(output);
  for (const char* part : {"images", "masks"}) fs::create_directories(folder.path() / part);
  Dataset result = dataset;
  result.taxonomy = layout::Taxonomy(std::move(classes));
  for (ImageRecord& image : result.images) {
    const fs::path name = fs::path("images") / image.file_name;
    fs::create_directories((folder.path() / name).parent_path());
    fs::copy_file(dataset.folder / name, folder.path() / name);
    std::erase_if(image.features, [&](const layout::Feature& feature) { return feature.class_index == withheld; });
    for (layout::Feature& feature : image.features) feature.class_index -= feature.class_index > withheld ? 1 : 0;
    if (!image.mask_name) continue;
    layout::DenseMask mask = *layout_of(dataset, image).mask;
    for (std::uint8_t& value : mask.values) {
      if (value == withheld) {
        value = layout::kUnlabelled;
      } else if (value != layout::kUnlabelled && value > withheld) {
        --value;
      }
    }
    const fs::path file = folder.path() / "masks" / *image.mask_name;
    fs::create_directories(file.parent_path());
    geo::write_raster(file, formats::raster_from_mask(mask));
  }
  if (result.provenance.is_null()) result.provenance = nlohmann::json::object();
  result.provenance["withheld_class"] = class_name;
  write_dataset(result, folder.path());
  folder.commit();
}

}  // namespace terragen::data
