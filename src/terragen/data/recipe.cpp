#include "terragen/data/recipe.h"

#include <algorithm>
#include <format>
#include <map>
#include <set>
#include <toml++/toml.hpp>

#include "terragen/core/atomic_file.h"
#include "terragen/core/comma_list.h"
#include "terragen/core/error.h"

namespace terragen::data {
namespace {

// One table of the recipe, with every error naming the key.
class Table {
 public:
  Table(const toml::table& table, std::string name, std::string place)
      : table_(table), name_(std::move(name)), place_(std::move(place)) {}

  void allow(const std::set<std::string>& keys) const {
    for (const auto& [key, value] : table_) {
      if (!keys.contains(std::string(key.str()))) fail(std::string(key.str()), "is not known");
    }
  }
  [[noreturn]] void fail(const std::string& key, const std::string& reason) const {
    throw DataError(place_, std::format("key \"{}{}\" {}", name_.empty() ? "" : name_ + ".", key, reason));
  }
  template <class T>
  void read(const char* key, T& member) const {
    const toml::node* node = table_.get(key);
    if (node == nullptr) return;
    const auto value = node->value<T>();
    if (!value) fail(key, "has the wrong type");
    member = *value;
  }
  void read(const char* key, std::optional<double>& member) const {
    double value = 0;
    if (table_.contains(key)) read(key, value), member = value;
  }
  std::string required(const char* key) const {
    std::string value;
    read(key, value);
    if (value.empty()) fail(key, "is missing");
    return value;
  }
  // A value or a list of values.
  template <class T>
  std::vector<T> list(const char* key) const {
    std::vector<T> values;
    const toml::node* node = table_.get(key);
    if (node == nullptr) return values;
    const auto add = [&](const toml::node& item) {
      const auto value = item.value<T>();
      if (!value) fail(key, "has an entry of the wrong type");
      values.push_back(*value);
    };
    if (const toml::array* array = node->as_array()) {
      for (const toml::node& item : *array) add(item);
    } else {
      add(*node);
    }
    return values;
  }
  const toml::node* node(const char* key) const { return table_.get(key); }
  const std::string& place() const { return place_; }

 private:
  const toml::table& table_;
  std::string name_;
  std::string place_;
};

void check_choice(const Table& table, const char* key, const std::string& value, const std::set<std::string>& choices) {
  if (choices.contains(value)) return;
  table.fail(key, std::format("is \"{}\", not one of {}", value, comma_list(choices)));
}

void read_classes(const toml::table& root, const std::string& place, Recipe& recipe) {
  const toml::node* classes = root.get("classes");
  if (classes == nullptr) return;
  if (!classes->is_array()) throw DataError(place, "classes are written as [[classes]], one table for each");
  for (const toml::node& node : *classes->as_array()) {
    if (!node.is_table()) throw DataError(place, "[[classes]] holds something that is no table");
    const Table table(*node.as_table(), "classes", place);
    table.allow({"name", "color", "id", "alias"});
    Recipe::Class entry;
    entry.name = table.required("name");
    for (const std::string& color : table.list<std::string>("color")) {
      entry.colors.push_back(layout::color_from_text(color, place));
    }
    for (const std::int64_t id : table.list<std::int64_t>("id")) {
      if (id < -32768 || id > 65535) table.fail("id", "is no 16-bit number");
      entry.ids.push_back(static_cast<int>(id));
    }
    entry.aliases = table.list<std::string>("alias");
    recipe.classes.push_back(std::move(entry));
  }
}

void read_images(const Table& table, Recipe& recipe) {
  table.allow({"path", "gsd", "bands", "band_names", "georeference", "range", "nodata", "place", "captions"});
  recipe.images_path = table.required("path");
  table.read("gsd", recipe.gsd);
  if (recipe.gsd && !(*recipe.gsd > 0)) table.fail("gsd", "is not positive");
  for (const std::int64_t band : table.list<std::int64_t>("bands")) {
    if (band < 0) table.fail("bands", "holds a negative number");
    recipe.bands.push_back(static_cast<int>(band));
  }
  recipe.band_names = table.list<std::string>("band_names");
  table.read("georeference", recipe.georeference);
  check_choice(table, "georeference", recipe.georeference, {"file", "xyz-tile-name", "none"});
  table.read("nodata", recipe.nodata);
  table.read("place", recipe.place);
  table.read("captions", recipe.captions);
  const toml::node* range = table.node("range");
  if (range == nullptr) return;
  if (range->is_string()) {
    table.read("range", recipe.range);
    check_choice(table, "range", recipe.range, {"auto", "data-type", "percentile"});
    return;
  }
  const toml::array* outer = range->as_array();
  const auto pair = [&](const toml::array& item) {
    const auto low = item.size() == 2 ? item[0].value<double>() : std::nullopt;
    const auto high = item.size() == 2 ? item[1].value<double>() : std::nullopt;
    if (!low || !high || !(*high > *low)) table.fail("range", "is not a low and a higher number");
    recipe.range_values.push_back({*low, *high});
  };
  if (outer == nullptr || outer->empty()) table.fail("range", "is neither a word nor numbers");
  if (outer->front().is_array()) {
    for (const toml::node& item : *outer) {
      if (!item.is_array()) table.fail("range", "mixes numbers and lists");
      pair(*item.as_array());
    }
  } else {
    pair(*outer);
  }
}

void read_labels(const Table& table, Recipe& recipe) {
  table.allow({"format", "path", "match", "ignore", "class_property", "image_property", "radius", "width", "missing"});
  recipe.labels_format = table.required("format");
  check_choice(table, "format", recipe.labels_format,
               {"none", "color-masks", "index-masks", "coco", "yolo", "yolo-obb", "yolo-polygons", "dota", "voc",
                "geojson", "points-csv"});
  table.read("path", recipe.labels_path);
  if (recipe.labels_path.empty() && recipe.labels_format != "none") table.fail("path", "is missing");
  table.read("match", recipe.match);
  table.read("class_property", recipe.class_property);
  table.read("image_property", recipe.image_property);
  if (recipe.labels_format.starts_with("yolo")) recipe.missing = "empty";  // YOLO's own rule
  table.read("missing", recipe.missing);
  check_choice(table, "missing", recipe.missing, {"refuse", "skip", "empty"});
  table.read("radius", recipe.radius);
  table.read("width", recipe.width);
  if (recipe.radius < 0 || recipe.width < 0) table.fail("radius", "or width is negative");
  if (const toml::node* ignore = table.node("ignore")) {
    const bool numbers = ignore->is_integer() || (ignore->is_array() && !ignore->as_array()->empty() &&
                                                  ignore->as_array()->front().is_integer());
    if (numbers) {
      for (const std::int64_t id : table.list<std::int64_t>("ignore")) {
        if (id < -32768 || id > 65535) table.fail("ignore", "holds what is no 16-bit number");
        recipe.ignore_ids.push_back(static_cast<int>(id));
      }
    } else {
      for (const std::string& item : table.list<std::string>("ignore")) {
        if (recipe.labels_format == "color-masks") {
          recipe.ignore_colors.push_back(layout::color_from_text(item, table.place()));
        } else {
          recipe.ignore_names.push_back(item);
        }
      }
    }
  }
}

// What labels are told by belongs to one class, or to what is left out.
void require_distinct(const Recipe& recipe, const std::string& place) {
  std::map<std::string, std::string> owners;
  const auto take = [&](const std::string& what, const std::string& owner) {
    const auto [entry, fresh] = owners.emplace(what, owner);
    if (!fresh && entry->second != owner) {
      throw DataError(place, std::format("{} is that of {} and of {}", what, entry->second, owner));
    }
  };
  for (const auto& color : recipe.ignore_colors) take("color " + layout::color_to_text(color), "labels.ignore");
  for (const int id : recipe.ignore_ids) take(std::format("id {}", id), "labels.ignore");
  for (const std::string& name : recipe.ignore_names) take(std::format("name \"{}\"", name), "labels.ignore");
  std::set<std::string> names;
  for (const Recipe::Class& entry : recipe.classes) {
    const std::string owner = std::format("class \"{}\"", entry.name);
    if (!names.insert(entry.name).second) throw DataError(place, owner + " is listed twice");
    take(std::format("name \"{}\"", entry.name), owner);
    for (const std::string& alias : entry.aliases) take(std::format("name \"{}\"", alias), owner);
    for (const auto& color : entry.colors) take("color " + layout::color_to_text(color), owner);
    for (const int id : entry.ids) take(std::format("id {}", id), owner);
  }
}

}  // namespace

Recipe parse_recipe(const std::string& toml_text, const std::string& place) {
  toml::table root;
  try {
    root = toml::parse(toml_text);
  } catch (const toml::parse_error& error) {
    throw DataError(std::format("{}: line {}", place, error.source().begin.line), std::string(error.description()));
  }
  Recipe recipe;
  recipe.text = toml_text;
  const Table top(root, "", place);
  top.allow({"name", "task", "licence", "attribution", "sensor", "classes", "images", "labels", "tiles", "splits"});
  recipe.name = top.required("name");
  // Samples are called NAME/IMAGE, those of painted images NAME (synthetic)/IMAGE.
  if (recipe.name.find('/') != std::string::npos || recipe.name.ends_with("(synthetic)")) {
    top.fail("name", "holds a \"/\" or ends in \"(synthetic)\"");
  }
  recipe.task = top.required("task");
  top.read("licence", recipe.licence);
  top.read("attribution", recipe.attribution);
  top.read("sensor", recipe.sensor);
  read_classes(root, place, recipe);
  const auto section = [&](const char* key) -> const toml::table* {
    const toml::node* node = root.get(key);
    if (node != nullptr && !node->is_table()) top.fail(key, "is no table");
    return node == nullptr ? nullptr : node->as_table();
  };
  if (const toml::table* images = section("images")) {
    read_images(Table(*images, "images", place), recipe);
  } else {
    top.fail("images", "is missing");
  }
  if (const toml::table* labels = section("labels")) read_labels(Table(*labels, "labels", place), recipe);
  require_distinct(recipe, place);
  // Images alone: what a generator may learn grounds from.
  if (recipe.classes.empty() && recipe.labels_format != "none") throw DataError(place, "names no [[classes]]");
  if (const toml::table* tiles = section("tiles")) {
    const Table table(*tiles, "tiles", place);
    table.allow({"size", "overlap"});
    table.read("size", recipe.tile_size);
    table.read("overlap", recipe.tile_overlap);
    if (recipe.tile_size < 0 || recipe.tile_overlap < 0 ||
        (recipe.tile_size > 0 && recipe.tile_overlap >= recipe.tile_size)) {
      table.fail("overlap", "does not fit the tiles' size");
    }
  }
  if (const toml::table* splits = section("splits")) {
    const Table table(*splits, "splits", place);
    table.allow({"train", "val", "test"});
    recipe.train = table.list<std::string>("train");
    recipe.val = table.list<std::string>("val");
    recipe.test = table.list<std::string>("test");
  }
  return recipe;
}

Recipe read_recipe(const std::filesystem::path& path) { return parse_recipe(read_file(path, 1 << 20), path.string()); }

}  // namespace terragen::data
