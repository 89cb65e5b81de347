#include "terragen/formats/yolo.h"

#include <algorithm>
#include <cmath>
#include <format>
#include <map>

#include "terragen/core/atomic_file.h"
#include "terragen/core/error.h"
#include "terragen/formats/text_lines.h"
#include "terragen/formats/yaml_lines.h"

namespace terragen::formats {
namespace {

layout::Geometry geometry_of(const std::vector<double>& v, YoloShape shape, int width, int height) {
  if (shape == YoloShape::boxes) {
    return layout::make_box(
        {(v[0] - v[2] / 2) * width, (v[1] - v[3] / 2) * height, (v[0] + v[2] / 2) * width, (v[1] + v[3] / 2) * height});
  }
  layout::Geometry geometry = layout::make_polygon({});
  for (std::size_t i = 0; i + 1 < v.size(); i += 2)
    geometry.parts[0].exterior.push_back({v[i] * width, v[i + 1] * height});
  if (shape == YoloShape::oriented) geometry.kind = layout::GeometryKind::oriented_box;
  return geometry;
}

bool count_fits(std::size_t count, YoloShape shape) {
  if (shape == YoloShape::boxes) return count == 5;
  if (shape == YoloShape::oriented) return count == 9;
  return count >= 7 && count % 2 == 1;
}

}  // namespace

std::vector<layout::Feature> read_yolo(const std::filesystem::path& path, YoloShape shape, int classes, int width,
                                       int height, std::vector<LabelProblem>& problems) {
  std::vector<layout::Feature> features;
  for (const TextLine& line : read_text_lines(path)) {
    const std::vector<std::string> words = words_of(line.text);
    if (words.empty()) continue;
    if (!count_fits(words.size(), shape)) {
      throw DataError(line.place, std::format("{} numbers do not make an object of this form", words.size()));
    }
    std::vector<double> values;
    for (const std::string& word : words) values.push_back(number_of(word, line.place));
    const double number = values.front();
    if (number != std::floor(number) || number < 0 || number >= classes) {
      throw DataError(line.place, std::format("class {} is not one of the {} classes", words.front(), classes));
    }
    values.erase(values.begin());
    if (shape == YoloShape::boxes && (values[2] < 0 || values[3] < 0))
      throw DataError(line.place, "a box of negative size");
    layout::Feature feature{static_cast<int>(number), geometry_of(values, shape, width, height), false, {}};
    const double tolerance = 1.0;  // pixel: labels are rounded
    const layout::Bounds b = layout::bounds_of(feature.geometry);
    if (b.x0 < -tolerance || b.y0 < -tolerance || b.x1 > width + tolerance || b.y1 > height + tolerance) {
      problems.push_back({line.place, "the object leaves the image: cut at its edge"});
    }
    feature.geometry = layout::clip(feature.geometry, {0, 0, static_cast<double>(width), static_cast<double>(height)});
    if (layout::is_empty(feature.geometry) || !(layout::area_of(feature.geometry) > 0)) {
      problems.push_back({line.place, "the object has no area in the image: dropped"});
      continue;
    }
    features.push_back(std::move(feature));
  }
  return features;
}

void write_yolo(const std::vector<layout::Feature>& features, YoloShape shape, int width, int height,
                const std::filesystem::path& path) {
  std::string text;
  for (const layout::Feature& feature : features) {
    std::vector<double> values;
    if (shape == YoloShape::boxes) {
      const layout::Bounds b = layout::bounds_of(feature.geometry);
      values = {(b.x0 + b.x1) / 2 / width, (b.y0 + b.y1) / 2 / height, b.width() / width, b.height() / height};
    } else {
      if (feature.geometry.parts.size() != 1 || !feature.geometry.parts[0].holes.empty()) {
        throw InternalError("[write_yolo] the form carries one ring an object");
      }
      for (const layout::Point& p : feature.geometry.parts[0].exterior)
        values.insert(values.end(), {p.x / width, p.y / height});
    }
    text += std::to_string(feature.class_index);
    for (const double value : values) text += std::format(" {:.9g}", value);
    text += "\n";
  }
  write_file(path, text);
}

std::vector<std::string> read_yolo_names(const std::filesystem::path& path) {
  std::vector<std::string> names;
  const std::vector<TextLine> lines = read_text_lines(path);
  if (path.extension() != ".yaml" && path.extension() != ".yml") {
    for (const TextLine& line : lines) {
      if (!trimmed(line.text).empty()) names.push_back(trimmed(line.text));
    }
    return names;
  }
  // The part of YAML that data.yaml uses: `names: [a, b]`, or an indented list or map below `names:`.
  std::map<int, std::string> numbered;
  bool inside = false;
  for (const TextLine& line : lines) {
    const std::string text = without_yaml_comment(line.text);
    if (trimmed(text).empty()) continue;
    if (text.starts_with("names:")) {
      inside = true;
      const std::string rest = trimmed(text.substr(6));
      if (rest.starts_with("[") && rest.ends_with("]")) return yaml_flow_list(rest);
      if (!rest.empty()) throw DataError(line.place, "names is neither a list nor a map");
      continue;
    }
    if (!inside) continue;
    const std::string item = trimmed(text);
    if (item.starts_with("- ")) {
      names.push_back(yaml_unquoted(item.substr(2)));
    } else if (text.front() == ' ' && item.find(':') != std::string::npos) {
      const std::size_t colon = item.find(':');
      numbered[static_cast<int>(number_of(item.substr(0, colon), line.place))] = yaml_unquoted(item.substr(colon + 1));
    } else {
      break;
    }
  }
  for (const auto& [number, name] : numbered) {
    if (number != static_cast<int>(names.size())) throw DataError(path.string(), "the names' numbers have a gap");
    names.push_back(name);
  }
  if (names.empty()) throw DataError(path.string(), "names no classes");
  return names;
}

}  // namespace terragen::formats
