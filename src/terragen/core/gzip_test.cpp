#include "terragen/core/gzip.h"

#include <gtest/gtest.h>

#include "terragen/core/atomic_file.h"
#include "terragen/core/error.h"
#include "terragen/core/test_paths.h"

#ifdef TERRAGEN_HAVE_ZLIB
#include <zlib.h>
#endif

namespace terragen {
namespace {

TEST(Gzip, PlainFilesAreReadAsTheyAre) {
  const test::ScratchFolder scratch;
  write_file(scratch.path() / "a.txt", "plain\n");
  EXPECT_EQ(read_maybe_gzip(scratch.path() / "a.txt"), "plain\n");
}

#ifdef TERRAGEN_HAVE_ZLIB
TEST(Gzip, PackedFilesAreUnpackedAndDamageIsTold) {
  const test::ScratchFolder scratch;
  const auto path = scratch.path() / "a.gz";
  std::string text;
  for (int i = 0; i < 50000; ++i) text += std::to_string(i) + "\n";
  const gzFile file = gzopen(path.c_str(), "wb");
  ASSERT_EQ(gzwrite(file, text.data(), static_cast<unsigned>(text.size())), static_cast<int>(text.size()));
  gzclose(file);
  EXPECT_EQ(read_maybe_gzip(path), text);
  EXPECT_THROW(read_maybe_gzip(path, 1000), DataError);
  const std::string packed = read_file(path);
  for (const std::size_t size : {std::size_t{3}, packed.size() / 2, packed.size() - 1}) {
    write_file(path, packed.substr(0, size));
    EXPECT_THROW(read_maybe_gzip(path), DataError) << size;
  }
  std::string damaged = packed;
  damaged[packed.size() / 2] = static_cast<char>(damaged[packed.size() / 2] ^ 16);
  write_file(path, damaged);
  EXPECT_THROW(read_maybe_gzip(path), DataError);
}
#endif

}  // namespace
}  // namespace terragen
