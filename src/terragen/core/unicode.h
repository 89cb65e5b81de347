// Text as characters: UTF-8 (RFC 3629) and the properties of characters that tokenizers go by.
#pragma once

#include <string>
#include <string_view>

namespace terragen {

// Bytes that are no UTF-8 become U+FFFD, one for each byte.
std::u32string from_utf8(std::string_view text);
std::string to_utf8(std::u32string_view text);
bool is_utf8(std::string_view text);

bool is_letter(char32_t c);  // general category L
bool is_number(char32_t c);  // general category N
bool is_space(char32_t c);   // property White_Space, and the separators U+001C to U+001F

// Lower case of every letter; a capital sigma at a word's end becomes its final form.
std::u32string to_lower(std::u32string_view text);
// A letter and the marks after it as one character wherever there is one (normalisation form C for text whose marks
// stand in canonical order).
std::u32string composed(std::u32string_view text);

}  // namespace terragen
