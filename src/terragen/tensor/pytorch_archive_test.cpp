#include "terragen/tensor/pytorch_archive.h"

#include <caffe2/serialize/inline_container.h>
#include <gtest/gtest.h>
#include <torch/csrc/jit/serialization/pickler.h>

#include <format>
#include <fstream>

#include "terragen/core/error.h"
#include "terragen/core/test_paths.h"
#include "terragen/tensor/zip_archive.h"

namespace terragen::tensor {
namespace {

// As PyTorch 2.6 wrote it, in base64: {"model": state_dict, "step": 7, "rate": 0.5, "names": [..], "big": ..}, where
// state_dict is a linear layer's "fc.weight" (0, 0.25 .. 1.25 in two rows) and "fc.bias" (-1, 2), to which were added
// "turned", the weight transposed, and "part", its elements 4 and 5, both in its memory; "half" (1.5, -2); "count"
// 2^40.
constexpr const char* kWrittenByPython =
    "UEsDBAAACAgAAAAAAAAAAAAAAAAAAAAAAAAKABgAbS9kYXRhLnBrbEZCFABaWlpaWlpaWlpaWlpaWlpaWlpaWoACfXEAKFgFAAAAbW9kZWxxAWNj"
    "b2xsZWN0aW9ucwpPcmRlcmVkRGljdApxAilScQMoWAkAAABmYy53ZWlnaHRxBGN0b3JjaC5fdXRpbHMKX3JlYnVpbGRfdGVuc29yX3YyCnEFKChY"
    "BwAAAHN0b3JhZ2VxBmN0b3JjaApGbG9hdFN0b3JhZ2UKcQdYAQAAADBxCFgDAAAAY3B1cQlLBnRxClFLAEsCSwOGcQtLA0sBhnEMiWgCKVJxDXRx"
    "DlJxD1gHAAAAZmMuYmlhc3EQaAUoKGgGaAdYAQAAADFxEWgJSwJ0cRJRSwBLAoVxE0sBhXEUiWgCKVJxFXRxFlJxF1gGAAAAdHVybmVkcRhoBSgo"
    "aAZoB2gIaAlLBnRxGVFLAEsDSwKGcRpLAUsDhnEbiWgCKVJxHHRxHVJxHlgEAAAAcGFydHEfaAUoKGgGaAdoCGgJSwZ0cSBRSwRLAoVxIUsBhXEi"
    "iWgCKVJxI3RxJFJxJVgEAAAAaGFsZnEmaAUoKGgGY3RvcmNoCkhhbGZTdG9yYWdlCnEnWAEAAAAycShoCUsCdHEpUUsASwKFcSpLAYVxK4loAilS"
    "cSx0cS1ScS5YBQAAAGNvdW50cS9oBSgoaAZjdG9yY2gKTG9uZ1N0b3JhZ2UKcTBYAQAAADNxMWgJSwF0cTJRSwApKYloAilScTN0cTRScTV1fXE2"
    "WAkAAABfbWV0YWRhdGFxN2gCKVJxOChYAAAAAHE5fXE6WAcAAAB2ZXJzaW9ucTtLAXNYAgAAAGZjcTx9cT1oO0sBc3VzYlgEAAAAc3RlcHE+SwdY"
    "BAAAAHJhdGVxP0c/4AAAAAAAAFgFAAAAbmFtZXNxQF1xQShYAQAAAGFxQlgBAAAAYnFDToiHcURlWAMAAABiaWdxRYoGAAAAAAD/dS5QSwcI9VDV"
    "Dq0CAACtAgAAUEsDBAAACAgAAAAAAAAAAAAAAAAAAAAAAAALABoAbS9ieXRlb3JkZXJGQhYAWlpaWlpaWlpaWlpaWlpaWlpaWlpaWmxpdHRsZVBL"
    "BwiFPeMZBgAAAAYAAABQSwMEAAAICAAAAAAAAAAAAAAAAAAAAAAAAAgABABtL2RhdGEvMEZCAAAAAAAAAACAPgAAAD8AAEA/AACAPwAAoD9QSwcI"
    "UuXnHxgAAAAYAAAAUEsDBAAACAgAAAAAAAAAAAAAAAAAAAAAAAAIADIAbS9kYXRhLzFGQi4AWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpa"
    "WlpaWlpaWlpaWlpaWlpaWgAAgL8AAABAUEsHCOQV2Z8IAAAACAAAAFBLAwQAAAgIAAAAAAAAAAAAAAAAAAAAAAAACABCAG0vZGF0YS8yRkI+AFpa"
    "WlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaAD4AwFBLBwg21dWUBAAAAAQAAABQSwME"
    "AAAICAAAAAAAAAAAAAAAAAAAAAAAAAgABgBtL2RhdGEvM0ZCAgBaWgAAAAAAAQAAUEsHCF614GQIAAAACAAAAFBLAwQAAAgIAAAAAAAAAAAAAAAA"
    "AAAAAAAACQBBAG0vdmVyc2lvbkZCPQBaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpa"
    "MwpQSwcI0Z5nVQIAAAACAAAAUEsDBAAACAgAAAAAAAAAAAAAAAAAAAAAAAAYADgAbS8uZGF0YS9zZXJpYWxpemF0aW9uX2lkRkI0AFpaWlpaWlpa"
    "WlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlowNTY2MzUxOTUwNDQxODE5NDE5NzAyMjc1NjY1OTY1NzgzMzM3NDIx"
    "UEsHCJ8rUBIoAAAAKAAAAFBLAQIAAAAACAgAAAAAAAD1UNUOrQIAAK0CAAAKAAAAAAAAAAAAAAAAAAAAAABtL2RhdGEucGtsUEsBAgAAAAAICAAA"
    "AAAAAIU94xkGAAAABgAAAAsAAAAAAAAAAAAAAAAA/QIAAG0vYnl0ZW9yZGVyUEsBAgAAAAAICAAAAAAAAFLl5x8YAAAAGAAAAAgAAAAAAAAAAAAA"
    "AAAAVgMAAG0vZGF0YS8wUEsBAgAAAAAICAAAAAAAAOQV2Z8IAAAACAAAAAgAAAAAAAAAAAAAAAAAqAMAAG0vZGF0YS8xUEsBAgAAAAAICAAAAAAA"
    "ADbV1ZQEAAAABAAAAAgAAAAAAAAAAAAAAAAAGAQAAG0vZGF0YS8yUEsBAgAAAAAICAAAAAAAAF614GQIAAAACAAAAAgAAAAAAAAAAAAAAAAAlAQA"
    "AG0vZGF0YS8zUEsBAgAAAAAICAAAAAAAANGeZ1UCAAAAAgAAAAkAAAAAAAAAAAAAAAAA2AQAAG0vdmVyc2lvblBLAQIAAAAACAgAAAAAAACfK1AS"
    "KAAAACgAAAAYAAAAAAAAAAAAAAAAAFIFAABtLy5kYXRhL3NlcmlhbGl6YXRpb25faWRQSwYGLAAAAAAAAAAeAy0AAAAAAAAAAAAIAAAAAAAAAAgA"
    "AAAAAAAAxgEAAAAAAAD4BQAAAAAAAFBLBgcAAAAAvgcAAAAAAAABAAAAUEsFBgAAAAAIAAgAxgEAAPgFAAAAAA==";

std::string from_base64(std::string_view text) {
  const std::string digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  unsigned bits = 0, count = 0;
  for (const char c : text) {
    if (c == '=') break;
    bits = bits << 6U | static_cast<unsigned>(digits.find(c));
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes.push_back(static_cast<char>(bits >> count & 0xFFU));
  }
  return bytes;
}

std::string little_endian(std::uint64_t value, int size) {
  std::string bytes;
  for (int i = 0; i < size; ++i) bytes.push_back(i < 8 ? static_cast<char>(value >> (8 * i) & 0xFFU) : '\0');
  return bytes;
}

std::uint32_t slow_crc32(const std::string& bytes) {
  std::uint32_t crc = 0xFFFFFFFFU;
  for (const char byte : bytes) {
    crc ^= static_cast<unsigned char>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1U) ^ ((crc & 1U) != 0U ? 0xEDB88320U : 0U);
  }
  return ~crc;
}

struct ZipForm {
  bool long_form = false;  // zip64: sizes, places and counts in 64 bits
  int method = 0;
  int padding = 0;  // bytes in an extra field before the data
};

std::string zip_of(const std::vector<std::pair<std::string, std::string>>& entries, const ZipForm& form = {}) {
  std::string file, directory;
  for (const auto& [name, data] : entries) {
    const std::uint64_t begin = file.size();
    const std::string sizes = form.long_form ? little_endian(0xFFFFFFFFFFFFFFFF, 8)
                                             : little_endian(data.size(), 4) + little_endian(data.size(), 4);
    const std::string extra = form.padding > 0 ? "FB" + little_endian(static_cast<std::uint64_t>(form.padding), 2) +
                                                     std::string(form.padding, 'Z')
                                               : "";
    const std::string common = little_endian(form.method, 2) + little_endian(0, 4) +
                               little_endian(slow_crc32(data), 4) + sizes + little_endian(name.size(), 2);
    file += "PK\3\4" + little_endian(20, 2) + little_endian(0, 2) + common + little_endian(extra.size(), 2) + name +
            extra + data;
    const std::string long_values = form.long_form
                                        ? little_endian(1, 2) + little_endian(24, 2) + little_endian(data.size(), 8) +
                                              little_endian(data.size(), 8) + little_endian(begin, 8)
                                        : "";
    directory += "PK\1\2" + little_endian(20, 2) + little_endian(20, 2) + little_endian(0, 2) + common +
                 little_endian(long_values.size(), 2) + little_endian(0, 10) +
                 little_endian(form.long_form ? 0xFFFFFFFF : begin, 4) + name + long_values;
  }
  const std::uint64_t begin = file.size(), count = entries.size();
  file += directory;
  if (form.long_form) {
    const std::uint64_t end = file.size();
    file += "PK\6\6" + little_endian(44, 8) + little_endian(0, 12) + little_endian(count, 8) + little_endian(count, 8) +
            little_endian(directory.size(), 8) + little_endian(begin, 8);
    file += "PK\6\7" + little_endian(0, 4) + little_endian(end, 8) + little_endian(1, 4);
  }
  const std::uint64_t shown = form.long_form ? 0xFFFF : count;
  return file + "PK\5\6" + little_endian(0, 4) + little_endian(shown, 2) + little_endian(shown, 2) +
         little_endian(form.long_form ? 0xFFFFFFFF : directory.size(), 4) +
         little_endian(form.long_form ? 0xFFFFFFFF : begin, 4) + little_endian(0, 2);
}

// Instructions of pickles.
std::string pickled(const std::string& text) { return "X" + little_endian(text.size(), 4) + text; }
std::string pickled(std::int64_t number) { return "J" + little_endian(static_cast<std::uint64_t>(number), 4); }
std::string pickled(const std::vector<std::int64_t>& numbers) {
  std::string code = "(";
  for (const std::int64_t number : numbers) code += pickled(number);
  return code + "t";
}

struct TensorForm {
  std::string storage = "FloatStorage";
  std::int64_t count = 6, offset = 0;
  std::vector<std::int64_t> shape = {2, 3}, strides = {3, 1};
};

std::string pickled(const TensorForm& form) {
  return "ctorch._utils\n_rebuild_tensor_v2\n((" + pickled("storage") + "ctorch\n" + form.storage + "\n" +
         pickled("0") + pickled("cpu") + pickled(form.count) + "tQ" + pickled(form.offset) + pickled(form.shape) +
         pickled(form.strides) + "\x89" + "ccollections\nOrderedDict\n)RtR";
}

// {"a": value}
std::string dictionary_of(const std::string& value) { return "\x80\x02}" + pickled("a") + value + "s."; }

class PyTorchArchive : public testing::Test {
 protected:
  void write_now(const std::string& bytes) {
    std::filesystem::remove(path_);  // writing over a file waits for the disk on some file systems
    std::ofstream(path_, std::ios::binary) << bytes;
  }
  TensorMap load(const std::string& bytes) {
    write_now(bytes);
    return load_pytorch_archive(path_);
  }
  TensorMap load_pickle(const std::string& pickle, const std::string& data = std::string(24, '\1')) {
    return load(zip_of({{"m/data.pkl", pickle}, {"m/data/0", data}}));
  }
  // What loading says; empty where it succeeds.
  template <class Load>
  std::string refusal(const Load& load_it) {
    try {
      load_it();
    } catch (const DataError& error) {
      EXPECT_TRUE(error.place().starts_with(path_.string())) << error.what();
      return error.what();
    }
    return {};
  }
  std::string refusal_of_pickle(const std::string& pickle) {
    return refusal([&] { load_pickle(pickle); });
  }

  test::ScratchFolder scratch_;
  std::filesystem::path path_ = scratch_.path() / "model.pth";
};

TEST_F(PyTorchArchive, WrittenByPython) {
  const TensorMap tensors = load(from_base64(kWrittenByPython));
  const torch::Tensor weight = torch::arange(6, torch::kFloat32).view({2, 3}) / 4;
  const TensorMap expected = {{"model.fc.weight", weight},
                              {"model.fc.bias", torch::tensor({-1.0F, 2.0F})},
                              {"model.turned", weight.t()},
                              {"model.part", torch::tensor({1.0F, 1.25F})},
                              {"model.half", torch::tensor({1.5F, -2.0F}).to(torch::kFloat16)},
                              {"model.count", torch::tensor(std::int64_t{1} << 40)}};
  ASSERT_EQ(tensors.size(), expected.size());
  for (const auto& [name, value] : expected) {
    ASSERT_TRUE(tensors.contains(name)) << name;
    EXPECT_EQ(tensors.at(name).scalar_type(), value.scalar_type()) << name;
    EXPECT_TRUE(torch::equal(tensors.at(name), value)) << name;
  }
  EXPECT_EQ(tensors.at("model.turned").storage().data(), tensors.at("model.fc.weight").storage().data());
}

// Without the notes on types that LibTorch adds for itself.
TEST_F(PyTorchArchive, WrittenByLibTorch) {
  c10::Dict<std::string, torch::Tensor> dictionary;
  torch::manual_seed(5);
  TensorMap expected;
  for (const auto type : {torch::kFloat64, torch::kFloat32, torch::kFloat16, torch::kBFloat16, torch::kInt64,
                          torch::kInt32, torch::kInt16, torch::kInt8, torch::kUInt8, torch::kBool}) {
    const std::string name = torch::toString(type);
    expected[name] = torch::randint(0, 2, {30, 50}).to(type);
    dictionary.insert(name, expected[name]);
  }
  expected["none"] = torch::empty({0, 4});
  dictionary.insert("none", expected["none"]);
  std::string program;
  torch::jit::Pickler pickler([&](const char* bytes, std::size_t size) { program.append(bytes, size); }, nullptr,
                              nullptr, nullptr, nullptr, /*tag_aggregates=*/false);
  pickler.protocol();
  pickler.pushIValue(dictionary);
  pickler.stop();
  caffe2::serialize::PyTorchStreamWriter writer(path_.string());
  writer.writeRecord("data.pkl", program.data(), program.size());
  for (std::size_t i = 0; i < pickler.tensorData().size(); ++i) {
    const torch::Tensor& tensor = pickler.tensorData()[i];
    writer.writeRecord(std::format("data/{}", i), tensor.data_ptr(), tensor.nbytes());
  }
  writer.writeEndOfFile();
  const TensorMap tensors = load_pytorch_archive(path_);
  ASSERT_EQ(tensors.size(), expected.size());
  for (const auto& [name, value] : expected) {
    EXPECT_EQ(tensors.at(name).scalar_type(), value.scalar_type()) << name;
    EXPECT_TRUE(torch::equal(tensors.at(name), value)) << name;
  }
}

TEST_F(PyTorchArchive, EveryFormOfContainer) {
  const torch::Tensor numbers = torch::tensor({0.5F, -1.0F, 3.0F, 8.0F, 0.0F, 1e9F});
  const std::string data(static_cast<const char*>(numbers.data_ptr()), 24);
  for (const bool long_form : {false, true}) {
    for (const int padding : {0, 1, 59}) {
      const std::string file =
          zip_of({{"x/data.pkl", dictionary_of(pickled(TensorForm()))}, {"x/byteorder", "little"}, {"x/data/0", data}},
                 {.long_form = long_form, .padding = padding});
      for (const std::string& comment : {std::string(), std::string("PK\5\6 and more")}) {
        std::string commented = file + comment;
        commented[file.size() - 2] = static_cast<char>(comment.size());
        EXPECT_TRUE(torch::equal(load(commented).at("a"), numbers.view({2, 3}))) << long_form << padding << comment;
      }
    }
  }
}

TEST_F(PyTorchArchive, ADamagedFileIsRefusedOrTheSame) {
  const std::string whole = from_base64(kWrittenByPython);
  const TensorMap before = load(whole);
  for (std::size_t size = 0; size < whole.size(); size += 13) {
    EXPECT_FALSE(refusal([&] { load(whole.substr(0, size)); }).empty()) << size;
  }
  int wrong = 0, refused = 0;
  for (std::size_t at = 0; at < whole.size(); ++at) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ (1 << at % 8));
    const std::string said = refusal([&] {
      for (const auto& [name, value] : load(damaged)) {
        const auto found = before.find(name);
        wrong += found != before.end() && torch::equal(value, found->second) ? 0 : 1;
      }
    });
    refused += said.empty() ? 0 : 1;
  }
  EXPECT_EQ(wrong, 0);
  EXPECT_GT(refused, 1000);  // the rest is padding, dates, and headers of entries that hold no tensors
}

// As above, but with checksums that fit, so that the damage reaches the pickle.
TEST_F(PyTorchArchive, ADamagedPickleIsRefusedOrRead) {
  const std::string pickle = dictionary_of(pickled(TensorForm()));
  int refused = 0;
  for (std::size_t at = 0; at < pickle.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = pickle;
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << bit));
      refused += refusal_of_pickle(damaged).empty() ? 0 : 1;
    }
    EXPECT_FALSE(refusal_of_pickle(pickle.substr(0, at)).empty()) << at;
  }
  EXPECT_GT(refused, 500);
}

TEST_F(PyTorchArchive, NothingButTensorsIsNamed) {
  for (const std::string name :
       {"os\nsystem\n", "builtins\neval\n", "torch\nload\n", "torch._utils\n_rebuild_parameter\n",
        "torch\nUntypedStorage\n", "collections\ndefaultdict\n"}) {
    const std::string said = refusal_of_pickle(dictionary_of("c" + name + "(" + pickled("echo") + "tR"));
    EXPECT_NE(said.find("data.pkl: byte 9: the program names"), std::string::npos) << said;
  }
  // Instructions that look names up or make objects in other ways: INST, OBJ, NEWOBJ, EXT1, STACK_GLOBAL, PERSID.
  for (const std::string code : {"ios\nsystem\n", "(o", "}}\x81", "\x82\x01", "\x93", "Pid\n"}) {
    EXPECT_NE(refusal_of_pickle("\x80\x02" + code + ".").find("is not one that"), std::string::npos) << code;
  }
  EXPECT_FALSE(refusal_of_pickle("\x80\x04}.").empty());
}

TEST_F(PyTorchArchive, WhatTrainingLeftIsPassedOver) {
  // {"callbacks": {ModelCheckpoint: {"score": numpy scalar}}, "a": tensor}
  const std::string bytes = "c_codecs\nencode\n(" + pickled("x") + pickled("latin1") + "tR";
  const std::string score = "cnumpy.core.multiarray\nscalar\n(" + ("cnumpy\ndtype\n(" + pickled("f8") + "\x89\x88tR") +
                            "(K\3" + pickled("<") + "tb" + bytes + "tR";
  const std::string callbacks =
      "}cpytorch_lightning.callbacks.model_checkpoint\nModelCheckpoint\n}" + pickled("score") + score + "ss";
  const TensorMap tensors =
      load_pickle("\x80\x02}" + pickled("callbacks") + callbacks + "s" + pickled("a") + pickled(TensorForm{}) + "s.");
  ASSERT_EQ(tensors.size(), 1U);
  EXPECT_TRUE(tensors.contains("a"));
}

TEST_F(PyTorchArchive, ProgramsThatMakeNoSense) {
  const std::string proto = "\x80\x02";
  for (const std::string code : {".", "t.", "}(K\1u.", "}s.", "}K\1K\2.", "(", "K", "h\5.",
                                 "\x8a\x09"
                                 "123456789.",
                                 "NR.", ")R.", "]K\1s.", "NQ.", "]Na", "Nb.", "(}.", "cno line",
                                 "X\xff\xff\xff\xff"
                                 "a.",
                                 "((((((((K\1K\2K\3K\4K\5K\6K\7K\1K\2tQ."}) {
    EXPECT_FALSE(refusal_of_pickle(proto + code).empty()) << code;
  }
  // A list that holds itself, and lists that hold the one before twice.
  EXPECT_NE(refusal_of_pickle(proto + "]q\1h\1a.").find("nested too deeply"), std::string::npos);
  std::string doubled = proto + ")q" + '\0';
  for (char i = 0; i < 30; ++i) doubled += std::string("h") + i + "h" + i + "\x86q" + static_cast<char>(i + 1);
  EXPECT_NE(refusal_of_pickle(proto + "(" + doubled.substr(2) + "t.").find("too many"), std::string::npos);
  EXPECT_TRUE(refusal_of_pickle(proto + "}" + pickled("a") + "K\5s}b.").empty());
}

TEST_F(PyTorchArchive, TensorsThatDoNotFit) {
  const std::int64_t huge = 0x7FFFFFFF;
  for (const TensorForm& form : std::vector<TensorForm>{{.count = 7},
                                                        {.count = -6},
                                                        {.storage = "DoubleStorage"},
                                                        {.offset = 1},
                                                        {.offset = -1},
                                                        {.shape = {2, 4}},
                                                        {.shape = {-2, 3}},
                                                        {.shape = {6}},
                                                        {.shape = {huge, huge, huge}, .strides = {0, 0, 0}},
                                                        {.shape = {0, huge, huge, huge}, .strides = {0, 0, 0, 0}},
                                                        {.shape = {7}, .strides = {0}},
                                                        {.shape = {3, 2}, .strides = {huge, huge}},
                                                        {.shape = {2, 3}, .strides = {-3, 1}}}) {
    EXPECT_FALSE(refusal_of_pickle(dictionary_of(pickled(form))).empty())
        << form.storage << form.count << " " << form.offset << " " << form.shape << form.strides;
  }
  EXPECT_EQ(load_pickle(dictionary_of(pickled(TensorForm{.shape = {}, .strides = {}}))).at("a").dim(), 0);
  EXPECT_FALSE(refusal([&] { load(zip_of({{"m/data.pkl", dictionary_of(pickled(TensorForm()))}})); }).empty());
  const std::string truths = dictionary_of(pickled(TensorForm{.storage = "BoolStorage"}));
  EXPECT_TRUE(load_pickle(truths, "\1\1\1\1\1\1").at("a").all().item<bool>());
  EXPECT_FALSE(refusal([&] { load_pickle(truths, "\1\1\2\1\1\1"); }).empty());
}

TEST_F(PyTorchArchive, OtherFiles) {
  const std::string pickle = dictionary_of(pickled(TensorForm())), data(24, '\1');
  const auto said = [&](const std::string& bytes) { return refusal([&] { load(bytes); }); };
  EXPECT_NE(said("\x80\x02\x8a\x0a").find("before release 1.6"), std::string::npos);
  EXPECT_NE(said("").find("no archive"), std::string::npos);
  EXPECT_NE(said(zip_of({{"weights.pt", "PK\3\4"}})).find("0 entries data.pkl"), std::string::npos);
  EXPECT_NE(said(zip_of({{"a/data.pkl", pickle}, {"b/data.pkl", pickle}})).find("2 entries"), std::string::npos);
  EXPECT_NE(said(zip_of({{"a/data.pkl", pickle}, {"a/data.pkl", pickle}})).find("twice"), std::string::npos);
  EXPECT_NE(said(zip_of({{"a/data.pkl", pickle}, {"a/data/0", data}}, {.method = 8})).find("compressed"),
            std::string::npos);
  EXPECT_NE(said(zip_of({{"a/byteorder", "big"}, {"a/data.pkl", pickle}, {"a/data/0", data}})).find("byteorder"),
            std::string::npos);
  EXPECT_THROW(load_pytorch_archive(scratch_.path() / "missing.pth"), DataError);
  EXPECT_THROW(load_pytorch_archive(scratch_.path()), DataError);
  // A module that LibTorch saved holds programs, not a state dictionary.
  std::ostringstream saved;
  torch::save(torch::nn::Linear(2, 3), saved);
  EXPECT_FALSE(said(saved.str()).empty());
}

TEST_F(PyTorchArchive, EitherFormOfFile) {
  write_now(from_base64(kWrittenByPython));
  const TensorMap tensors = load_tensor_file(path_);
  save_safetensors(scratch_.path() / "model.safetensors", tensors);
  const TensorMap again = load_tensor_file(scratch_.path() / "model.safetensors");
  ASSERT_EQ(again.size(), tensors.size());
  for (const auto& [name, value] : tensors) EXPECT_TRUE(torch::equal(again.at(name), value)) << name;
}

}  // namespace
}  // namespace terragen::tensor
