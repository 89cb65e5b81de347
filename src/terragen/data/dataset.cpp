#include "terragen/data/dataset.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <format>
#include <functional>
#include <map>

#include "terragen/core/error.h"
#include "terragen/core/json_file.h"
#include "terragen/formats/coco.h"
#include "terragen/formats/masks.h"
#include "terragen/geo/raster_io.h"

namespace terragen::data {
namespace {

namespace fs = std::filesystem;

constexpr int kFormatVersion = 1;
constexpr std::array<const char*, 3> kSplits{"train", "val", "test"};

void check_inside(const std::string& name, const std::string& place) {
  const fs::path path(name);
  if (name.empty() || path.is_absolute() || std::ranges::find(path, "..") != path.end()) {
    throw DataError(place, std::format("names the file \"{}\", which leaves the dataset", name));
  }
}

Json image_to_json(const ImageRecord& image) {
  Json json = {{"file_name", image.file_name},     {"width", image.width}, {"height", image.height},
               {"split", split_name(image.split)}, {"place", image.place}, {"source", image.source}};
  if (!image.caption.empty()) json["caption"] = image.caption;
  if (image.synthetic) json["synthetic"] = true;
  if (image.mask_name) json["mask"] = *image.mask_name;
  if (!image.crs.empty()) json["crs"] = image.crs;
  if (image.crs_from_pixel) json["crs_from_pixel"] = *image.crs_from_pixel;
  if (image.gsd) json["gsd"] = *image.gsd;
  return json;
}

ImageRecord image_from_json(const Json& json, const std::string& place) {
  ImageRecord image;
  image.file_name = json_member<std::string>(json, "file_name", place);
  check_inside(image.file_name, place);
  image.width = json_member<int>(json, "width", place);
  image.height = json_member<int>(json, "height", place);
  if (image.width <= 0 || image.height <= 0)
    throw DataError(place, std::format("image {} has no extent", image.file_name));
  image.split = split_from_name(json_member<std::string>(json, "split", place), place);
  image.place = json_member_or<std::string>(json, "place", "", place);
  image.source = json_member_or<std::string>(json, "source", "", place);
  image.caption = json_member_or<std::string>(json, "caption", "", place);
  image.synthetic = json_member_or<bool>(json, "synthetic", false, place);
  if (json.contains("mask")) {
    image.mask_name = json_member<std::string>(json, "mask", place);
    check_inside(*image.mask_name, place);
  }
  image.crs = json_member_or<std::string>(json, "crs", "", place);
  if (json.contains("crs_from_pixel")) {
    image.crs_from_pixel = json_member<std::array<double, 6>>(json, "crs_from_pixel", place);
  }
  if (json.contains("gsd")) image.gsd = json_member<double>(json, "gsd", place);
  return image;
}

}  // namespace

std::string split_name(Split split) { return kSplits.at(static_cast<std::size_t>(split)); }

Split split_from_name(const std::string& name, const std::string& place) {
  const auto found = std::ranges::find(kSplits, name);
  if (found == kSplits.end()) throw DataError(place, std::format("split \"{}\" is not train, val or test", name));
  return static_cast<Split>(found - kSplits.begin());
}

Dataset read_dataset(const fs::path& folder) {
  const fs::path file = folder / "dataset.json";
  const std::string place = file.string();
  if (!fs::exists(file)) {
    throw DataError(folder.string(), "is no dataset: it holds no dataset.json", "`terragen import` makes one");
  }
  const Json json = read_json(file);
  if (const int version = json_member<int>(json, "format_version", place); version != kFormatVersion) {
    throw DataError(place, std::format("has format version {}, this program reads {}", version, kFormatVersion));
  }
  Dataset dataset;
  dataset.folder = folder;
  dataset.name = json_member<std::string>(json, "name", place);
  if (dataset.name.find('/') != std::string::npos) {
    throw DataError(place, std::format("names the dataset \"{}\": no name holds a \"/\"", dataset.name));
  }
  dataset.task = json_member<std::string>(json, "task", place);
  dataset.licence = json_member_or<std::string>(json, "licence", "", place);
  dataset.attribution = json_member_or<std::string>(json, "attribution", "", place);
  dataset.sensor = json_member_or<std::string>(json, "sensor", "", place);
  dataset.data_type = json_member<std::string>(json, "data_type", place);
  for (const Json& band : json_member<Json>(json, "bands", place)) {
    dataset.bands.push_back({json_member<std::string>(band, "name", place), json_member<double>(band, "low", place),
                             json_member<double>(band, "high", place)});
  }
  if (json.contains("nodata")) {
    dataset.nodata = json["nodata"] == "nan" ? std::nan("") : json_member<double>(json, "nodata", place);
  }
  dataset.taxonomy = layout::taxonomy_from_json(json_member<Json>(json, "classes", place), place);
  dataset.dense = json_member<bool>(json, "dense", place);
  for (const Json& image : json_member<Json>(json, "images", place)) {
    dataset.images.push_back(image_from_json(image, place));
  }
  for (const Json& problem : json_member_or<Json>(json, "problems", Json::array(), place)) {
    dataset.problems.push_back(
        {json_member<std::string>(problem, "place", place), json_member<std::string>(problem, "sentence", place)});
  }
  dataset.provenance = json_member_or<Json>(json, "provenance", Json::object(), place);

  const formats::AnnotationSet set = formats::read_coco(folder / "annotations.json");
  std::map<std::string, const formats::AnnotatedImage*> by_name;
  for (const formats::AnnotatedImage& image : set.images) by_name[image.file_name] = &image;
  for (ImageRecord& image : dataset.images) {
    const auto found = by_name.find("images/" + image.file_name);
    if (found == by_name.end()) {
      throw DataError((folder / "annotations.json").string(),
                      std::format("does not list the image {}", image.file_name));
    }
    image.features = found->second->features;
    for (layout::Feature& feature : image.features) {
      feature.class_index = dataset.taxonomy.find(set.taxonomy.at(feature.class_index).name);
      if (feature.class_index < 0) {
        throw DataError((folder / "annotations.json").string(), "has a category that dataset.json does not list");
      }
    }
  }
  return dataset;
}

void write_dataset(const Dataset& dataset, const fs::path& folder) {
  Json json = {{"format_version", kFormatVersion},
               {"name", dataset.name},
               {"task", dataset.task},
               {"licence", dataset.licence},
               {"attribution", dataset.attribution},
               {"sensor", dataset.sensor},
               {"data_type", dataset.data_type},
               {"bands", Json::array()},
               {"classes", layout::taxonomy_to_json(dataset.taxonomy)},
               {"dense", dataset.dense},
               {"images", Json::array()},
               {"problems", Json::array()},
               {"provenance", dataset.provenance}};
  for (const BandInfo& band : dataset.bands) {
    json["bands"].push_back({{"name", band.name}, {"low", band.low}, {"high", band.high}});
  }
  if (dataset.nodata) json["nodata"] = std::isnan(*dataset.nodata) ? Json("nan") : Json(*dataset.nodata);
  for (const formats::LabelProblem& problem : dataset.problems) {
    json["problems"].push_back({{"place", problem.place}, {"sentence", problem.sentence}});
  }
  formats::AnnotationSet set;
  set.taxonomy = dataset.taxonomy;
  for (const ImageRecord& image : dataset.images) {
    json["images"].push_back(image_to_json(image));
    set.images.push_back({"images/" + image.file_name, image.width, image.height, image.features});
  }
  formats::write_coco(set, folder / "annotations.json");
  write_json(folder / "dataset.json", json);
}

layout::Layout layout_of(const Dataset& dataset, const ImageRecord& image) {
  layout::Layout layout;
  layout.task = dataset.task;
  layout.width = image.width;
  layout.height = image.height;
  layout.gsd = image.gsd;
  layout.place = image.place;
  layout.sensor = dataset.sensor;
  layout.caption = image.caption;
  layout.features = image.features;
  if (image.mask_name) {
    const fs::path file = dataset.folder / "masks" / *image.mask_name;
    layout.mask = formats::mask_from_raster(geo::read_raster(file), dataset.taxonomy.size(), file.string());
    if (layout.mask->width != image.width || layout.mask->height != image.height) {
      throw DataError(file.string(), "has another size than its image");
    }
  }
  return layout;
}

Dataset real_images(const Dataset& dataset, const std::string& split) {
  Dataset result = dataset;
  std::erase_if(result.images,
                [&](const ImageRecord& image) { return split_name(image.split) != split || image.synthetic; });
  return result;
}

Dataset painted_images(const Dataset& dataset, const std::string& split) {
  Dataset result = dataset;
  std::erase_if(result.images, [&](const ImageRecord& image) { return split_name(image.split) != split; });
  if (std::ranges::any_of(result.images, &ImageRecord::synthetic)) {
    std::erase_if(result.images, std::not_fn(&ImageRecord::synthetic));
  }
  return result;
}

Dataset training_images(const Dataset& dataset) {
  Dataset result = real_images(dataset, "train");
  if (result.images.empty()) throw RequestError(std::format("{} has no training images", dataset.name));
  return result;
}

}  // namespace terragen::data
