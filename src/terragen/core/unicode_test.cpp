#include "terragen/core/unicode.h"

#include <gtest/gtest.h>

namespace terragen {
namespace {

TEST(Unicode, Utf8ThereAndBack) {
  const std::string text = "a é 東 🛰";
  EXPECT_EQ(from_utf8(text), U"a é 東 🛰");
  EXPECT_EQ(to_utf8(from_utf8(text)), text);
}

// Overlong forms, halves of pairs, what lies beyond the last character, and what is cut off.
TEST(Unicode, BytesThatAreNoUtf8AreReplaced) {
  for (const std::string broken :
       {"\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE2\x82", "\x80"}) {
    EXPECT_EQ(from_utf8(broken), std::u32string(broken.size(), U'\uFFFD'));
  }
}

TEST(Unicode, LowerCase) {
  EXPECT_EQ(to_lower(U"ÀÉ ŁÓDŹ ΑΒΓ СНИМОК ẞ"), U"àé łódź αβγ снимок ß");
  EXPECT_EQ(to_lower(U"İ"), U"i\u0307");
  EXPECT_EQ(to_lower(U"ΟΔΟΣ ΣΑΣ Σ"), U"οδος σας σ");
  EXPECT_EQ(to_lower(U"ǄǅǇĀāĂă"), U"ǆǆǉāāăă");
}

TEST(Unicode, LettersNumbersSpaces) {
  for (const char32_t c : std::u32string(U"azé東жª")) EXPECT_TRUE(is_letter(c) && !is_number(c));
  for (const char32_t c : std::u32string(U"09½²٣Ⅷ")) EXPECT_TRUE(is_number(c) && !is_letter(c));
  for (const char32_t c : std::u32string(U"!_—🛰\u200B\u0301"))
    EXPECT_FALSE(is_letter(c) || is_number(c) || is_space(c));
  for (const char32_t c : std::u32string(U" \t\n\u00A0\u3000")) EXPECT_TRUE(is_space(c));
}

TEST(Unicode, MarksJoinTheirLetters) { EXPECT_EQ(composed(U"e\u0301 u\u0308\u0304 x\u0301"), U"é ǖ x\u0301"); }

}  // namespace
}  // namespace terragen
