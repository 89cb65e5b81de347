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

void check_bands(const models::ImageInfo& known, const std::string& who, const shards::ShardSet& data,
                 const std::string& name) {
  if (known.bands.size() != data.bands.size()) {
    throw RequestError(std::format("{} is for {} bands, {} has {}", who, known.bands.size(), name, data.bands.size()));
  }
  for (std::size_t b = 0; b < data.bands.size(); ++b) {
    if (known.bands[b].name == data.bands[b].name) continue;
    throw RequestError(
        std::format("band {} is {} to {}, and {} in {}", b + 1, known.bands[b].name, who, data.bands[b].name, name),
        "images.bands in a recipe takes bands in any order, images.band_names names them");
  }
}

void check_bands_and_tasks(const models::ModelFolder& model, const shards::ShardSet& data) {
  check_bands(model.images, "the model", data, "the data");
  const std::vector<std::string>& tasks = model.layout_encoder->config().tasks;
  for (const std::string& task : data.tasks) {
    if (std::ranges::find(tasks, task) == tasks.end()) {
      throw RequestError(
          std::format("the model does not know the task \"{}\"", task),
          "`terragen info MODEL` lists its tasks; `terragen train generator DATASET --from MODEL` teaches "
          "it new ones");
    }
  }
}

void check_painter(const models::ModelFolder& model, const shards::ShardSet& data, int size) {
  check_bands_and_tasks(model, data);
  const int step = size_step_of(model);
  if (size < step || size % step != 0) {
    throw RequestError(std::format("images of {} pixels cannot be painted", size),
                       std::format("the model needs a multiple of {}", step));
  }
  class_numbers(data.taxonomy, model.layout_encoder->config().taxonomy, "the model");
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
