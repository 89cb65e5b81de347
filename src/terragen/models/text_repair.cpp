#include "terragen/models/text_repair.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string_view>

#include "terragen/core/unicode.h"
#include "terragen/models/html_references.h"

namespace terragen::models {
namespace {

// What the bytes 0x80 to 0x9F mean in Windows-1252; those it leaves open are what they are in Latin-1.
constexpr std::array<char32_t, 32> kWindows1252 = {0x20AC, 0x81,   0x201A, 0x192,  0x201E, 0x2026, 0x2020, 0x2021,
                                                   0x2C6,  0x2030, 0x160,  0x2039, 0x152,  0x8D,   0x17D,  0x8F,
                                                   0x90,   0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
                                                   0x2DC,  0x2122, 0x161,  0x203A, 0x153,  0x9D,   0x17E,  0x178};

std::optional<unsigned char> windows_byte(char32_t c) {
  if (c >= 0xA0 && c <= 0xFF) return static_cast<unsigned char>(c);
  const auto found = std::ranges::find(kWindows1252, c);
  if (found == kWindows1252.end()) return std::nullopt;
  return static_cast<unsigned char>(0x80 + (found - kWindows1252.begin()));
}

// How many bytes a sequence has that begins so. Only the beginnings of Latin-1, Cyrillic, punctuation and emoji: other
// sequences are more often two letters that someone meant.
std::size_t misread_length(unsigned char lead) {
  if (lead == 0xC2 || lead == 0xC3 || lead == 0xD0 || lead == 0xD1) return 2;
  return lead == 0xE2 || lead == 0xEF ? 3 : lead == 0xF0 ? 4 : 0;
}

std::u32string with_misread_utf8(const std::u32string& text) {
  std::u32string result;
  for (std::size_t at = 0; at < text.size();) {
    const auto lead = windows_byte(text[at]);
    const std::size_t length = lead ? misread_length(*lead) : 0;
    std::string bytes;
    for (std::size_t i = at; i < std::min(at + length, text.size()); ++i) {
      if (const auto byte = windows_byte(text[i])) bytes.push_back(static_cast<char>(*byte));
    }
    const std::u32string read = bytes.size() == length ? from_utf8(bytes) : std::u32string();
    if (read.size() == 1 && read[0] != 0xFFFD) {
      result += read;
      at += length;
    } else {
      result.push_back(text[at++]);
    }
  }
  return result;
}

// The character that the reference between '&' and ';' means.
std::optional<char32_t> referenced(const std::u32string& name) {
  const std::map<std::u32string, char32_t>& names = html_references();
  if (const auto found = names.find(name); found != names.end()) return found->second;
  if (name.size() < 2 || name[0] != U'#') return std::nullopt;
  const bool hexadecimal = name[1] == U'x' || name[1] == U'X';
  const std::string digits = to_utf8(name.substr(hexadecimal ? 2 : 1));
  if (digits.empty() || digits.size() > 7 ||
      digits.find_first_not_of(hexadecimal ? "0123456789abcdefABCDEF" : "0123456789") != std::string::npos) {
    return std::nullopt;
  }
  const unsigned long code = std::stoul(digits, nullptr, hexadecimal ? 16 : 10);
  if (code == 0 || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) return std::nullopt;
  return static_cast<char32_t>(code);
}

std::u32string without_references(const std::u32string& text) {
  std::u32string result;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const std::size_t end = text[at] == U'&' ? text.find(U';', at) : std::u32string::npos;
    const auto c = end == std::u32string::npos ? std::nullopt : referenced(text.substr(at + 1, end - at - 1));
    result.push_back(c.value_or(text[at]));
    if (c) at = end;
  }
  return result;
}

// Half-width forms of Japanese, from U+FF61 on, at full width.
constexpr std::u32string_view kFullWidthKana =
    U"。「」、・ヲァィゥェォャュョッーアイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリ"
    U"ルレロワン\u3099\u309A";

bool is_control(char32_t c) {
  return c < 9 || c == 11 || (c >= 14 && c < 32) || c == 0x7F || (c >= 0x206A && c <= 0x206F) || c == 0xFEFF ||
         (c >= 0xFFF9 && c <= 0xFFFC);
}

std::u32string spelled_out(char32_t c) {
  static const std::map<char32_t, std::u32string> ligatures = {
      {0xFB00, U"ff"}, {0xFB01, U"fi"}, {0xFB02, U"fl"}, {0xFB03, U"ffi"}, {0xFB04, U"ffl"}, {0xFB05, U"ſt"},
      {0xFB06, U"st"}, {0x132, U"IJ"},  {0x133, U"ij"},  {0x149, U"'n"},   {0x1F1, U"DZ"},   {0x1F2, U"Dz"},
      {0x1F3, U"dz"},  {0x1C4, U"DŽ"},  {0x1C5, U"Dž"},  {0x1C6, U"dž"},   {0x1C7, U"LJ"},   {0x1C8, U"Lj"},
      {0x1C9, U"lj"},  {0x1CA, U"NJ"},  {0x1CB, U"Nj"},  {0x1CC, U"nj"}};
  if (const auto found = ligatures.find(c); found != ligatures.end()) return found->second;
  if (c >= 0xFF01 && c <= 0xFF5E) return {static_cast<char32_t>(c - 0xFEE0)};
  if (c >= 0xFF61 && c < 0xFF61 + kFullWidthKana.size()) return {kFullWidthKana[c - 0xFF61]};
  if ((c >= 0x2018 && c <= 0x201B) || c == 0x2BC) return U"'";
  if (c >= 0x201C && c <= 0x201F) return U"\"";
  // Bytes of Windows-1252 that were read as Latin-1.
  if (c >= 0x80 && c < 0xA0 && kWindows1252[c - 0x80] != c) return spelled_out(kWindows1252[c - 0x80]);
  return is_control(c) ? std::u32string() : std::u32string{c};
}

}  // namespace

std::string repaired_text(const std::string& utf8) {
  std::u32string text = from_utf8(utf8);
  for (int written = 0; written < 2; ++written) text = without_references(text);
  text = with_misread_utf8(text);
  std::u32string plain;
  for (const char32_t c : text) plain += spelled_out(c);
  std::u32string spaced;
  for (const char32_t c : composed(plain)) {
    if (!is_space(c)) {
      spaced.push_back(c);
    } else if (!spaced.empty() && spaced.back() != U' ') {
      spaced.push_back(U' ');
    }
  }
  if (!spaced.empty() && spaced.back() == U' ') spaced.pop_back();
  return to_utf8(to_lower(spaced));
}

}  // namespace terragen::models
