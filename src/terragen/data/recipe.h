// A recipe: how a folder of labelled imagery, as it lies, becomes a dataset. Read from TOML; docs/data.md has every
// key.
#pragma once

#include <array>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "terragen/layout/taxonomy.h"

namespace terragen::data {

struct Recipe {
  struct Class {
    std::string name;
    std::vector<std::array<std::uint8_t, 3>> colors;  // of colour masks
    std::vector<int> ids;                             // of index masks; names of other formats' classes are `aliases`
    std::vector<std::string> aliases;
  };
  std::string text;  // the TOML itself, for the provenance
  std::string name;
  std::string task;
  std::string licence;
  std::string attribution;
  std::string sensor;
  std::vector<Class> classes;

  // [images]
  std::string images_path;    // glob relative to the root
  std::optional<double> gsd;  // metres a pixel, where the georeference does not tell
  std::vector<int> bands;     // 0-based numbers in the file; empty: all
  std::vector<std::string> band_names;
  std::string georeference = "file";  // "file", "xyz-tile-name", "none"
  std::string range = "auto";         // "data-type", "percentile", "auto" (data-type for uint8, else percentile)
  std::vector<std::array<double, 2>> range_values;  // explicit low and high, one for all bands or one a band
  std::optional<double> nodata;
  std::string captions;  // file below the root: a line {"file_name": ..., "text": ...} an image; empty: none
  std::string place;     // regex on the image's path below the root; its groups are the place

  // [labels]
  std::string labels_format = "none";
  std::string labels_path;  // glob or file relative to the root
  std::string match;        // regex whose groups are the same on an image's and its label's path; empty: same stem
  std::string missing = "refuse";  // an image without a label file: "refuse", "skip" (leave it out), "empty"
  std::vector<std::array<std::uint8_t, 3>> ignore_colors;
  std::vector<int> ignore_ids;
  std::vector<std::string> ignore_names;
  std::string class_property;  // GeoJSON property that names the class; empty: the only class
  std::string image_property;  // GeoJSON property with the file name of the one image a feature is for; empty: all
  double radius = 0;           // metres, of points
  double width = 0;            // metres, of lines

  // [tiles]
  int tile_size = 0;  // pixels; 0: images stay whole
  int tile_overlap = 0;

  // [splits]: globs on the image's path below the root, or "@FILE": a list of images, one a line, by path, name or stem
  std::vector<std::string> train, val, test;
};

// DataError naming `place` and the key: unknown keys and wrong types are refused.
Recipe parse_recipe(const std::string& toml_text, const std::string& place);
Recipe read_recipe(const std::filesystem::path& path);

}  // namespace terragen::data
