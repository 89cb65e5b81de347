// The characters that HTML 4 has names for (W3C recommendation of 1999, section 24), and XML's &apos;.
#pragma once

#include <map>
#include <string>

namespace terragen::models {

// By the name between '&' and ';'.
const std::map<std::u32string, char32_t>& html_references();

}  // namespace terragen::models
