// CLIP's tokens of a text: byte-pair encoding of small letters (Radford et al. 2021, github.com/openai/CLIP).
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace terragen::models {

class ClipTokenizer {
 public:
  // `path`: a tokenizer folder as transformers writes it (vocab.json, merges.txt, special_tokens_map.json), or OpenAI's
  // bpe_simple_vocab_16e6.txt, also packed with gzip, whose texts are padded with the end token. DataError naming the
  // file and line.
  explicit ClipTokenizer(const std::filesystem::path& path);
  // A tokenizer folder, made if need be, that gives the same ids.
  void save(const std::filesystem::path& folder) const;

  // Of the text alone, however long, after repaired_text.
  std::vector<std::int64_t> ids(const std::string& text) const;
  // Begin, the text's ids, end, and padding: [N, length], int64. Of longer texts the first length - 2 ids stay; who
  // must know of it compares with ids().
  torch::Tensor encode(const std::vector<std::string>& texts, std::int64_t length = 77) const;

  std::int64_t begin_id() const { return begin_; }
  std::int64_t end_id() const { return end_; }
  std::int64_t pad_id() const { return pad_; }
  // OpenCLIP fills the places after a text with token 0, whatever vocabulary file the tokens come from.
  void pad_with(std::int64_t id) { pad_ = id; }

 private:
  void read_folder(const std::filesystem::path& folder);
  void read_openai_merges(const std::filesystem::path& path);
  void add_merges(const std::string& text, std::size_t most, const std::string& place);
  std::int64_t id_of(const std::string& token, const std::string& place) const;
  void add_word(const std::string& word, std::vector<std::int64_t>& ids) const;

  std::unordered_map<std::string, std::int64_t> vocabulary_;
  std::map<std::pair<std::string, std::string>, std::size_t> ranks_;  // of merges, the first made first
  std::map<std::string, std::int64_t> special_;  // tokens that stand for themselves wherever they are in a text
  std::int64_t begin_ = 0, end_ = 0, pad_ = 0;
};

}  // namespace terragen::models
