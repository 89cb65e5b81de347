// Help as it is to be typed: a list of one option is one word with commas, and a flag that switches something off has
// no value.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace terragen::app {

class HelpFormatter : public CLI::Formatter {
 public:
  HelpFormatter() { column_width(34); }
  std::string make_option_name(const CLI::Option* option, bool is_positional) const override;
  std::string make_option_opts(const CLI::Option* option) const override;
};

}  // namespace terragen::app
