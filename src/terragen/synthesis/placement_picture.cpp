#include "terragen/synthesis/placement_picture.h"

#include <algorithm>

#include "terragen/core/png.h"
#include "terragen/synthesis/draw_outline.h"
#include "terragen/tensor/draw_image.h"

namespace terragen::synthesis {
namespace {

constexpr int kGap = 6;
constexpr Rgb kPlacedInk{255, 0, 255};

// From dark blue at 0 over green to yellow at 1, blended half and half with the image.
Rgb coloured(Rgb image, double score) {
  const Rgb low{40, 60, 160};
  const Rgb high{250, 230, 40};
  Rgb result{};
  for (std::size_t c = 0; c < 3; ++c) {
    const double color = low[c] + score * (static_cast<double>(high[c]) - low[c]);
    result[c] = static_cast<std::uint8_t>(std::clamp((image[c] + color) / 2, 0.0, 255.0));
  }
  return result;
}

}  // namespace

void write_placement_picture(const std::filesystem::path& png, const shards::Sample& scene, const PlacementMap& map,
                             double width, const std::vector<Placement>& placed) {
  const layout::Plane score = map.score(width);
  Canvas canvas(2 * score.width + kGap, score.height, {255, 255, 255});
  const int right = score.width + kGap;
  tensor::draw_image(canvas, scene.image, 0, 0);
  tensor::draw_image(canvas, scene.image, right, 0);
  const auto most = static_cast<double>(*std::ranges::max_element(score.values));
  for (int y = 0; y < score.height; ++y) {
    for (int x = 0; x < score.width; ++x) {
      const Rgb seen = canvas.get(right + x, y);
      const Rgb dark{static_cast<std::uint8_t>(seen[0] / 3), static_cast<std::uint8_t>(seen[1] / 3),
                     static_cast<std::uint8_t>(seen[2] / 3)};
      const bool may = map.allowed()[static_cast<std::size_t>(y) * static_cast<std::size_t>(score.width) +
                                     static_cast<std::size_t>(x)] != 0;
      canvas.set(right + x, y, may ? coloured(seen, most > 0 ? static_cast<double>(score.at(x, y)) / most : 0) : dark);
    }
  }
  for (const Placement& placement : placed) {
    for (const int left : {0, right}) {
      draw_outline(canvas, placement.geometry, kPlacedInk, left, 0, score.width, score.height);
    }
  }
  write_png(png, canvas);
}

}  // namespace terragen::synthesis
