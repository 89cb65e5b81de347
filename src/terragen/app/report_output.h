// Where an evaluation's report goes beside the terminal.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <string>

#include "terragen/core/json_file.h"

namespace terragen::app {

struct ReportOutput {
  std::string json;  // files; empty: not written
  std::string html;
};

// --json, --html
void add_report_options(CLI::App& command, ReportOutput& output);

// Prints the text, then writes what is asked for.
template <class Report>
void tell_report(const Report& report, const std::string& text,
                 void (*write_page)(const Report&, const std::filesystem::path&), const ReportOutput& output) {
  std::fputs(text.c_str(), stdout);
  if (!output.json.empty()) write_json(output.json, to_json(report));
  if (!output.html.empty()) write_page(report, output.html);
}

}  // namespace terragen::app
