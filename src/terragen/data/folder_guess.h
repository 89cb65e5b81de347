// A recipe for a folder in a well-known layout, so that it imports without one. The guess is written as TOML for the
// user to correct.
#pragma once

#include <filesystem>
#include <string>

namespace terragen::data {

// The recipe's TOML for one of, tried in this order:
//   YOLO:  data.yaml (or dataset.yaml) with names; labels/ beside images/, boxes, oriented boxes or polygons
//   DOTA:  labelTxt/ (or labelTxt-*) folders beside images/
//   VOC:   Annotations/*.xml with JPEGImages/ or images/, ImageSets/Main/*.txt as splits
//   COCO:  JSON files with "images" and "annotations", wherever they lie
//   masks: images/ beside masks/ (labels/, gt/, annotations/), same stems; colour or index masks, the latter's names in
//          classes.json
//   GeoJSON: *.geojson whose features say their class, with georeferenced TIFF images
//   YOLO again: labels with classes.txt or a *.names, one name a line, in labels/ or beside their images
// Class names are read from the labels; masks without names get "class-<value>". DataError saying what was looked for
// when nothing fits.
std::string guess_recipe(const std::filesystem::path& folder);

}  // namespace terragen::data
