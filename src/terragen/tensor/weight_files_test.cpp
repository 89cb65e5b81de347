#include "terragen/tensor/weight_files.h"

#include <gtest/gtest.h>

#include "terragen/core/atomic_file.h"
#include "terragen/core/error.h"
#include "terragen/core/json_file.h"
#include "terragen/core/test_paths.h"
#include "terragen/tensor/seeded_noise.h"

namespace terragen::tensor {
namespace {

// Two shards and their index.
class Shards : public testing::Test {
 protected:
  Shards() {
    save_safetensors(scratch_.path() / "w-1.safetensors", {{"a", seeded_normal({3, 4}, 1)}});
    save_safetensors(scratch_.path() / "w-2.safetensors", {{"b", seeded_normal({5}, 2)}, {"c", seeded_normal({2}, 3)}});
    write_index({{"a", "w-1.safetensors"}, {"b", "w-2.safetensors"}, {"c", "w-2.safetensors"}});
  }
  void write_index(const Json& map) const { write_json(index(), {{"metadata", Json::object()}, {"weight_map", map}}); }
  std::filesystem::path index() const { return scratch_.path() / "w.safetensors.index.json"; }
  // The sentence of the DataError.
  std::string refusal() const {
    try {
      map_weights(index());
    } catch (const DataError& error) {
      return error.what();
    }
    return "accepted";
  }
  test::ScratchFolder scratch_;
};

TEST_F(Shards, AreReadTogether) {
  const TensorMap all = map_weights(find_weights(scratch_.path(), "w"));
  ASSERT_EQ(all.size(), 3U);
  EXPECT_TRUE(torch::equal(all.at("a"), seeded_normal({3, 4}, 1)));
  EXPECT_TRUE(torch::equal(all.at("c"), seeded_normal({2}, 3)));
  EXPECT_THROW(find_weights(scratch_.path(), "other"), DataError);
}

TEST_F(Shards, NamesThatLeaveTheFolderAreRefused) {
  for (const char* name : {"../w-1.safetensors", "/etc/passwd", "sub/w-1.safetensors", "..", ".", ""}) {
    write_index({{"a", name}});
    EXPECT_NE(refusal().find("not in the index's folder"), std::string::npos) << name << ": " << refusal();
  }
}

TEST_F(Shards, WhatIsMissingOrCutOffIsNamed) {
  write_index({{"a", "w-1.safetensors"}, {"b", "w-2.safetensors"}, {"c", "w-2.safetensors"}, {"d", "w-1.safetensors"}});
  EXPECT_NE(refusal().find("w-1.safetensors: tensor \"d\""), std::string::npos) << refusal();
  write_index({{"a", "w-1.safetensors"}, {"b", "w-2.safetensors"}});
  EXPECT_NE(refusal().find("\"c\""), std::string::npos) << refusal();
  write_index({{"a", "w-1.safetensors"}, {"b", "w-3.safetensors"}});
  EXPECT_NE(refusal().find("w-3.safetensors"), std::string::npos) << refusal();
  write_index({{"a", 1}});
  EXPECT_NE(refusal().find("\"a\""), std::string::npos) << refusal();
  write_index(Json::array());
  EXPECT_NE(refusal().find("weight_map"), std::string::npos) << refusal();
  write_index({{"a", "w-1.safetensors"}});
  const std::string whole = read_file(scratch_.path() / "w-1.safetensors");
  for (std::size_t size = 0; size < whole.size(); size += 13) {
    write_file(scratch_.path() / "w-1.safetensors", whole.substr(0, size));
    EXPECT_NE(refusal().find("w-1.safetensors"), std::string::npos) << size;
  }
}

}  // namespace
}  // namespace terragen::tensor
