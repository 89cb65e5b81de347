#include "terragen/formats/dota.h"

#include <algorithm>
#include <format>

#include "terragen/core/atomic_file.h"
#include "terragen/core/error.h"
#include "terragen/formats/text_lines.h"

namespace terragen::formats {

std::vector<NamedObject> read_dota(const std::filesystem::path& path, std::vector<LabelProblem>& problems) {
  std::vector<NamedObject> objects;
  for (const TextLine& line : read_text_lines(path)) {
    const std::vector<std::string> words = words_of(line.text);
    if (words.empty() || words.front().starts_with("imagesource:") || words.front().starts_with("gsd:")) continue;
    // Some published conversions leave the difficulty out.
    if (words.size() != 9 && words.size() != 10) {
      throw DataError(line.place,
                      std::format("has {} words, not eight coordinates, a class and a difficulty", words.size()));
    }
    layout::Vertices corners;
    for (std::size_t i = 0; i < 8; i += 2) {
      corners.push_back({number_of(words[i], line.place), number_of(words[i + 1], line.place)});
    }
    NamedObject object{words[8], layout::make_polygon(corners), false, line.place};
    object.geometry.kind = layout::GeometryKind::oriented_box;
    if (words.size() == 10) object.difficult = number_of(words[9], line.place) != 0;
    if (!(layout::area_of(object.geometry) > 0)) {
      problems.push_back({line.place, "the object has no area: dropped"});
      continue;
    }
    objects.push_back(std::move(object));
  }
  return objects;
}

std::string dota_name(std::string name) {
  std::ranges::replace_if(name, [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }, '-');
  return name;
}

void write_dota(const std::vector<NamedObject>& objects, const std::filesystem::path& path) {
  std::string text;
  for (const NamedObject& object : objects) {
    if (object.geometry.parts.size() != 1 || object.geometry.parts[0].exterior.size() != 4) {
      throw InternalError("[write_dota] the form carries four corners an object");
    }
    for (const layout::Point& p : object.geometry.parts[0].exterior) text += std::format("{:.3f} {:.3f} ", p.x, p.y);
    text += std::format("{} {}\n", dota_name(object.class_name), object.difficult ? 1 : 0);
  }
  write_file(path, text);
}

}  // namespace terragen::formats
