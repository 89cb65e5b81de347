#include <gtest/gtest.h>
#include <sys/resource.h>

#include <array>
#include <csignal>
#include <cstring>
#include <fstream>

#include "terragen/core/atomic_file.h"
#include "terragen/core/base64.h"
#include "terragen/core/error.h"
#include "terragen/core/json_file.h"
#include "terragen/core/png.h"
#include "terragen/core/seed.h"
#include "terragen/core/sha256.h"
#include "terragen/core/test_paths.h"

#ifdef TERRAGEN_HAVE_ZLIB
#include <zlib.h>
#endif

namespace terragen {
namespace {

TEST(AtomicFile, WithoutCommitNothingIsLeft) {
  const test::ScratchFolder scratch;
  {
    const AtomicFile file(scratch.path() / "a.txt");
    std::ofstream(file.path()) << "half";
  }
  EXPECT_TRUE(std::filesystem::is_empty(scratch.path()));
}

TEST(AtomicFile, AFullDiskLeavesTheOldFile) {
  const test::ScratchFolder scratch;
  const auto path = scratch.path() / "a.txt";
  write_file(path, "old");
  // A limit on file size behaves as a full disk does: writes fail.
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const rlimit small{4096, before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  EXPECT_THROW(write_file(path, std::string(1 << 20, 'x')), DataError);
  setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_EQ(read_file(path), "old");
}

TEST(AtomicFolder, RefusesAnExistingOneAndAppearsWhole) {
  const test::ScratchFolder scratch;
  const auto target = scratch.path() / "out";
  {
    AtomicFolder folder(target);
    write_file(folder.path() / "x", "1");
    EXPECT_FALSE(std::filesystem::exists(target));
    folder.commit();
  }
  EXPECT_EQ(read_file(target / "x"), "1");
  EXPECT_THROW(AtomicFolder{target}, RequestError);
}

TEST(Json, WhatCannotBeReadOrWrittenIsNamed) {
  EXPECT_THROW(parse_json(std::string(100000, '['), "f"), DataError);
  EXPECT_THROW(parse_json(std::string(500, '[') + std::string(500, ']'), "f"), DataError);
  EXPECT_EQ(parse_json("[\"" + std::string(500, '[') + "\\\"[\"]", "f").size(), 1U);
  EXPECT_THROW(parse_json("[1e999]", "f"), DataError);
  const test::ScratchFolder scratch;
  write_json(scratch.path() / "a.json", "caf\xE9");
  EXPECT_EQ(read_json(scratch.path() / "a.json"), "caf\xEF\xBF\xBD");
}

TEST(Json, NumbersAreNotCutOrWrapped) {
  const auto read = [](const char* text) { return json_member<int>(parse_json(text, "f"), "a", "f"); };
  EXPECT_EQ(read("{\"a\": 512.0}"), 512);
  EXPECT_EQ(read("{\"a\": -3}"), -3);
  for (const char* wrong : {"{\"a\": 16.9}", "{\"a\": 4294967808}", "{\"a\": 1e300}", "{\"a\": true}"}) {
    EXPECT_THROW(read(wrong), DataError) << wrong;
  }
  EXPECT_THROW(json_member<std::uint64_t>(Json{{"a", -1}}, "a", "f"), DataError);
  EXPECT_EQ(json_member<std::uint64_t>(Json{{"a", ~std::uint64_t{0}}}, "a", "f"), ~std::uint64_t{0});
  EXPECT_THROW(json_member<std::vector<std::int64_t>>(Json{{"a", {1, 2.5}}}, "a", "f"), DataError);
}

TEST(Json, ErrorsNameTheLine) {
  EXPECT_EQ(parse_json("\xEF\xBB\xBF{\"a\": 1}", "f").at("a"), 1);
  try {
    parse_json("{\n\"a\": [1,\n}", "f.json");
    FAIL();
  } catch (const DataError& error) {
    EXPECT_EQ(error.place(), "f.json: line 3");
  }
  EXPECT_THROW(parse_json("{\"a\": \"\xFF\"}", "f"), DataError);
  EXPECT_THROW(parse_json("", "f"), DataError);
  EXPECT_THROW(json_member<int>(Json{{"a", "text"}}, "a", "f"), DataError);
  EXPECT_THROW(json_member<int>(Json::object(), "a", "f"), DataError);
}

TEST(Sha256, KnownAnswers) {
  // FIPS 180-4 examples.
  EXPECT_EQ(sha256_hex(std::as_bytes(std::span<const char>("abc", 3))),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_hex({}), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  Sha256 pieces;
  const std::string million(1000000, 'a');
  for (std::size_t i = 0; i < million.size(); i += 1000)
    pieces.update(std::as_bytes(std::span(million).subspan(i, 1000)));
  EXPECT_EQ(pieces.hex(), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Base64, KnownAnswers) {
  // RFC 4648, section 10.
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foo"), "Zm9v");
  EXPECT_EQ(base64("foob"), "Zm9vYg==");
  EXPECT_EQ(base64("fooba"), "Zm9vYmE=");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(base64(std::string("\xFF\xFE\x00\xFB", 4)), "//4A+w==");
}

TEST(Seed, StreamsDiffer) {
  EXPECT_NE(derive_seed(0, 0), derive_seed(0, 1));
  EXPECT_NE(derive_seed(0, 1), derive_seed(1, 0));
  Random random(7);
  double sum = 0;
  for (int i = 0; i < 10000; ++i) sum += random.uniform();
  EXPECT_NEAR(sum / 10000, 0.5, 0.02);
}

#ifdef TERRAGEN_HAVE_ZLIB
TEST(Png, DecodesToTheSamePixels) {
  const test::ScratchFolder scratch;
  Canvas canvas(13, 7, {1, 2, 3});
  canvas.set(12, 6, {250, 0, 9});
  canvas.text(0, 0, "A", {255, 255, 255});
  write_png(scratch.path() / "a.png", canvas);
  const std::string file = read_file(scratch.path() / "a.png");
  EXPECT_EQ(file, png_bytes(canvas));
  const std::size_t at = file.find("IDAT");
  ASSERT_NE(at, std::string::npos);
  std::string raw((13 * 3 + 1) * 7, '\0');
  uLongf size = raw.size();
  ASSERT_EQ(uncompress(reinterpret_cast<Bytef*>(raw.data()), &size,
                       reinterpret_cast<const Bytef*>(file.data() + at + 4), static_cast<uLong>(file.size() - at - 4)),
            Z_OK);
  for (std::size_t y = 0; y < 7; ++y) {
    std::array<std::uint8_t, 3> left{};
    for (std::size_t x = 0; x < 13; ++x) {
      for (std::size_t c = 0; c < 3; ++c) left[c] = static_cast<std::uint8_t>(left[c] + raw[y * 40 + 1 + 3 * x + c]);
      EXPECT_EQ(left, canvas.get(static_cast<int>(x), static_cast<int>(y)));
    }
  }
}
#endif

}  // namespace
}  // namespace terragen
