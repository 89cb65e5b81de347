// What data.yaml files use of YAML: top-level keys with a value, a list or a list below them.
#pragma once

#include <string>
#include <vector>

#include "terragen/formats/text_lines.h"

namespace terragen::formats {

// The line without a comment: from a '#' at its start or after a space, outside quotes.
std::string without_yaml_comment(const std::string& line);
// A scalar without quotes; within double quotes a backslash escapes.
std::string yaml_unquoted(const std::string& text);
// The items of "[a, 'b, c']", without quotes.
std::vector<std::string> yaml_flow_list(const std::string& text);
// Of `key: value` the value, of `key: [a, b]` and of lines "- a" below `key:` every item; empty where the key is absent
// or says nothing.
std::vector<std::string> yaml_values(const std::vector<TextLine>& lines, const std::string& key);
// A text as YAML carries it between double quotes.
std::string yaml_quoted(const std::string& text);

}  // namespace terragen::formats
