#include "terragen/evaluation/html_report.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <set>

#include "terragen/core/atomic_file.h"
#include "terragen/core/error.h"
#include "terragen/core/png.h"
#include "terragen/core/test_paths.h"
#include "terragen/evaluation/markup.h"

namespace terragen::evaluation {
namespace {

constexpr const char* kHostile = "<script>alert(\"1\")</script> & 'co' \x01";

// Empty where every tag is closed in turn and every bare '<', '>' belongs to one; else what is wrong.
std::string markup_fault(const std::string& page) {
  static const std::set<std::string> kVoid{"meta", "img", "br", "hr", "link", "input"};
  std::vector<std::string> open;
  std::size_t at = 0;
  while ((at = page.find_first_of("<>", at)) != std::string::npos) {
    if (page[at] == '>') {
      if (open.empty() || open.back() != "style") return "bare > at " + page.substr(at, 40);
      ++at;
      continue;
    }
    std::size_t end = at + 1;
    for (char quote = 0; end < page.size() && (quote != 0 || page[end] != '>'); ++end) {
      if (quote != 0 ? page[end] == quote : page[end] == '"' || page[end] == '\'') quote = quote != 0 ? 0 : page[end];
      if (page[end] == '<') return "< within " + page.substr(at, 60);
    }
    if (end == page.size()) return "unclosed " + page.substr(at, 60);
    const std::string tag = page.substr(at + 1, end - at - 1);
    at = end + 1;
    if (tag.starts_with('!') || tag.ends_with('/')) continue;
    const std::string name = tag.substr(0, tag.find_first_of(" \n"));
    if (name.starts_with('/')) {
      if (open.empty() || "/" + open.back() != name) return "stray <" + tag + ">";
      open.pop_back();
    } else if (!kVoid.contains(name)) {
      open.push_back(name);
    }
  }
  return open.empty() ? "" : "open at the end: " + open.back();
}

std::string base64_decoded(std::string_view text) {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  unsigned bits = 0;
  int count = 0;
  for (const char letter : text) {
    if (letter == '=') break;
    bits = (bits << 6U) | static_cast<unsigned>(kAlphabet.find(letter));
    count += 6;
    if (count >= 8) {
      count -= 8;
      out += static_cast<char>((bits >> static_cast<unsigned>(count)) & 0xFFU);
    }
  }
  return out;
}

TEST(HtmlReport, IsWellFormedWhateverItSays) {
  HtmlReport report(kHostile, kHostile);
  report.heading(kHostile);
  report.paragraph(kHostile);
  report.table({kHostile, {kHostile, "b"}, {{kHostile, "1"}, {"", kHostile}}, {true, false}});
  report.plot({kHostile, kHostile, {kHostile, kHostile}, {{kHostile, {1, 2}, {}, {}}}, kHostile});
  report.picture(Canvas(2, 2, {1, 2, 3}), kHostile);
  report.code(kHostile);
  const std::string page = report.html();
  EXPECT_EQ(markup_fault(page), "");
  EXPECT_EQ(page.find("<script"), std::string::npos);
  EXPECT_EQ(page.find('\x01'), std::string::npos);
  EXPECT_NE(page.find("&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; &#39;co&#39;"), std::string::npos);
  for (const char* outside : {"http://", "https://", "url(", "@import", "<link"}) {
    std::string rest = page;
    const std::string name_space = "xmlns=\"http://www.w3.org/2000/svg\"";
    for (std::size_t at = rest.find(name_space); at != std::string::npos; at = rest.find(name_space)) {
      rest.erase(at, name_space.size());
    }
    EXPECT_EQ(rest.find(outside), std::string::npos) << outside;
  }
}

TEST(HtmlReport, TheCheckOfMarkupFails) {
  EXPECT_NE(markup_fault("<p><b></p></b>"), "");
  EXPECT_NE(markup_fault("<p>"), "");
  EXPECT_NE(markup_fault("</p>"), "");
  EXPECT_NE(markup_fault("<p>1 < 2</p>"), "");
}

TEST(HtmlReport, NumbersStandToTheRight) {
  HtmlReport report("t", "s");
  report.table({"c",
                {"class", "IoU", "note", "gain"},
                {{"road", "43.2 ± 0.5", "3 seeds", "−1.5e-3"}, {"water", "–", "", "+12 %"}},
                {false, true}});
  const std::string page = report.html();
  EXPECT_NE(page.find("<th scope=\"col\">class</th><th scope=\"col\" class=\"number\">IoU</th><th scope=\"col\">note"),
            std::string::npos);
  EXPECT_NE(page.find("<tr><th scope=\"row\">road</th><td class=\"number\">43.2 ± 0.5</td><td>3 seeds</td><td "
                      "class=\"number\">−1.5e-3</td></tr>"),
            std::string::npos);
  EXPECT_NE(page.find("<tr class=\"emphasis\"><th scope=\"row\">water"), std::string::npos);
  EXPECT_THROW(report.table({"c", {"a", "b"}, {{"1"}}, {}}), InternalError);
  EXPECT_THROW(report.table({"c", {"a"}, {{"1"}}, {true, false}}), InternalError);
}

TEST(HtmlReport, PicturesAreWithinThePage) {
  Canvas canvas(5, 4, {9, 8, 7});
  canvas.set(1, 1, {255, 0, 0});
  HtmlReport report("t", "s");
  report.picture(canvas, "c");
  const std::string page = report.html();
  const std::string before = "src=\"data:image/png;base64,";
  const std::size_t at = page.find(before) + before.size();
  const std::string bytes = base64_decoded(page.substr(at, page.find('"', at) - at));
  EXPECT_EQ(bytes.substr(0, 8), "\x89PNG\r\n\x1a\n");
  EXPECT_EQ(bytes, png_bytes(canvas));
}

TEST(HtmlReport, IsWrittenWhole) {
  const test::ScratchFolder scratch;
  const HtmlReport report("t", "s");
  report.write(scratch.path() / "report.html");
  EXPECT_EQ(read_file(scratch.path() / "report.html"), report.html());
}

TEST(Markup, TextIsCutBetweenCharacters) {
  EXPECT_EQ(character_count("Straße"), 6U);
  EXPECT_EQ(shortened("äöüäöüäöß", 5), "äö…öß");
  EXPECT_EQ(shortened("short", 5), "short");
  EXPECT_EQ(wrapped("  one two  three ", 7), (std::vector<std::string>{"one two", "three"}));
  EXPECT_TRUE(wrapped("", 3).empty());
  EXPECT_EQ(number_text(-0.04, 1), "0.0");
  EXPECT_EQ(number_text(-1.26, 1), "−1.3");
  EXPECT_EQ(number_text(std::numeric_limits<double>::quiet_NaN(), 1), "–");
}

}  // namespace
}  // namespace terragen::evaluation
