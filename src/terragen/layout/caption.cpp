#include "terragen/layout/caption.h"

#include <algorithm>
#include <format>
#include <utility>
#include <vector>

#include "terragen/layout/class_pixels.h"

namespace terragen::layout {
namespace {

constexpr std::size_t kMostClasses = 8;
constexpr double kLeastShare = 0.01;
constexpr double kSatelliteGsd = 1.0;  // metres a pixel

bool is_vowel(char c) { return std::string("aeiou").find(c) != std::string::npos; }

std::string words_of_class(std::string name) {
  std::ranges::replace_if(name, [](char c) { return c == '_' || c == '-'; }, ' ');
  return name;
}

std::string plural(const std::string& noun) {
  const bool hisses =
      noun.ends_with('s') || noun.ends_with('x') || noun.ends_with('z') || noun.ends_with("ch") || noun.ends_with("sh");
  if (hisses) return noun + "es";
  if (noun.size() > 1 && noun.ends_with('y') && !is_vowel(noun[noun.size() - 2])) {
    return noun.substr(0, noun.size() - 1) + "ies";
  }
  return noun + "s";
}

std::string counted(const std::string& noun, std::size_t count) {
  if (count > 1) return std::format("{} {}", count, plural(noun));
  return std::format("{} {}", is_vowel(noun.front()) ? "an" : "a", noun);
}

// "a", "a and b", "a, b and c".
std::string enumeration(const std::vector<std::string>& items) {
  std::string text = items.front();
  for (std::size_t i = 1; i < items.size(); ++i) text += (i + 1 == items.size() ? " and " : ", ") + items[i];
  return text;
}

// Class numbers with how often they occur, the most frequent first; none that occurs less often than `least`.
std::vector<std::pair<std::size_t, int>> ranked(const std::vector<std::size_t>& counts, double least) {
  std::vector<std::pair<std::size_t, int>> result;
  for (std::size_t c = 0; c < counts.size(); ++c) {
    if (counts[c] > 0 && static_cast<double>(counts[c]) >= least) result.emplace_back(counts[c], static_cast<int>(c));
  }
  std::ranges::stable_sort(result, std::greater<>(), &std::pair<std::size_t, int>::first);
  return result;
}

}  // namespace

std::string caption_of(const Layout& layout, const Taxonomy& taxonomy) {
  std::vector<std::size_t> features(static_cast<std::size_t>(taxonomy.size()));
  for (const Feature& feature : layout.features) ++features.at(static_cast<std::size_t>(feature.class_index));
  const double least = kLeastShare * layout.width * layout.height;
  std::vector<std::string> things;
  const auto name_of = [&](int index) { return taxonomy.at(index).name; };
  // Names in parentheses are the program's own, not words.
  const auto is_word = [&](int index) { return !name_of(index).starts_with('('); };
  for (const auto& [count, index] : ranked(features, 1)) {
    if (is_word(index)) things.push_back(counted(words_of_class(name_of(index)), count));
  }
  for (const auto& [count, index] : ranked(count_class_pixels(layout, taxonomy.size()).classes, least)) {
    if (is_word(index)) things.push_back(words_of_class(name_of(index)));
  }
  if (things.size() > kMostClasses) things.resize(kMostClasses);
  std::string text = layout.gsd.value_or(0) >= kSatelliteGsd ? "a satellite image" : "an aerial image";
  if (!things.empty()) text += " with " + enumeration(things);
  if (!layout.caption.empty()) text += ", " + layout.caption;
  return text;
}

std::vector<std::string> captions_of(const std::vector<Layout>& layouts, const Taxonomy& taxonomy) {
  std::vector<std::string> captions;
  captions.reserve(layouts.size());
  for (const Layout& layout : layouts) captions.push_back(caption_of(layout, taxonomy));
  return captions;
}

}  // namespace terragen::layout
