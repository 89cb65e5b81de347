#include "terragen/models/clip_tokenizer.h"

#include <algorithm>
#include <array>
#include <format>
#include <limits>
#include <sstream>
#include <string_view>

#include "terragen/core/atomic_file.h"
#include "terragen/core/error.h"
#include "terragen/core/gzip.h"
#include "terragen/core/json_file.h"
#include "terragen/core/unicode.h"
#include "terragen/models/text_repair.h"

namespace terragen::models {
namespace {

namespace fs = std::filesystem;

constexpr const char* kBegin = "<|startoftext|>";
constexpr const char* kEnd = "<|endoftext|>";
constexpr const char* kWordEnd = "</w>";
constexpr std::size_t kOpenAiMerges = 49152 - 256 - 2;

// The character that stands for each byte: the byte itself where Latin-1 has something to show, else one from 256 on.
struct ByteCharacters {
  ByteCharacters() {
    std::vector<unsigned> hidden;
    for (unsigned byte = 0; byte < 256; ++byte) {
      const bool shown = (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
      of[byte] = to_utf8(std::u32string{static_cast<char32_t>(shown ? byte : 256 + hidden.size())});
      (shown ? order : hidden).push_back(byte);
    }
    order.insert(order.end(), hidden.begin(), hidden.end());
  }
  std::array<std::string, 256> of;
  std::vector<unsigned> order;  // of the bytes in OpenAI's vocabulary
};

const ByteCharacters& byte_characters() {
  static const ByteCharacters characters;
  return characters;
}

// A text's words: special tokens, English contractions, runs of letters, single digits, runs of anything else.
std::vector<std::string> words_of(const std::string& utf8, const std::vector<std::u32string>& special) {
  static const std::vector<std::u32string> contractions = {U"'s", U"'t", U"'re", U"'ve", U"'m", U"'ll", U"'d"};
  const std::u32string text = from_utf8(utf8);
  const auto begun = [](const std::vector<std::u32string>& words, std::u32string_view rest) -> std::size_t {
    const auto known = std::ranges::find_if(words, [&](const std::u32string& word) { return rest.starts_with(word); });
    return known == words.end() ? 0 : known->size();
  };
  const auto other = [](char32_t c) { return !is_letter(c) && !is_number(c) && !is_space(c); };
  std::vector<std::string> words;
  for (std::size_t at = 0; at < text.size();) {
    const std::u32string_view rest = std::u32string_view(text).substr(at);
    std::size_t length = begun(special, rest);
    if (length == 0) length = begun(contractions, rest);
    if (length == 0) {
      length = 1;
      const auto goes_on = [&](bool (*kind)(char32_t)) {
        while (length < rest.size() && kind(rest[length]) && begun(special, rest.substr(length)) == 0) ++length;
      };
      if (is_letter(rest[0])) goes_on(is_letter);
      if (other(rest[0])) goes_on(other);
    }
    if (!is_space(rest[0])) words.push_back(to_utf8(rest.substr(0, length)));
    at += length;
  }
  return words;
}

// A special token is a string, or an object around it.
std::string special_token(const Json& map, const char* key, const char* fallback, const std::string& place) {
  if (!map.contains(key)) return fallback;
  const Json& value = map.at(key);
  return value.is_object() ? json_member<std::string>(value, "content", place)
                           : json_member<std::string>(map, key, place);
}

}  // namespace

ClipTokenizer::ClipTokenizer(const fs::path& path) {
  if (fs::is_directory(path)) {
    read_folder(path);
  } else {
    read_openai_merges(path);
  }
}

void ClipTokenizer::read_folder(const fs::path& folder) {
  const fs::path vocabulary = folder / "vocab.json";
  const Json tokens = read_json(vocabulary);
  if (!tokens.is_object()) throw DataError(vocabulary.string(), "is no object of tokens");
  for (const auto& [token, id] : tokens.items()) {
    if (!id.is_number_unsigned()) throw DataError(vocabulary.string(), std::format("token \"{}\" has no id", token));
    vocabulary_[token] = id.get<std::int64_t>();
  }
  const fs::path merges = folder / "merges.txt";
  add_merges(read_file(merges), std::numeric_limits<std::size_t>::max(), merges.string());
  const fs::path special = folder / "special_tokens_map.json";
  const Json map = fs::exists(special) ? read_json(special) : Json::object();
  const auto special_id = [&](const char* key, const char* fallback) {
    const std::string token = special_token(map, key, fallback, special.string());
    return special_[token] = id_of(token, vocabulary.string());
  };
  begin_ = special_id("bos_token", kBegin);
  end_ = special_id("eos_token", kEnd);
  pad_ = special_id("pad_token", kEnd);
  for (const auto& [pair, rank] : ranks_) id_of(pair.first + pair.second, vocabulary.string());
  for (const std::string& shown : byte_characters().of) {
    id_of(shown, vocabulary.string());
    id_of(shown + kWordEnd, vocabulary.string());
  }
}

void ClipTokenizer::read_openai_merges(const fs::path& path) {
  add_merges(read_maybe_gzip(path), kOpenAiMerges, path.string());
  std::vector<std::pair<std::string, std::string>> ordered(ranks_.size());
  for (const auto& [pair, rank] : ranks_) ordered.at(rank) = pair;
  std::vector<std::string> tokens;
  for (const char* ending : {"", kWordEnd}) {
    for (const unsigned byte : byte_characters().order) tokens.push_back(byte_characters().of[byte] + ending);
  }
  for (const auto& [first, second] : ordered) tokens.push_back(first + second);
  tokens.insert(tokens.end(), {kBegin, kEnd});
  for (std::size_t id = 0; id < tokens.size(); ++id) vocabulary_[tokens[id]] = static_cast<std::int64_t>(id);
  begin_ = special_[kBegin] = id_of(kBegin, path.string());
  end_ = pad_ = special_[kEnd] = id_of(kEnd, path.string());
}

void ClipTokenizer::save(const fs::path& folder) const {
  fs::create_directories(folder);
  write_json(folder / "vocab.json", Json(vocabulary_));
  std::vector<std::pair<std::string, std::string>> ordered(ranks_.size());
  for (const auto& [pair, rank] : ranks_) ordered.at(rank) = pair;
  std::string merges = "#version: 0.2\n";
  for (const auto& [first, second] : ordered) merges.append(first).append(" ").append(second).append("\n");
  write_file(folder / "merges.txt", merges);
  const auto token_of = [&](std::int64_t id) {
    const auto with_id = [id](const auto& tokens) {
      return std::ranges::find(tokens, id, [](const auto& entry) { return entry.second; });
    };
    const auto special = with_id(special_);
    return special != special_.end() ? special->first : with_id(vocabulary_)->first;
  };
  const Json special = {{"bos_token", token_of(begin_)},
                        {"eos_token", token_of(end_)},
                        {"unk_token", token_of(end_)},
                        {"pad_token", token_of(pad_)}};
  write_json(folder / "special_tokens_map.json", special);
  Json config = special;
  config["tokenizer_class"] = "CLIPTokenizer";
  config["model_max_length"] = 77;
  write_json(folder / "tokenizer_config.json", config);
}

// One merge a line, two tokens apart by a blank; the first line may name a version.
void ClipTokenizer::add_merges(const std::string& text, std::size_t most, const std::string& place) {
  std::istringstream lines(text);
  std::string line;
  for (int number = 1; std::getline(lines, line) && ranks_.size() < most; ++number) {
    if (line.ends_with('\r')) line.pop_back();
    if (line.empty() || (number == 1 && line.find("#version") != std::string::npos)) continue;
    const std::size_t blank = line.find(' ');
    if (blank == 0 || blank == std::string::npos || blank + 1 == line.size() ||
        line.find(' ', blank + 1) != std::string::npos) {
      throw DataError(std::format("{}: line {}", place, number), "is no merge of two tokens");
    }
    if (!ranks_.try_emplace({line.substr(0, blank), line.substr(blank + 1)}, ranks_.size()).second) {
      throw DataError(std::format("{}: line {}", place, number), "repeats a merge");
    }
  }
  if (ranks_.empty()) throw DataError(place, "holds no merges");
}

std::int64_t ClipTokenizer::id_of(const std::string& token, const std::string& place) const {
  const auto found = vocabulary_.find(token);
  if (found == vocabulary_.end()) throw DataError(place, std::format("has no token \"{}\"", token));
  return found->second;
}

void ClipTokenizer::add_word(const std::string& word, std::vector<std::int64_t>& ids) const {
  if (const auto found = special_.find(word); found != special_.end()) return ids.push_back(found->second);
  std::vector<std::string> parts;
  for (const char c : word) parts.push_back(byte_characters().of[static_cast<unsigned char>(c)]);
  parts.back() += kWordEnd;
  while (parts.size() > 1) {
    auto best = ranks_.end();
    for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
      const auto found = ranks_.find({parts[i], parts[i + 1]});
      if (found != ranks_.end() && (best == ranks_.end() || found->second < best->second)) best = found;
    }
    if (best == ranks_.end()) break;
    std::vector<std::string> merged;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      const bool joins = i + 1 < parts.size() && parts[i] == best->first.first && parts[i + 1] == best->first.second;
      merged.push_back(joins ? parts[i] + parts[i + 1] : parts[i]);
      if (joins) ++i;
    }
    parts = std::move(merged);
  }
  for (const std::string& part : parts) ids.push_back(id_of(part, "tokenizer"));
}

std::vector<std::int64_t> ClipTokenizer::ids(const std::string& text) const {
  std::vector<std::u32string> special;
  for (const auto& [token, id] : special_) special.push_back(from_utf8(token));
  std::vector<std::int64_t> result;
  for (const std::string& word : words_of(repaired_text(text), special)) add_word(word, result);
  return result;
}

torch::Tensor ClipTokenizer::encode(const std::vector<std::string>& texts, std::int64_t length) const {
  torch::Tensor all = torch::full({std::ssize(texts), length}, pad_, torch::kInt64);
  for (std::size_t row = 0; row < texts.size(); ++row) {
    std::vector<std::int64_t> line = ids(texts[row]);
    if (std::ssize(line) > length - 2) line.resize(static_cast<std::size_t>(length - 2));
    line.insert(line.begin(), begin_);
    line.push_back(end_);
    all[static_cast<std::int64_t>(row)].narrow(0, 0, std::ssize(line)).copy_(torch::tensor(line, torch::kInt64));
  }
  return all;
}

}  // namespace terragen::models
