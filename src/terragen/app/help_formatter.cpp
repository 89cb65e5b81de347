#include "terragen/app/help_formatter.h"

#include <algorithm>
#include <format>

namespace terragen::app {

std::string HelpFormatter::make_option_name(const CLI::Option* option, bool is_positional) const {
  std::string name = CLI::Formatter::make_option_name(option, is_positional);
  const std::string value = "{false}";  // how CLI11 writes what a flag "!--no-x" sets
  for (std::size_t at = name.find(value); at != std::string::npos; at = name.find(value)) name.erase(at, value.size());
  return name;
}

std::string HelpFormatter::make_option_opts(const CLI::Option* option) const {
  const char delimiter = option->get_delimiter();
  if (delimiter == '\0') return CLI::Formatter::make_option_opts(option);
  std::string text = std::format(" {0}{1}{0}{1}...", option->get_type_name(), delimiter);
  std::string standard = option->get_default_str();
  std::ranges::replace(standard, ' ', delimiter);
  if (!standard.empty()) text += std::format(" [{}]", standard);
  if (option->get_required()) text += " REQUIRED";
  return text;
}

}  // namespace terragen::app
