#include "terragen/app/report_output.h"

namespace terragen::app {

void add_report_options(CLI::App& command, ReportOutput& output) {
  command.add_option("--json", output.json, "Also write the figures to this file");
  command.add_option("--html", output.html, "Also write a page to this file");
}

}  // namespace terragen::app
