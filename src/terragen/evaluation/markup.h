// Text as it stands in a page, and how much room it takes there.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace terragen::evaluation {

// `text` with & < > " ' as references, fit for an element as for a quoted attribute; control characters, which no page
// may hold, become U+FFFD.
std::string escaped(std::string_view text);
// Characters of UTF-8 text, to judge its width by.
std::size_t character_count(std::string_view text);
// `text` cut in its middle, with an ellipsis there, to `most` characters: names often differ at their ends.
std::string shortened(std::string_view text, std::size_t most);
// `text` broken at its spaces into lines of at most `most` characters; a longer word has a line of its own.
std::vector<std::string> wrapped(std::string_view text, std::size_t most);
// `value` with `decimals` digits after the point and U+2212 for a minus, never "-0"; "1e+09" where that would be long.
// An en dash where it is not finite.
std::string number_text(double value, int decimals);

}  // namespace terragen::evaluation
