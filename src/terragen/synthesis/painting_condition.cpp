#include "terragen/synthesis/painting_condition.h"

#include <algorithm>
#include <format>

#include "terragen/core/error.h"
#include "terragen/layout/rasterise.h"

namespace terragen::synthesis {

layout::Layout painting_condition(layout::Layout layout, const models::ModelFolder& model) {
  const bool dense = layout.mask || std::ranges::find(model.dense_tasks, layout.task) != model.dense_tasks.end();
  if (dense) {
    layout.mask = layout::rasterise_classes(layout);
    layout.features.clear();
  }
  return layout;
}

std::vector<int> class_numbers(const layout::Taxonomy& from, const layout::Taxonomy& to, const std::string& who) {
  std::vector<int> numbers;
  for (const layout::ClassInfo& entry : from.classes()) {
    numbers.push_back(to.find(entry.name));
    if (numbers.back() < 0) {
      throw RequestError(std::format("{} does not know the class \"{}\"", who, entry.name),
                         "`terragen info MODEL` lists its classes; `terragen train ... --from` teaches it new ones");
    }
  }
  return numbers;
}

layout::Layout renumbered(layout::Layout layout, const std::vector<int>& numbers) {
  for (layout::Feature& feature : layout.features) {
    feature.class_index = numbers.at(static_cast<std::size_t>(feature.class_index));
  }
  if (layout.mask) {
    for (std::uint8_t& value : layout.mask->values) {
      if (value != layout::kUnlabelled) value = static_cast<std::uint8_t>(numbers.at(value));
    }
  }
  return layout;
}

}  // namespace terragen::synthesis
