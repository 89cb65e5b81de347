#include "terragen/formats/yaml_lines.h"

#include <functional>

namespace terragen::formats {
namespace {

// Calls `visit` with every character's position outside quotes, until it returns false.
void walk_unquoted(const std::string& text, const std::function<bool(std::size_t)>& visit) {
  char quote = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote != 0) {
      if (quote == '"' && c == '\\') {
        ++i;
      } else if (c == quote) {
        quote = 0;
      }
      continue;
    }
    // Within a word an apostrophe is one.
    const bool begins = i == 0 || text[i - 1] == ' ' || text[i - 1] == '[' || text[i - 1] == ',';
    if ((c == '"' || c == '\'') && begins) {
      quote = c;
    } else if (!visit(i)) {
      return;
    }
  }
}

}  // namespace

std::string without_yaml_comment(const std::string& line) {
  std::size_t end = line.size();
  walk_unquoted(line, [&](std::size_t i) {
    if (line[i] != '#' || (i > 0 && line[i - 1] != ' ' && line[i - 1] != '\t')) return true;
    end = i;
    return false;
  });
  return line.substr(0, end);
}

std::string yaml_unquoted(const std::string& scalar) {
  std::string text = trimmed(scalar);
  if (text.size() < 2 || (text.front() != '"' && text.front() != '\'') || text.back() != text.front()) return text;
  const bool escapes = text.front() == '"';
  text = text.substr(1, text.size() - 2);
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (escapes && text[i] == '\\' && i + 1 < text.size()) ++i;
    plain += text[i];
  }
  return plain;
}

std::vector<std::string> yaml_flow_list(const std::string& text) {
  std::string inner = trimmed(text);
  inner = inner.substr(1, inner.size() - 2);
  std::vector<std::string> items;
  std::size_t first = 0;
  const auto add = [&](std::size_t end) { items.push_back(yaml_unquoted(inner.substr(first, end - first))); };
  walk_unquoted(inner, [&](std::size_t i) {
    if (inner[i] != ',') return true;
    add(i);
    first = i + 1;
    return true;
  });
  if (!trimmed(inner.substr(first)).empty()) add(inner.size());
  return items;
}

std::vector<std::string> yaml_values(const std::vector<TextLine>& lines, const std::string& key) {
  std::vector<std::string> values;
  bool below = false;
  for (const TextLine& line : lines) {
    const std::string text = without_yaml_comment(line.text);
    const std::string item = trimmed(text);
    if (item.empty()) continue;
    if (below) {
      if (!item.starts_with("- ")) break;
      values.push_back(yaml_unquoted(item.substr(2)));
    } else if (text.starts_with(key + ":")) {
      const std::string value = trimmed(text.substr(key.size() + 1));
      if (value.starts_with("[") && value.ends_with("]")) return yaml_flow_list(value);
      if (!value.empty()) return {yaml_unquoted(value)};
      below = true;
    }
  }
  return values;
}

std::string yaml_quoted(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "\"";
}

}  // namespace terragen::formats
