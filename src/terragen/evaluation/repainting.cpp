#include "terragen/evaluation/repainting.h"

#include <algorithm>
#include <format>
#include <vector>

#include "terragen/core/error.h"
#include "terragen/core/progress.h"
#include "terragen/core/seed.h"
#include "terragen/shards/augment.h"
#include "terragen/synthesis/painting_condition.h"

namespace terragen::evaluation {
namespace {

constexpr std::size_t kPortion = 32;  // images

}  // namespace

void check_repaint(const shards::ShardReader& reader, const synthesis::Painter& painter,
                   const RepaintOptions& options) {
  synthesis::check_painter(painter.model(), reader.set(), options.size);
  for (std::size_t i = 0; i < reader.size(); ++i) {
    const layout::Layout& layout = reader.layout(i);
    if (std::min(layout.width, layout.height) < options.size) {
      throw RequestError(std::format("{} is of {}x{} pixels, less than the {} to be painted", reader.source(i),
                                     layout.width, layout.height, options.size),
                         "choose a smaller --size");
    }
  }
}

void repaint(const shards::ShardReader& reader, synthesis::Painter& painter, const RepaintOptions& options,
             const std::function<void(const shards::Sample& real, const shards::Sample& painted)>& done) {
  check_repaint(reader, painter, options);
  const std::vector<int> numbers = synthesis::class_numbers(
      reader.set().taxonomy, painter.model().layout_encoder->config().taxonomy, "the generator");
  Progress progress("painting", static_cast<std::int64_t>(reader.size()));
  for (std::size_t first = 0; first < reader.size(); first += kPortion) {
    std::vector<shards::Sample> crops;
    std::vector<synthesis::PaintRequest> requests;
    for (std::size_t i = first; i < std::min(first + kPortion, reader.size()); ++i) {
      crops.push_back(shards::centre_crop(reader.get(i), options.size));
      synthesis::PaintRequest request;
      request.layout =
          synthesis::painting_condition(synthesis::renumbered(crops.back().layout, numbers), painter.model());
      request.seed = derive_seed(options.seed, i);
      requests.push_back(std::move(request));
    }
    painter.paint(requests, [&](std::size_t index, const torch::Tensor& image) {
      const shards::Sample& real = crops[index];
      done(real, {image, real.valid, real.layout, real.source});
      progress.advance();
    });
  }
}

}  // namespace terragen::evaluation
