#include "terragen/tensor/safetensors.h"

#include <gtest/gtest.h>

#include "terragen/core/atomic_file.h"
#include "terragen/core/error.h"
#include "terragen/core/test_paths.h"
#include "terragen/tensor/device.h"
#include "terragen/tensor/seeded_noise.h"

namespace terragen::tensor {
namespace {

TensorMap example() {
  return {{"a", seeded_normal({3, 5}, 1)},
          {"b.weight", torch::arange(7, torch::kInt64)},
          {"c", seeded_normal({4}, 2).to(torch::kBFloat16)},
          {"empty", torch::empty({0, 3})},
          {"scalar", torch::tensor(2.5)},
          {"truth", torch::tensor({true, false})}};
}

std::string with_header(const std::string& header, const std::string& data) {
  std::string file;
  for (unsigned shift = 0; shift < 64; shift += 8) file.push_back(static_cast<char>(header.size() >> shift));
  return file + header + data;
}

TEST(Safetensors, RoundTrip) {
  const test::ScratchFolder scratch;
  const auto path = scratch.path() / "a.safetensors";
  save_safetensors(path, example(), {{"note", "text"}});
  const SafetensorsFile file = load_safetensors(path, Checksum::required);
  EXPECT_EQ(file.metadata.at("note"), "text");
  ASSERT_EQ(file.tensors.size(), example().size());
  for (const auto& [name, value] : example()) {
    const torch::Tensor& loaded = file.tensors.at(name);
    EXPECT_EQ(loaded.scalar_type(), value.scalar_type()) << name;
    EXPECT_TRUE(torch::equal(loaded, value)) << name;
  }
}

TEST(Safetensors, AFlippedBitNeverLoads) {
  const test::ScratchFolder scratch;
  const auto path = scratch.path() / "a.safetensors";
  save_safetensors(path, example());
  const std::string whole = read_file(path);
  int wrong = 0;
  for (std::size_t at = 0; at < whole.size(); at += 7) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ (1 << (at % 8)));
    write_file(path, damaged);
    try {
      const SafetensorsFile file = load_safetensors(path, Checksum::required);
      // A flip in white space or in the metadata's own words may leave every tensor as it was.
      bool same = file.tensors.size() == example().size();
      for (const auto& [name, value] : example()) {
        const auto found = file.tensors.find(name);
        same = same && found != file.tensors.end() && found->second.scalar_type() == value.scalar_type() &&
               torch::equal(found->second, value);
      }
      wrong += same ? 0 : 1;
    } catch (const DataError&) {
    }
  }
  EXPECT_EQ(wrong, 0);
}

TEST(Safetensors, AShortFileNeverLoads) {
  const test::ScratchFolder scratch;
  const auto path = scratch.path() / "a.safetensors";
  save_safetensors(path, {{"a", seeded_normal({40, 50}, 1)}});
  const std::string whole = read_file(path);
  for (std::size_t size = 0; size < whole.size(); size += 97) {
    write_file(path, whole.substr(0, size));
    EXPECT_THROW(load_safetensors(path), DataError) << size;
    EXPECT_THROW(map_safetensors(path), DataError) << size;
  }
}

TEST(Safetensors, AMappedFileIsReadWithoutItsNumbersBeingCopied) {
  const test::ScratchFolder scratch;
  const auto path = scratch.path() / "a.safetensors";
  save_safetensors(path, example(), {{"note", "text"}});
  const std::string whole = read_file(path);
  SafetensorsFile file = map_safetensors(path, Checksum::required);
  EXPECT_EQ(file.metadata.at("note"), "text");
  for (const auto& [name, value] : example()) EXPECT_TRUE(torch::equal(file.tensors.at(name), value)) << name;
  // A tensor outlives the map it came from, and writing to it leaves the file as it is.
  torch::Tensor kept = file.tensors.at("a");
  file.tensors.clear();
  kept.zero_();
  EXPECT_EQ(kept.abs().sum().item<float>(), 0.0F);
  EXPECT_EQ(read_file(path), whole);
  // Numbers at odd places.
  write_file(path, with_header(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}} )", std::string(4, '\0')));
  EXPECT_EQ(map_safetensors(path).tensors.at("a").item<float>(), 0.0F);
}

TEST(Safetensors, MalformedHeaders) {
  const test::ScratchFolder scratch;
  const auto path = scratch.path() / "a.safetensors";
  const auto refuse = [&](const std::string& header, const std::string& data) {
    write_file(path, with_header(header, data));
    EXPECT_THROW(load_safetensors(path), DataError) << header;
    EXPECT_THROW(map_safetensors(path), DataError) << header;
  };
  const std::string eight(8, 'x');
  write_file(path, with_header(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", eight));
  EXPECT_NO_THROW(load_safetensors(path));
  EXPECT_THROW(load_safetensors(path, Checksum::required), DataError);
  refuse(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", eight + "x");
  refuse(
      R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}})",
      eight);
  refuse(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})", eight);
  refuse(R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", eight);
  refuse(R"({"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})", eight);
  refuse(R"({"a":{"dtype":"F32","shape":[2.0],"data_offsets":[0,8]}})", eight);
  refuse(R"({"a":{"dtype":"Q4","shape":[2],"data_offsets":[0,8]}})", eight);
  refuse(R"({"a":{"dtype":"F32","shape":[4611686018427387905,4],"data_offsets":[0,8]}})", eight);
  refuse(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})", eight);
  refuse(
      R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})",
      eight);
  refuse(R"({"a":{"dtype":"BOOL","shape":[8],"data_offsets":[0,8]}})", eight);
  refuse(R"([1])", "");
  refuse("not json", eight);
  write_file(path, std::string("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F", 8) + eight);
  EXPECT_THROW(load_safetensors(path), DataError);
}

TEST(SeededNoise, DependsOnTheSeedAlone) {
  const torch::Tensor one = seeded_normal({1000}, 5);
  torch::rand({77});
  EXPECT_TRUE(torch::equal(one, seeded_normal({1000}, 5)));
  EXPECT_FALSE(torch::equal(one, seeded_normal({1000}, 6)));
}

TEST(Device, RefusesWhatIsNotThere) {
  EXPECT_THROW(parse_device("tpu"), RequestError);
  EXPECT_THROW(ComputeOptions({.precision = "int4"}).validate(), RequestError);
  if (!torch::cuda::is_available()) {
    EXPECT_THROW(parse_device("cuda"), RequestError);
  }
}

}  // namespace
}  // namespace terragen::tensor
