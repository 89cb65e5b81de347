// What unicode.h knows of characters: tables made of the Unicode Character Database 14.0 (UnicodeData.txt).
#pragma once

#include <vector>

namespace terragen {

struct CodeRange {
  char32_t first, last;
};

// first, first + stride, ... last: add `offset` for the lower-case letter.
struct LowerCaseRun {
  char32_t first, last;
  unsigned stride;
  int offset;
};

// A character and the mark after it that have one character for both.
struct Composition {
  char32_t base, mark, whole;
};

// General categories L and N. Both in rising order.
const std::vector<CodeRange>& letter_ranges();
const std::vector<CodeRange>& number_ranges();
// In rising order of `first`.
const std::vector<LowerCaseRun>& lower_case_runs();
// Canonical compositions but Hangul's, in rising order of base and mark.
const std::vector<Composition>& compositions();

}  // namespace terragen
