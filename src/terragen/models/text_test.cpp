// Tokens and text encoder, whatever the reference tensors cover.
#include <gtest/gtest.h>

#include "terragen/core/atomic_file.h"
#include "terragen/core/error.h"
#include "terragen/core/json_file.h"
#include "terragen/core/test_paths.h"
#include "terragen/core/unicode.h"
#include "terragen/models/clip_text_model.h"
#include "terragen/models/clip_tokenizer.h"
#include "terragen/models/text_repair.h"

namespace terragen::models {
namespace {

TEST(TextRepair, WhatWentWrongIsPutRight) {
  EXPECT_EQ(repaired_text("  A\tSatellite \n IMAGE "), "a satellite image");
  EXPECT_EQ(repaired_text("&amp;lt;b&gt; &#233; &#xE9; &unknown; &"), "<b> é é &unknown; &");
  EXPECT_EQ(repaired_text("cafÃ© â€” ðŸŒ\u008D"), "café — 🌍");
  EXPECT_EQ(repaired_text("café São Österreich"), "café são österreich");
  EXPECT_EQ(repaired_text("ﬁeld ＡＢ “quoted” it’s\u0007"), "field ab \"quoted\" it's");
  EXPECT_EQ(repaired_text("e\u0301"), "é");
  EXPECT_EQ(repaired_text("&eacute;&hellip; ｶﾞ ǆ ŉ"), "é… ガ dž 'n");
  EXPECT_EQ(repaired_text("a\u0093b\u0094 \u000Bc\uFEFF"), "a\"b\" c");
  EXPECT_EQ(repaired_text("&#0; &#xD800; &#99999999;"), "&#0; &#xd800; &#99999999;");
}

// A vocabulary of single bytes and two merges, as transformers writes it.
class TinyTokenizer : public testing::Test {
 protected:
  TinyTokenizer() {
    std::int64_t next = 0;
    for (unsigned byte = 0, hidden = 0; byte < 256; ++byte) {
      const bool shown = (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
      const std::string character = to_utf8(std::u32string{static_cast<char32_t>(shown ? byte : 256 + hidden++)});
      vocabulary_[character] = next++;
      vocabulary_[character + "</w>"] = next++;
    }
    for (const char* token : {"ab", "abc</w>", "<|startoftext|>", "<|endoftext|>"}) vocabulary_[token] = next++;
    write_file(folder() / "merges.txt", "#version: 0.2\na b\nab c</w>\n");
    write_file(folder() / "special_tokens_map.json", R"({"pad_token": {"content": "!"}})");
    write_json(folder() / "vocab.json", vocabulary_);
  }
  const std::filesystem::path& folder() const { return scratch_.path(); }
  std::int64_t id(const std::string& token) const { return vocabulary_.at(token).get<std::int64_t>(); }
  Json vocabulary_ = Json::object();

 private:
  test::ScratchFolder scratch_;
};

TEST_F(TinyTokenizer, MergesInOrderAndPads) {
  const ClipTokenizer tokenizer(folder());
  EXPECT_EQ(tokenizer.ids("ABC abcab"),
            (std::vector<std::int64_t>{id("abc</w>"), id("ab"), id("c"), id("a"), id("b</w>")}));
  const torch::Tensor ids = tokenizer.encode({"abc", "a b c d e f"}, 5);
  const auto begin = tokenizer.begin_id(), end = tokenizer.end_id(), pad = id("!");
  EXPECT_TRUE(torch::equal(ids, torch::tensor({{begin, id("abc</w>"), end, pad, pad},
                                               {begin, id("a</w>"), id("b</w>"), id("c</w>"), end}})));
}

TEST_F(TinyTokenizer, WhatIsBrokenIsTold) {
  write_file(folder() / "merges.txt", "#version: 0.2\na b c\n");
  EXPECT_THROW(ClipTokenizer{folder()}, DataError);
  write_file(folder() / "merges.txt", "a b\na b\n");
  EXPECT_THROW(ClipTokenizer{folder()}, DataError);
  write_file(folder() / "merges.txt", "x y\n");
  EXPECT_THROW(ClipTokenizer{folder()}, DataError);
  write_file(folder() / "merges.txt", "a b\n");
  EXPECT_NO_THROW(ClipTokenizer{folder()});
  vocabulary_.erase("z");
  write_json(folder() / "vocab.json", vocabulary_);
  EXPECT_THROW(ClipTokenizer{folder()}, DataError);
  std::filesystem::remove(folder() / "merges.txt");
  EXPECT_THROW(ClipTokenizer{folder()}, DataError);
}

TEST(ClipText, RefusesWhatItCannotRead) {
  ClipTextModel model(ClipTextConfig{.vocab_size = 20,
                                     .hidden_size = 8,
                                     .intermediate_size = 16,
                                     .num_hidden_layers = 2,
                                     .num_attention_heads = 2,
                                     .max_position_embeddings = 5,
                                     .hidden_act = "gelu",
                                     .eos_token_id = 7});
  EXPECT_THROW(model->forward(torch::full({1, 5}, 20, torch::kInt64)), RequestError);
  EXPECT_THROW(model->forward(torch::zeros({1, 6}, torch::kInt64)), RequestError);
  EXPECT_THROW(model->forward(torch::zeros({1, 5}, torch::kInt64), {}, 2), RequestError);
  // The pooled state is that of the first end token; what stands behind it is not seen.
  const torch::Tensor ids = torch::tensor({{1, 2, 7, 9, 7}, {1, 2, 7, 7, 3}});
  const torch::Tensor pooled = model->forward(ids).pooled;
  EXPECT_TRUE(torch::allclose(pooled[0], pooled[1], 1e-5, 1e-6));
  EXPECT_THROW(clip_text_config_from_json({{"hidden_act", "relu"}}, "x"), DataError);
}

}  // namespace
}  // namespace terragen::models
