// Names in a sentence.
#pragma once

#include <functional>
#include <string>

namespace terragen {

// "one, two, three"; empty of none.
template <typename Items, typename Projection = std::identity>
std::string comma_list(const Items& items, Projection text_of = {}) {
  std::string list;
  for (const auto& item : items) {
    if (!list.empty()) list += ", ";
    list += std::invoke(text_of, item);
  }
  return list;
}

}  // namespace terragen
