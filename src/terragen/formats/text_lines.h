// Lines of label files: byte order marks, line ends and numbers handled once.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace terragen::formats {

struct TextLine {
  std::string place;  // "file: line 3"
  std::string text;   // without its line end
};

// UTF-8 with or without byte order mark, LF or CRLF. DataError for anything else.
std::vector<TextLine> read_text_lines(const std::filesystem::path& path);
std::vector<std::string> words_of(const std::string& text);
std::vector<std::string> split_text(const std::string& text, char separator);
std::string trimmed(const std::string& text);
// A finite number. DataError naming `place` for anything else.
double number_of(const std::string& text, const std::string& place);

}  // namespace terragen::formats
