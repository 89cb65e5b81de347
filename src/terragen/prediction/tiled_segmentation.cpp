#include "terragen/prediction/tiled_segmentation.h"

#include <limits>
#include <numbers>

#include "terragen/core/error.h"
#include "terragen/core/interrupt.h"

namespace terragen::prediction {
namespace {

// Rows of weighted sums that move down the image.
class Accumulator {
 public:
  Accumulator(std::int64_t classes, std::int64_t rows, std::int64_t width)
      : sum_(torch::zeros({classes, rows, width})), weight_(torch::zeros({rows, width})) {}

  void add(const geo::PixelWindow& w, const torch::Tensor& probabilities, const torch::Tensor& weights) {
    const auto at = [&](const torch::Tensor& plane) {
      return plane.narrow(-2, w.y - top_, w.height).narrow(-1, w.x, w.width);
    };
    if (probabilities.sizes() != at(sum_).sizes()) {
      throw InternalError("[blend_tiles] a tile's probabilities have another shape than the tile");
    }
    at(sum_).addcmul_(probabilities, weights.unsqueeze(0));
    at(weight_).add_(weights);
  }

  // Hands over the rows above `y` and makes `y` the first.
  void move_to(int y, const FinishedRows& finished) {
    const std::int64_t done = y - top_;
    if (done == 0) return;
    torch::Tensor ready = sum_.narrow(1, 0, done);
    ready.div_(weight_.narrow(0, 0, done).clamp_min(std::numeric_limits<float>::min()));
    finished(top_, ready);
    for (const torch::Tensor& plane : {sum_, weight_}) {
      const std::int64_t left = plane.size(-2) - done;
      const torch::Tensor rest = plane.narrow(-2, done, left).clone();
      plane.narrow(-2, 0, left).copy_(rest);
      plane.narrow(-2, left, done).zero_();
    }
    top_ = y;
  }

 private:
  torch::Tensor sum_;     // [K, rows, width]
  torch::Tensor weight_;  // [rows, width]
  int top_ = 0;           // the first row's number in the image
};

}  // namespace

torch::Tensor tile_weights(int height, int width) {
  const auto raised_cosine = [](int count) {
    // Taken in the middle of the pixels it is nowhere zero.
    return ((torch::arange(count, torch::kFloat64) + 0.5) * (std::numbers::pi / count)).sin().square();
  };
  return torch::outer(raised_cosine(height), raised_cosine(width)).to(torch::kFloat32);
}

void blend_tiles(int width, int height, std::int64_t classes, const TileOptions& tiles,
                 const TileProbabilities& probabilities_of, const FinishedRows& finished) {
  const std::vector<geo::PixelWindow> windows = geo::tile_grid(width, height, tiles.size, tiles.overlap);
  // All tiles are of one size.
  const torch::Tensor weights = tile_weights(windows.front().height, windows.front().width);
  Accumulator rows(classes, windows.front().height, width);
  for (const geo::PixelWindow& window : windows) {
    if (interrupt_requested()) throw Interrupted("stopped; what was finished is kept");
    rows.move_to(window.y, finished);
    const torch::Tensor probabilities = probabilities_of(window);
    if (probabilities.defined()) rows.add(window, probabilities, weights);
  }
  rows.move_to(height, finished);
}

}  // namespace terragen::prediction
