#include "terragen/data/caption_file.h"

#include <gtest/gtest.h>

#include "terragen/core/atomic_file.h"
#include "terragen/core/error.h"
#include "terragen/core/test_paths.h"

namespace terragen::data {
namespace {

TEST(CaptionFile, ReadsALineAnImage) {
  const test::ScratchFolder scratch;
  const auto file = scratch.path() / "metadata.jsonl";
  write_file(file,
             "{\"file_name\": \"a/1.tif\", \"text\": \"a dry river\", \"split\": 1}\r\n\n"
             "{\"file_name\": \"a/2.tif\", \"text\": \"\"}\n");
  const auto captions = read_captions(file);
  ASSERT_EQ(captions.size(), 2U);
  EXPECT_EQ(captions.at("a/1.tif"), "a dry river");
}

TEST(CaptionFile, NamesTheLineThatIsWrong) {
  const test::ScratchFolder scratch;
  const auto file = scratch.path() / "metadata.jsonl";
  const auto problem = [&](const std::string& text) -> std::string {
    write_file(file, text);
    try {
      read_captions(file);
    } catch (const DataError& error) {
      return error.what();
    }
    return "none";
  };
  const std::string good = "{\"file_name\": \"1.tif\", \"text\": \"x\"}\n";
  EXPECT_NE(problem(good + "{\"file_name\": \"2.tif\"}\n").find("line 2"), std::string::npos);
  EXPECT_NE(problem(good + "no json\n").find("line 2"), std::string::npos);
  EXPECT_NE(problem(good + good).find("second time"), std::string::npos);
}

}  // namespace
}  // namespace terragen::data
