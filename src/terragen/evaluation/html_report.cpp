#include "terragen/evaluation/html_report.h"

#include <algorithm>
#include <format>
#include <string_view>

#include "terragen/core/atomic_file.h"
#include "terragen/core/base64.h"
#include "terragen/core/error.h"
#include "terragen/core/png.h"
#include "terragen/evaluation/markup.h"
#include "terragen/evaluation/report_style.h"

namespace terragen::evaluation {
namespace {

// A cell that says there is no number here.
bool is_blank_cell(std::string_view cell) {
  return cell.empty() || cell == "-" || cell == "–" || cell == "—" || cell == "nan" || cell == "n/a";
}

// "43.2", "-1e-3", "+0.4 ± 0.1", "12 %": a digit and nothing that numbers are not written with.
bool is_number_cell(std::string_view cell) {
  if (cell.find_first_of("0123456789") == std::string_view::npos) return false;
  std::string rest(cell);
  for (const std::string_view mark : {"±", "−", "×", "\u202F", "\u00A0"}) {
    for (std::size_t at = rest.find(mark); at != std::string::npos; at = rest.find(mark)) rest.erase(at, mark.size());
  }
  return rest.find_first_not_of("0123456789+-.,%eE() ") == std::string::npos && rest.find_first_of("eE") != 0;
}

bool is_number_column(const ReportTable& table, std::size_t column) {
  const auto is_number = [&](const std::vector<std::string>& row) { return is_number_cell(row[column]); };
  const auto fits = [&](const std::vector<std::string>& row) { return is_number(row) || is_blank_cell(row[column]); };
  return std::any_of(table.rows.begin(), table.rows.end(), is_number) &&
         std::all_of(table.rows.begin(), table.rows.end(), fits);
}

void check_table(const ReportTable& table) {
  const auto fits = [&](const std::vector<std::string>& row) { return row.size() == table.columns.size(); };
  const bool whole = std::all_of(table.rows.begin(), table.rows.end(), fits);
  if (table.columns.empty() || !whole || (!table.emphasis.empty() && table.emphasis.size() != table.rows.size())) {
    throw InternalError(std::format("[HtmlReport] the table \"{}\" is ragged", table.caption));
  }
}

std::string table_row(const std::vector<std::string>& cells, const std::vector<bool>& numbers, bool header,
                      bool emphasis) {
  std::string out = emphasis ? "<tr class=\"emphasis\">" : "<tr>";
  for (std::size_t c = 0; c < cells.size(); ++c) {
    const bool names = header || c == 0;
    const std::string_view scope = header ? " scope=\"col\"" : names ? " scope=\"row\"" : "";
    out += std::format("<{0}{1}{2}>{3}</{0}>", names ? "th" : "td", scope, numbers[c] ? " class=\"number\"" : "",
                       escaped(cells[c]));
  }
  return out + "</tr>\n";
}

}  // namespace

HtmlReport::HtmlReport(const std::string& title, const std::string& summary) : title_(title) {
  body_ = std::format("<h1>{}</h1>\n<p class=\"summary\">{}</p>\n", escaped(title), escaped(summary));
}

void HtmlReport::heading(const std::string& text) { body_ += std::format("<h2>{}</h2>\n", escaped(text)); }

void HtmlReport::paragraph(const std::string& text) { body_ += std::format("<p>{}</p>\n", escaped(text)); }

void HtmlReport::table(const ReportTable& table) {
  check_table(table);
  std::vector<bool> numbers;
  for (std::size_t c = 0; c < table.columns.size(); ++c) numbers.push_back(is_number_column(table, c));
  // What scrolls must be reachable by keyboard, and then needs a name.
  body_ += std::format(
      "<div class=\"scroll\" role=\"region\" tabindex=\"0\" "
      "aria-label=\"{0}\"><table>\n<caption><span>{0}</span></caption>\n<thead>\n",
      escaped(table.caption));
  body_ += table_row(table.columns, numbers, true, false) + "</thead>\n<tbody>\n";
  for (std::size_t r = 0; r < table.rows.size(); ++r) {
    body_ += table_row(table.rows[r], numbers, false, !table.emphasis.empty() && table.emphasis[r]);
  }
  body_ += "</tbody>\n</table></div>\n";
}

void HtmlReport::plot(const BarPlot& plot) {
  body_ += std::format("<figure class=\"scroll\" tabindex=\"0\" aria-label=\"{}\">\n{}</figure>\n", escaped(plot.title),
                       bar_plot_svg(plot));
}

void HtmlReport::picture(const Canvas& canvas, const std::string& caption) {
  body_ += std::format(
      "<figure>\n<img src=\"data:image/png;base64,{}\" width=\"{}\" height=\"{}\" alt=\"{}\">\n"
      "<figcaption>{}</figcaption>\n</figure>\n",
      base64(png_bytes(canvas)), canvas.width(), canvas.height(), escaped(caption), escaped(caption));
}

void HtmlReport::code(const std::string& text) {
  body_ += std::format("<pre tabindex=\"0\"><code>{}</code></pre>\n", escaped(text));
}

std::string HtmlReport::html() const {
  // The policy lets a browser refuse whatever is not in the file, should markup ever slip into a text.
  return std::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src "
      "data:\">\n<title>{}</title>\n<style>{}</style>\n</head>\n<body>\n<main>\n{}</main>\n</body>\n</html>\n",
      escaped(title_), kReportStyle, body_);
}

void HtmlReport::write(const std::filesystem::path& path) const { write_file(path, html()); }

}  // namespace terragen::evaluation
