#include "terragen/formats/text_lines.h"

#include <charconv>
#include <cmath>
#include <format>
#include <sstream>

#include "terragen/core/atomic_file.h"
#include "terragen/core/error.h"

namespace terragen::formats {
namespace {

// RFC 3629, without the last subtleties: lead and continuation bytes in order.
bool is_utf8(const std::string& text) {
  int open = 0;
  for (const char letter : text) {
    const auto byte = static_cast<unsigned char>(letter);
    if (open > 0) {
      if ((byte & 0xC0U) != 0x80U) return false;
      --open;
    } else if (byte >= 0x80U) {
      if ((byte & 0xE0U) == 0xC0U)
        open = 1;
      else if ((byte & 0xF0U) == 0xE0U)
        open = 2;
      else if ((byte & 0xF8U) == 0xF0U)
        open = 3;
      else
        return false;
    } else if (byte == 0) {
      return false;
    }
  }
  return open == 0;
}

}  // namespace

std::vector<TextLine> read_text_lines(const std::filesystem::path& path) {
  std::string content = read_file(path, std::size_t{1} << 30U);
  if (content.starts_with("\xEF\xBB\xBF")) content.erase(0, 3);
  std::vector<TextLine> lines;
  std::istringstream stream(content);
  for (std::string line; std::getline(stream, line);) {
    if (line.ends_with('\r')) line.pop_back();
    lines.push_back({std::format("{}: line {}", path.string(), lines.size() + 1), line});
    if (!is_utf8(line)) throw DataError(lines.back().place, "is not UTF-8 text");
  }
  return lines;
}

std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> words;
  std::istringstream stream(text);
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

std::vector<std::string> split_text(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, separator);) parts.push_back(part);
  return parts;
}

std::string trimmed(const std::string& text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

double number_of(const std::string& text, const std::string& place) {
  const std::string clean = trimmed(text);
  double value = 0;
  const auto result = std::from_chars(clean.data(), clean.data() + clean.size(), value);
  if (result.ec != std::errc() || result.ptr != clean.data() + clean.size() || !std::isfinite(value)) {
    throw DataError(place, std::format("\"{}\" is not a number", clean));
  }
  return value;
}

}  // namespace terragen::formats
