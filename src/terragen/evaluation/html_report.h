// A report as one HTML page that needs nothing else: no script, no network, pictures inside. For screens light and
// dark, large and small, and for paper.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "terragen/core/canvas.h"
#include "terragen/evaluation/bar_plot.h"

namespace terragen::evaluation {

// The first column names the rows. A column of numbers is set to the right.
struct ReportTable {
  std::string caption;
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;
  std::vector<bool> emphasis;  // a row each, or empty: none
};

// Parts stand in the order they are added. All texts are plain text: markup in them is shown, not followed.
class HtmlReport {
 public:
  // `summary` is one paragraph: what a reader in a hurry should know.
  HtmlReport(const std::string& title, const std::string& summary);
  void heading(const std::string& text);
  void paragraph(const std::string& text);
  // InternalError where a row has not as many cells as there are columns.
  void table(const ReportTable& table);
  void plot(const BarPlot& plot);
  // At its size or the page's width, whichever is smaller.
  void picture(const Canvas& canvas, const std::string& caption);
  // Lines and spaces as they are.
  void code(const std::string& text);
  std::string html() const;
  // Atomic. DataError when the file cannot be written.
  void write(const std::filesystem::path& path) const;

 private:
  std::string title_;
  std::string body_;
};

}  // namespace terragen::evaluation
