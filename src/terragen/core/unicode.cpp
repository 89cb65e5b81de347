#include "terragen/core/unicode.h"

#include <algorithm>
#include <tuple>

#include "terragen/core/unicode_tables.h"

namespace terragen {
namespace {

constexpr char32_t kReplacement = 0xFFFD;

// One character's bytes from `at` on; 0 where they are no UTF-8.
std::size_t sequence_length(std::string_view text, std::size_t at, char32_t& c) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(at);
  const std::size_t length = lead < 0x80   ? 1
                             : lead < 0xC2 ? 0
                             : lead < 0xE0 ? 2
                             : lead < 0xF0 ? 3
                             : lead < 0xF5 ? 4
                                           : 0;
  if (length == 0 || at + length > text.size()) return 0;
  c = length == 1 ? lead : lead & (0x7FU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(at + i) & 0xC0) != 0x80) return 0;
    c = (c << 6) | (byte(at + i) & 0x3FU);
  }
  const bool overlong = (length == 3 && c < 0x800) || (length == 4 && c < 0x10000);
  const bool surrogate = c >= 0xD800 && c < 0xE000;
  return overlong || surrogate || c > 0x10FFFF ? 0 : length;
}

bool in_ranges(const std::vector<CodeRange>& ranges, char32_t c) {
  const auto after = std::ranges::upper_bound(ranges, c, {}, &CodeRange::first);
  return after != ranges.begin() && c <= std::prev(after)->last;
}

char32_t lower_of(char32_t c) {
  const std::vector<LowerCaseRun>& runs = lower_case_runs();
  auto run = std::ranges::upper_bound(runs, c, {}, &LowerCaseRun::first);
  // Two runs of stride 2 may interleave.
  for (int back = 0; back < 2 && run != runs.begin(); ++back) {
    --run;
    if (c <= run->last && (c - run->first) % run->stride == 0) {
      return static_cast<char32_t>(static_cast<int>(c) + run->offset);
    }
  }
  return c;
}

}  // namespace

std::u32string from_utf8(std::string_view text) {
  std::u32string result;
  for (std::size_t at = 0; at < text.size();) {
    char32_t c = 0;
    const std::size_t length = sequence_length(text, at, c);
    result.push_back(length == 0 ? kReplacement : c);
    at += std::max<std::size_t>(length, 1);
  }
  return result;
}

std::string to_utf8(std::u32string_view text) {
  std::string result;
  for (const char32_t c : text) {
    const int following = c < 0x80 ? 0 : c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    constexpr unsigned kLead[] = {0, 0xC0, 0xE0, 0xF0};
    result.push_back(static_cast<char>(kLead[following] | (c >> (6 * following))));
    for (int i = following - 1; i >= 0; --i) result.push_back(static_cast<char>(0x80U | ((c >> (6 * i)) & 0x3FU)));
  }
  return result;
}

bool is_utf8(std::string_view text) { return to_utf8(from_utf8(text)) == text; }

bool is_letter(char32_t c) { return in_ranges(letter_ranges(), c); }
bool is_number(char32_t c) { return in_ranges(number_ranges(), c); }
bool is_space(char32_t c) {
  return (c >= 9 && c <= 13) || (c >= 28 && c <= 32) || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

std::u32string to_lower(std::u32string_view text) {
  std::u32string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char32_t c = text[i];
    if (c == U'İ') {
      result += U"i\u0307";  // the one letter whose lower case is two characters
    } else if (c == U'Σ') {
      const bool ends = i > 0 && is_letter(text[i - 1]) && (i + 1 == text.size() || !is_letter(text[i + 1]));
      result.push_back(ends ? U'ς' : U'σ');
    } else {
      result.push_back(lower_of(c));
    }
  }
  return result;
}

std::u32string composed(std::u32string_view text) {
  std::u32string result;
  for (const char32_t c : text) {
    if (!result.empty()) {
      const auto pair = std::tuple(result.back(), c);
      const auto found = std::ranges::lower_bound(
          compositions(), pair, {}, [](const Composition& each) { return std::tuple(each.base, each.mark); });
      if (found != compositions().end() && std::tuple(found->base, found->mark) == pair) {
        result.back() = found->whole;
        continue;
      }
    }
    result.push_back(c);
  }
  return result;
}

}  // namespace terragen
