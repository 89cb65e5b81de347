#include "terragen/data/folder_guess.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <format>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "terragen/core/comma_list.h"
#include "terragen/core/error.h"
#include "terragen/core/json_file.h"
#include "terragen/data/path_match.h"
#include "terragen/formats/dota.h"
#include "terragen/formats/geojson.h"
#include "terragen/formats/text_lines.h"
#include "terragen/formats/voc.h"
#include "terragen/formats/yaml_lines.h"
#include "terragen/formats/yolo.h"
#include "terragen/geo/raster_io.h"

namespace terragen::data {
namespace {

namespace fs = std::filesystem;

constexpr const char* kImageTypes = "{png,jpg,jpeg,tif,tiff,bmp,PNG,JPG,JPEG,TIF,TIFF}";

struct Guess {
  std::string task = "detection";
  std::vector<std::pair<std::string, std::string>> classes;  // name, further keys as TOML
  std::string images;
  std::string format;
  std::string labels;
  std::map<std::string, std::vector<std::string>> splits;
  std::string more;     // under [labels], as TOML
  bool listed = false;  // splits are lists of images, which may lie in one folder
};

std::string toml_string(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + "\"";
}

std::string toml_of(const Guess& guess, const fs::path& folder) {
  std::string name = fs::absolute(folder / ".").parent_path().filename().string();
  std::string toml = std::format(
      "# Guessed from the folder's layout: check it, correct it, and import with it and --root FOLDER.\n"
      "name = {}\ntask = {}\nlicence = \"\"      # of the imagery, kept with every copy\n"
      "attribution = \"\"\n",
      toml_string(name), toml_string(guess.task));
  for (const auto& [label, keys] : guess.classes) {
    toml += std::format("\n[[classes]]\nname = {}\n{}", toml_string(label), keys);
  }
  toml += std::format("\n[images]\npath = {}\ngeoreference = \"file\"\n", toml_string(guess.images));
  if (guess.listed) {
    toml +=
        "place = \"(.*)\"      # every image a place of its own: name the part of the path that says where it was "
        "taken\n";
  }
  toml += std::format("\n[labels]\nformat = {}\npath = {}\n{}", toml_string(guess.format), toml_string(guess.labels),
                      guess.more);
  if (!guess.splits.empty()) toml += "\n[splits]\n";
  for (const auto& [split, globs] : guess.splits) {
    toml += std::format("{} = [{}]\n", split, comma_list(globs, toml_string));
  }
  return toml;
}

bool has_files(const fs::path& folder, const std::string& glob) { return !glob_files(folder, glob).empty(); }

std::string lower_case(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

// Globs for train, val and test where folders bear these names; nothing where none does. DataError where some images
// lie in such a folder and others do not: theirs is not ours to guess.
std::map<std::string, std::vector<std::string>> splits_by_folder(const fs::path& root,
                                                                 const std::vector<std::string>& images) {
  static const std::map<std::string, std::string> kNames{{"train", "train"}, {"training", "train"}, {"val", "val"},
                                                         {"valid", "val"},   {"validation", "val"}, {"test", "test"},
                                                         {"testing", "test"}};
  std::map<std::string, std::set<std::string>> found;
  std::string outside;
  for (const std::string& image : images) {
    fs::path below;
    bool placed = false;
    for (const fs::path& part : fs::path(image).parent_path()) {
      below /= part;
      std::string plain = lower_case(part.string());
      while (!plain.empty() && plain.back() >= '0' && plain.back() <= '9') plain.pop_back();  // train2017
      const auto name = kNames.find(plain);
      if (name == kNames.end()) continue;
      found[name->second].insert(below.generic_string() + "/**");
      placed = true;
      break;
    }
    if (!placed && outside.empty()) outside = image;
  }
  if (!found.empty() && !outside.empty()) {
    throw DataError((root / outside).string(),
                    std::format("lies in no folder of a split, while others do ({})", *found.begin()->second.begin()),
                    "move it, or write a recipe with images.path and [splits]: docs/data.md has every key");
  }
  std::map<std::string, std::vector<std::string>> splits;
  for (const auto& [split, globs] : found) splits[split].assign(globs.begin(), globs.end());
  return splits;
}

void add_names(Guess& guess, const std::set<std::string>& names) {
  for (const std::string& name : names) guess.classes.emplace_back(name, "");
}

std::string images_glob(const std::string& folder) { return std::format("{}*.{}", folder, kImageTypes); }

std::string yolo_format(const fs::path& root, const std::vector<std::string>& files) {
  std::set<std::size_t> lengths;
  for (const std::string& file : files) {
    if (fs::path(file).filename() == "classes.txt") continue;  // labelImg's list of names
    for (const formats::TextLine& line : formats::read_text_lines(root / file)) {
      const std::size_t count = formats::words_of(line.text).size();
      if (count > 0) lengths.insert(count);
    }
  }
  if (lengths.empty() || lengths == std::set<std::size_t>{5}) return "yolo";
  return lengths == std::set<std::size_t>{9} ? "yolo-obb" : "yolo-polygons";
}

// The part of a path written on another machine that is there: "/content/ds/test/images" is test/images. Empty: none.
std::string found_below(const fs::path& root, fs::path value) {
  while (!value.empty()) {
    const std::string text = value.relative_path().lexically_normal().generic_string();
    if (!text.starts_with("..") && fs::exists(root / text)) {
      return text.ends_with('/') ? text.substr(0, text.size() - 1) : text;
    }
    fs::path shorter;
    for (auto part = std::next(value.begin()); part != value.end(); ++part) shorter /= *part;
    value = shorter;
  }
  return "";
}

void set_yolo_splits(Guess& guess, const fs::path& root, const char* name) {
  const auto lines = formats::read_text_lines(root / name);
  const std::vector<std::string> images = glob_files(root, guess.images);
  std::string problem;
  std::set<std::string> taken;
  // Where validation is named after what there is of the others, it is theirs.
  for (const char* split : {"train", "test", "val"}) {
    for (const std::string& value : formats::yaml_values(lines, split)) {
      if (value.empty()) continue;
      const std::string below = found_below(root, value);
      if (below.empty() || !taken.insert(below).second) {
        problem = std::format("says that {} is in {}, which is {}", split, value,
                              below.empty() ? "not there" : "that of another split, too");
        continue;
      }
      if (!fs::is_directory(root / below)) {
        guess.splits[split].push_back("@" + below);
        guess.listed = true;
        continue;
      }
      const std::string glob = below == "." ? "**" : below + "/**";
      // A folder without images is no split.
      const bool holds = std::ranges::any_of(images, [&](const auto& image) { return glob_matches(glob, image); });
      if (holds) guess.splits[split].push_back(glob);
    }
  }
  // What is named and not there does no harm where the others hold all images.
  const auto is_placed = [&](const std::string& image) {
    return std::ranges::any_of(guess.splits, [&](const auto& entry) {
      return std::ranges::any_of(entry.second, [&](const std::string& glob) { return glob_matches(glob, image); });
    });
  };
  if (problem.empty() || guess.listed || std::ranges::all_of(images, is_placed)) return;
  guess.splits = splits_by_folder(root, images);
  if (guess.splits.empty()) {
    throw DataError((root / name).string(), problem,
                    "correct it, or write a recipe with [splits]: docs/data.md has every key");
  }
}

std::optional<Guess> guess_yolo(const fs::path& root) {
  for (const char* name : {"data.yaml", "dataset.yaml", "data.yml"}) {
    if (!fs::exists(root / name)) continue;
    Guess guess;
    const std::vector<std::string> names = formats::read_yolo_names(root / name);
    for (std::size_t k = 0; k < names.size(); ++k) guess.classes.emplace_back(names[k], std::format("id = {}\n", k));
    guess.images = images_glob("**/images/**/");
    guess.labels = "**/labels/**/*.txt";
    guess.format = yolo_format(root, glob_files(root, guess.labels));
    if (guess.format == "yolo-polygons") guess.task = "segmentation";
    set_yolo_splits(guess, root, name);
    return guess;
  }
  return std::nullopt;
}

// Labels with a list of names, one a line, in place of a data.yaml: labelImg's classes.txt, Darknet's *.names.
std::optional<Guess> guess_named_yolo(const fs::path& root) {
  std::vector<std::string> lists = glob_files(root, "**/*.names");
  for (const std::string& file : glob_files(root, "**/classes.txt")) lists.push_back(file);
  if (lists.empty()) return std::nullopt;
  Guess guess;
  const bool apart = has_files(root, "**/labels/**/*.txt");
  guess.images = images_glob(apart ? "**/images/**/" : "**/");
  guess.labels = apart ? "**/labels/**/*.txt" : "**/*.txt";
  // Lists of images lie among labels only where nothing keeps them apart.
  std::set<std::string> stems;
  for (const std::string& image : glob_files(root, guess.images)) stems.insert(fs::path(image).stem().string());
  std::vector<std::string> labels = glob_files(root, guess.labels);
  std::erase_if(labels, [&](const std::string& file) { return !stems.contains(fs::path(file).stem().string()); });
  if (labels.empty()) return std::nullopt;
  int id = 0;
  for (const formats::TextLine& line : formats::read_text_lines(root / lists.front())) {
    guess.classes.emplace_back(formats::trimmed(line.text), std::format("id = {}\n", id++));
  }
  guess.format = yolo_format(root, labels);
  if (guess.format == "yolo-polygons") guess.task = "segmentation";
  guess.splits = splits_by_folder(root, glob_files(root, guess.images));
  return guess;
}

std::optional<Guess> guess_dota(const fs::path& root) {
  for (const char* labels : {"**/labelTxt/*.txt", "**/labelTxt-*/*.txt"}) {
    const std::vector<std::string> files = glob_files(root, labels);
    if (files.empty()) continue;
    Guess guess;
    guess.format = "dota";
    guess.labels = labels;
    guess.images = images_glob("**/images/**/");
    std::set<std::string> names;
    std::vector<formats::LabelProblem> problems;
    for (const std::string& file : files) {
      for (const formats::NamedObject& object : formats::read_dota(root / file, problems))
        names.insert(object.class_name);
    }
    add_names(guess, names);
    guess.splits = splits_by_folder(root, glob_files(root, guess.images));
    return guess;
  }
  return std::nullopt;
}

std::optional<Guess> guess_voc(const fs::path& root) {
  const std::vector<std::string> files = glob_files(root, "**/Annotations/**/*.xml");
  if (files.empty()) return std::nullopt;
  Guess guess;
  guess.format = "voc";
  guess.labels = "**/Annotations/**/*.xml";
  guess.images = images_glob("**/{JPEGImages,JPEGImages-*,images,Images}/**/");
  std::set<std::string> names;
  std::vector<formats::LabelProblem> problems;
  for (const std::string& file : files) {
    for (const formats::NamedObject& object : formats::read_voc(root / file, problems).objects)
      names.insert(object.class_name);
  }
  add_names(guess, names);
  for (const char* split : {"train", "val", "test"}) {
    for (const std::string& list : glob_files(root, std::format("**/ImageSets/Main/{}.txt", split)))
      guess.splits[split].push_back("@" + list), guess.listed = true;
  }
  if (guess.splits.empty()) guess.splits = splits_by_folder(root, glob_files(root, guess.images));
  return guess;
}

std::optional<Guess> guess_coco(const fs::path& root) {
  Guess guess;
  guess.format = "coco";
  std::set<std::string> names;
  std::string list;
  bool shapes = false;
  for (const std::string& file : glob_files(root, "**/*.json")) {
    const Json json = read_json(root / file);
    if (!json.is_object() || !json.contains("images") || !json.contains("annotations") || !json.contains("categories"))
      continue;
    list += (list.empty() ? "" : ",") + file;
    for (const Json& category : json["categories"]) {
      if (category.is_object() && category.contains("name") && category["name"].is_string())
        names.insert(category["name"].get<std::string>());
    }
    for (const Json& annotation : json["annotations"]) {
      shapes = shapes ||
               (annotation.is_object() && annotation.contains("segmentation") && !annotation["segmentation"].empty());
    }
  }
  if (list.empty()) return std::nullopt;
  guess.labels = list.find(',') == std::string::npos ? list : "{" + list + "}";
  guess.images = images_glob("**/");
  if (shapes) guess.task = "segmentation";
  add_names(guess, names);
  guess.splits = splits_by_folder(root, glob_files(root, guess.images));
  return guess;
}

// Features that say their class, over images that say where they lie.
std::optional<Guess> guess_geojson(const fs::path& root) {
  const std::vector<std::string> files = glob_files(root, "**/*.geojson");
  const std::vector<std::string> images = glob_files(root, "**/*.{tif,tiff,TIF,TIFF}");
  if (files.empty() || images.empty()) return std::nullopt;
  if (geo::read_raster_info(root / images.front()).georeference.crs.empty()) return std::nullopt;
  std::set<std::string> files_named;
  for (const std::string& image : images) files_named.insert(fs::path(image).filename().string());
  for (const char* property : {"class", "label", "category"}) {
    std::set<std::string> names;
    bool of_images = true;  // as our export writes it, where images overlap
    const auto is_named = [&](const std::string& file) {
      const formats::GeoFile content = formats::read_geojson(root / file);
      return std::ranges::all_of(content.features, [&](const formats::GeoFeature& feature) {
        const auto found = feature.properties.find(property);
        if (found == feature.properties.end() || !found->is_string()) return false;
        names.insert(found->get<std::string>());
        const auto image = feature.properties.find("image");
        of_images = of_images && image != feature.properties.end() && image->is_string() &&
                    files_named.contains(image->get<std::string>());
        return true;
      });
    };
    if (!std::ranges::all_of(files, is_named) || names.empty()) continue;
    Guess guess;
    guess.format = "geojson";
    guess.labels = "**/*.geojson";
    guess.images = "**/*.{tif,tiff,TIF,TIFF}";
    guess.more = std::format("class_property = {}\n", toml_string(property));
    if (of_images) guess.more += "image_property = \"image\"\n";
    add_names(guess, names);
    guess.splits = splits_by_folder(root, images);
    return guess;
  }
  return std::nullopt;
}

// The names of index masks' values, where a classes.json beside them has them: a list in their order.
std::vector<std::string> names_of_values(const fs::path& root) {
  std::vector<std::string> names;
  if (!fs::exists(root / "classes.json")) return names;
  const std::string place = (root / "classes.json").string();
  for (const Json& entry : json_member<Json>(read_json(root / "classes.json"), "classes", place)) {
    names.push_back(json_member<std::string>(entry, "name", place));
  }
  return names;
}

// One class a value that the masks hold; 255 beside others is taken as "not labelled".
void add_mask_classes(Guess& guess, const fs::path& root, const std::vector<std::string>& masks) {
  std::set<int> codes;  // 0xRRGGBB
  std::set<int> ids;
  for (const std::string& file : masks) {
    const geo::Raster raster = geo::read_raster(root / file);
    const bool coloured = raster.bands >= 3;
    int last = -1;  // neighbours are alike
    for (int y = 0; y < raster.height; ++y) {
      for (int x = 0; x < raster.width; ++x) {
        const auto band = [&](int b) { return static_cast<int>(raster.at(b, x, y)); };
        const int value = coloured ? band(0) << 16 | band(1) << 8 | band(2) : band(0);
        if (value == last && (x > 0 || y > 0)) continue;
        last = value;
        (coloured ? codes : ids).insert(value);
      }
    }
    if (codes.size() > 64 || ids.size() > 255) {
      throw DataError((root / file).string(),
                      "holds more values than a mask has classes: it may be an image, or saved with loss");
    }
  }
  guess.format = codes.empty() ? "index-masks" : "color-masks";
  for (const int code : codes)
    guess.classes.emplace_back(std::format("class-{:06X}", code), std::format("color = \"#{:06X}\"\n", code));
  const std::vector<std::string> names = names_of_values(root);
  if (codes.empty() && !names.empty()) {
    // Classes that no mask shows are still classes: 255 alone means "not labelled" then.
    if (ids.contains(255) && names.size() <= 255) guess.more = "ignore = [255]\n", ids.erase(255);
    if (!ids.empty() && *ids.rbegin() >= std::ssize(names)) {
      throw DataError((root / "classes.json").string(),
                      std::format("names {} classes, and the masks hold the value {}", names.size(), *ids.rbegin()));
    }
    for (std::size_t k = 0; k < names.size(); ++k) guess.classes.emplace_back(names[k], std::format("id = {}\n", k));
    return;
  }
  for (const int id : ids) {
    const bool binary = ids == std::set<int>{0, 255} || ids == std::set<int>{0, 1};
    const std::string name = binary ? (id == 0 ? "background" : "object") : std::format("class-{}", id);
    if (!binary && id == 255 && ids.size() > 2) {
      guess.more = "ignore = [255]\n";
      continue;
    }
    guess.classes.emplace_back(name, std::format("id = {}\n", id));
  }
}

std::optional<Guess> guess_masks(const fs::path& root) {
  for (const char* below : {"masks", "labels", "gt", "annotations", "mask", "label"}) {
    const std::string labels = std::format("**/{}/**/*.{}", below, "{png,tif,tiff,bmp,PNG,TIF}");
    const std::vector<std::string> masks = glob_files(root, labels);
    if (masks.empty() || !has_files(root, images_glob("**/{images,image,img,imgs}/**/"))) continue;
    Guess guess;
    guess.task = "segmentation";
    guess.labels = labels;
    guess.images = images_glob("**/{images,image,img,imgs}/**/");
    add_mask_classes(guess, root, masks);
    guess.splits = splits_by_folder(root, glob_files(root, guess.images));
    return guess;
  }
  return std::nullopt;
}

}  // namespace

std::string guess_recipe(const fs::path& folder) {
  for (const auto guess :
       {guess_yolo, guess_dota, guess_voc, guess_coco, guess_masks, guess_geojson, guess_named_yolo}) {
    const std::optional<Guess> found = guess(folder);
    if (!found) continue;
    if (found->classes.empty()) throw DataError(folder.string(), "holds labels that name no class");
    return toml_of(*found, folder);
  }
  throw DataError(folder.string(),
                  "is in no layout that is recognised (YOLO's data.yaml or list of names, DOTA's labelTxt, VOC's "
                  "Annotations, a COCO JSON, GeoJSON beside GeoTIFF, or images beside masks)",
                  "write a recipe: docs/data.md has every key");
}

}  // namespace terragen::data
