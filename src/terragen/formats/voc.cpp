#include "terragen/formats/voc.h"

#include <cpl_conv.h>
#include <cpl_minixml.h>
#include <cpl_string.h>

#include <format>
#include <memory>

#include "terragen/core/atomic_file.h"
#include "terragen/core/error.h"
#include "terragen/formats/text_lines.h"
#include "terragen/geo/gdal_scope.h"

namespace terragen::formats {
namespace {

struct DestroyTree {
  void operator()(CPLXMLNode* node) const { CPLDestroyXMLNode(node); }
};

class Object {
 public:
  Object(const CPLXMLNode* node, std::string place) : node_(node), place_(std::move(place)) {}
  double number(const char* key) const {
    const char* text = CPLGetXMLValue(node_, key, nullptr);
    if (text == nullptr) throw DataError(place_, std::format("has no <{}>", key));
    return number_of(text, place_);
  }
  bool has(const char* key) const { return CPLGetXMLNode(node_, key) != nullptr; }

 private:
  const CPLXMLNode* node_;
  std::string place_;
};

layout::Geometry geometry_of(const CPLXMLNode* node, const std::string& place) {
  if (const CPLXMLNode* turned = CPLGetXMLNode(node, "robndbox")) {
    const Object box(turned, place);
    if (box.has("angle")) {
      return layout::make_oriented_box(
          {box.number("cx"), box.number("cy"), box.number("w"), box.number("h"), box.number("angle")});
    }
    layout::Geometry quad = layout::make_polygon({{box.number("x_left_top"), box.number("y_left_top")},
                                                  {box.number("x_right_top"), box.number("y_right_top")},
                                                  {box.number("x_right_bottom"), box.number("y_right_bottom")},
                                                  {box.number("x_left_bottom"), box.number("y_left_bottom")}});
    quad.kind = layout::GeometryKind::oriented_box;
    return quad;
  }
  const CPLXMLNode* upright = CPLGetXMLNode(node, "bndbox");
  if (upright == nullptr) throw DataError(place, "has no <bndbox>");
  const Object box(upright, place);
  const layout::Bounds bounds{box.number("xmin") - 1, box.number("ymin") - 1, box.number("xmax"), box.number("ymax")};
  if (bounds.x1 < bounds.x0 || bounds.y1 < bounds.y0) throw DataError(place, "has a box turned inside out");
  return layout::make_box(bounds);
}

std::string escaped(const std::string& text) {
  const std::unique_ptr<char, decltype(&VSIFree)> xml(CPLEscapeString(text.c_str(), -1, CPLES_XML), &VSIFree);
  return xml.get();
}

// Whole numbers as such: many readers take nothing else.
std::string coordinate(double value) {
  std::string text = std::format("{:.3f}", value);
  if (text.ends_with(".000")) text.resize(text.size() - 4);
  return text;
}

}  // namespace

VocFile read_voc(const std::filesystem::path& path, std::vector<LabelProblem>& problems) {
  const std::string text = read_file(path, std::size_t{1} << 28);
  const geo::GdalErrorScope errors;
  const std::unique_ptr<CPLXMLNode, DestroyTree> tree(CPLParseXMLString(text.c_str()));
  if (!tree) throw DataError(path.string(), "is no XML: " + errors.first_error());
  const CPLXMLNode* root = CPLGetXMLNode(tree.get(), "=annotation");
  if (root == nullptr) throw DataError(path.string(), "is no Pascal VOC annotation: it has no <annotation>");
  VocFile file;
  file.file_name = CPLGetXMLValue(root, "filename", "");
  if (const CPLXMLNode* size = CPLGetXMLNode(root, "size")) {
    const Object object(size, path.string() + ": size");
    file.width = static_cast<int>(object.number("width"));
    file.height = static_cast<int>(object.number("height"));
  }
  int number = 0;
  for (const CPLXMLNode* node = root->psChild; node != nullptr; node = node->psNext) {
    if (node->eType != CXT_Element || std::string(node->pszValue) != "object") continue;
    const std::string place = std::format("{}: object {}", path.string(), ++number);
    NamedObject object{trimmed(CPLGetXMLValue(node, "name", "")), geometry_of(node, place), false, place};
    if (object.class_name.empty()) throw DataError(place, "has no <name>");
    object.difficult = std::string(CPLGetXMLValue(node, "difficult", "0")) == "1";
    if (!(layout::area_of(object.geometry) > 0)) {
      problems.push_back({place, "the object has no area: dropped"});
      continue;
    }
    file.objects.push_back(std::move(object));
  }
  return file;
}

void write_voc(const VocFile& file, int bands, const std::filesystem::path& path) {
  std::string xml = std::format(
      "<annotation>\n  <filename>{}</filename>\n  <size>\n    <width>{}</width>\n    <height>{}</height>\n"
      "    <depth>{}</depth>\n  </size>\n  <segmented>0</segmented>\n",
      escaped(file.file_name), file.width, file.height, bands);
  for (const NamedObject& object : file.objects) {
    const layout::Bounds b = layout::bounds_of(object.geometry);
    xml += std::format(
        "  <object>\n    <name>{}</name>\n    <pose>Unspecified</pose>\n    <truncated>0</truncated>\n"
        "    <difficult>{}</difficult>\n    <bndbox>\n      <xmin>{}</xmin>\n      <ymin>{}</ymin>\n"
        "      <xmax>{}</xmax>\n      <ymax>{}</ymax>\n    </bndbox>\n  </object>\n",
        escaped(object.class_name), object.difficult ? 1 : 0, coordinate(b.x0 + 1), coordinate(b.y0 + 1),
        coordinate(b.x1), coordinate(b.y1));
  }
  write_file(path, xml + "</annotation>\n");
}

}  // namespace terragen::formats
