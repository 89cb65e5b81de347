#include "terragen/evaluation/markup.h"

#include <cmath>
#include <format>

namespace terragen::evaluation {
namespace {

// Where every character of `text` begins, and its end.
std::vector<std::size_t> character_starts(std::string_view text) {
  std::vector<std::size_t> starts;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xC0U) != 0x80U) starts.push_back(i);
  }
  starts.push_back(text.size());
  return starts;
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string out;
  out.reserve(text.size() + text.size() / 8);
  for (const char letter : text) {
    switch (letter) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      case '\n':
      case '\t':
        out += letter;
        break;
      default:
        if (static_cast<unsigned char>(letter) < 0x20 || letter == 0x7F) {
          out += "\uFFFD";
        } else {
          out += letter;
        }
    }
  }
  return out;
}

std::size_t character_count(std::string_view text) { return character_starts(text).size() - 1; }

std::string shortened(std::string_view text, std::size_t most) {
  const std::vector<std::size_t> starts = character_starts(text);
  const std::size_t count = starts.size() - 1;
  if (count <= most || most == 0) return std::string(text.substr(0, starts[count <= most ? count : 0]));
  const std::size_t tail = (most - 1) / 2;
  return std::string(text.substr(0, starts[most - 1 - tail])) + "…" + std::string(text.substr(starts[count - tail]));
}

std::vector<std::string> wrapped(std::string_view text, std::size_t most) {
  std::vector<std::string> lines;
  for (std::size_t at = text.find_first_not_of(' '); at < text.size(); at = text.find_first_not_of(' ', at)) {
    const std::string_view word = text.substr(at, text.find(' ', at) - at);
    if (!lines.empty() && character_count(lines.back()) + 1 + character_count(word) <= most) {
      lines.back().append(" ").append(word);
    } else {
      lines.emplace_back(word);
    }
    at += word.size();
  }
  return lines;
}

std::string number_text(double value, int decimals) {
  if (!std::isfinite(value)) return "–";
  const bool lengthy = std::abs(value) >= 1e7 || decimals > 6;
  std::string digits =
      lengthy ? std::format("{:.3g}", std::abs(value)) : std::format("{:.{}f}", std::abs(value), decimals);
  // A negative number that rounds to nothing is nothing.
  return value < 0 && digits.find_first_of("123456789") != std::string::npos ? "−" + digits : digits;
}

}  // namespace terragen::evaluation
