#include "terragen/formats/points_csv.h"

#include <algorithm>
#include <cctype>
#include <format>

#include "terragen/core/error.h"
#include "terragen/formats/text_lines.h"

namespace terragen::formats {

std::vector<CsvPoint> read_points_csv(const std::filesystem::path& path) {
  const std::vector<TextLine> lines = read_text_lines(path);
  if (lines.empty()) throw DataError(path.string(), "is empty", "its first line names the columns x and y");
  std::ptrdiff_t x = -1;
  std::ptrdiff_t y = -1;
  std::ptrdiff_t label = -1;
  const std::vector<std::string> header = split_text(lines.front().text, ',');
  for (std::size_t i = 0; i < header.size(); ++i) {
    std::string name = trimmed(header[i]);
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const auto column = static_cast<std::ptrdiff_t>(i);
    if (name == "x") x = column;
    if (name == "y") y = column;
    if (name == "class" || name == "label" || name == "category") label = column;
  }
  if (x < 0 || y < 0) throw DataError(lines.front().place, "does not name the columns x and y");
  std::vector<CsvPoint> points;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    if (trimmed(lines[i].text).empty()) continue;
    const std::vector<std::string> cells = split_text(lines[i].text, ',');
    if (std::ssize(cells) <= std::max({x, y, label})) {
      throw DataError(lines[i].place, std::format("has {} columns, the header {}", cells.size(), header.size()));
    }
    const auto cell = [&](std::ptrdiff_t column) { return cells[static_cast<std::size_t>(column)]; };
    points.push_back({{number_of(cell(x), lines[i].place), number_of(cell(y), lines[i].place)},
                      label < 0 ? "" : trimmed(cell(label))});
  }
  return points;
}

}  // namespace terragen::formats
