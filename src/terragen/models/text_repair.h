// Text as CLIP was trained on it: what went wrong on its way here is put right before it is cut into tokens, as ftfy
// (github.com/rspeer/python-ftfy) and html.unescape do it for the usual cases.
#pragma once

#include <string>

namespace terragen::models {

// Undoes, in this order: references of HTML 4 (names and numbers, up to twice written),
// UTF-8 that was read as Windows-1252, ligatures of Latin letters, full-width and half-width forms, curly quotes,
// control characters, letters apart from their marks; then makes all white space single blanks, none at the ends, and
// all letters small.
std::string repaired_text(const std::string& utf8);

}  // namespace terragen::models
