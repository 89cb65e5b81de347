#include "terragen/shards/object_windows.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "terragen/core/seed.h"
#include "terragen/layout/rasterise.h"

namespace terragen::shards {
namespace {

constexpr double kMargin = 1.5;
constexpr int kLeastSide = 24;
constexpr int kMaskSide = 48;
constexpr double kMajority = 0.6;
constexpr double kLeastLabelled = 0.5;
constexpr double kLeastMeasured = 0.75;
constexpr int kTries = 32;

enum WindowStream : std::uint64_t { kChoice, kBackgroundPlaces, kMaskPlaces };

double pixels_of(const ObjectWindow& window) { return static_cast<double>(window.side) * window.side; }

// Marked pixels of any window, counted once for all (summed-area table, Crow 1984).
class MarkedPixels {
 public:
  template <class Marked>
  MarkedPixels(int width, int height, const Marked& marked) : stride_(static_cast<std::size_t>(width) + 1) {
    sums_.assign(stride_ * (static_cast<std::size_t>(height) + 1), 0);
    for (int y = 0; y < height; ++y) {
      std::int64_t row = 0;
      for (int x = 0; x < width; ++x) {
        row += marked(x, y) ? 1 : 0;
        sums_[at(x + 1, y + 1)] = sums_[at(x + 1, y)] + row;
      }
    }
  }
  std::int64_t inside(const ObjectWindow& w) const {
    return sums_[at(w.x + w.side, w.y + w.side)] - sums_[at(w.x, w.y + w.side)] - sums_[at(w.x + w.side, w.y)] +
           sums_[at(w.x, w.y)];
  }

 private:
  std::size_t at(int x, int y) const { return static_cast<std::size_t>(y) * stride_ + static_cast<std::size_t>(x); }

  std::size_t stride_;
  std::vector<std::int64_t> sums_;
};

// One image's windows, from what is known of its pixels.
class WindowFinder {
 public:
  WindowFinder(const layout::Layout& layout, const torch::Tensor& valid)
      : layout_(layout),
        classes_(layout::rasterise_classes(layout)),
        measured_(layout.width, layout.height,
                  [pixel = valid.accessor<float, 2>()](int x, int y) { return pixel[y][x] > 0; }),
        labelled_(layout.width, layout.height,
                  [this](int x, int y) { return classes_.at(x, y) != layout::kUnlabelled; }),
        extent_(std::min(layout.width, layout.height)) {}

  std::vector<ObjectWindow> about_features() const {
    std::vector<ObjectWindow> windows;
    for (const layout::Feature& feature : layout_.features) {
      if (feature.crowd || layout::is_empty(feature.geometry)) continue;
      const layout::Bounds bounds = layout::bounds_of(feature.geometry);
      const double wanted = std::ceil(kMargin * std::max(bounds.width(), bounds.height()));
      const int side = static_cast<int>(std::min<double>(extent_, std::max<double>(kLeastSide, wanted)));
      const auto start = [side](double low, double high, int whole) {
        return static_cast<int>(std::lround(std::clamp((low + high - side) / 2, 0.0, 1.0 * (whole - side))));
      };
      const ObjectWindow window{start(bounds.x0, bounds.x1, layout_.width), start(bounds.y0, bounds.y1, layout_.height),
                                side, feature.class_index};
      if (is_measured(window)) windows.push_back(window);
    }
    return windows;
  }

  // One window as wide as each of `sides`.
  std::vector<ObjectWindow> beside_features(const std::vector<int>& sides, int label, std::uint64_t seed) const {
    Random random(seed);
    std::vector<ObjectWindow> windows;
    for (const int side : sides) {
      for (int i = 0; i < kTries; ++i) {
        const ObjectWindow window = anywhere(side, label, random);
        if (labelled_.inside(window) > 0 || !is_measured(window)) continue;
        windows.push_back(window);
        break;
      }
    }
    return windows;
  }

  std::vector<ObjectWindow> of_mask(int places, std::uint64_t seed) const {
    Random random(seed);
    std::vector<ObjectWindow> windows;
    for (int i = 0; i < places; ++i) {
      ObjectWindow window = anywhere(std::min(kMaskSide, extent_), 0, random);
      const auto labelled = static_cast<double>(labelled_.inside(window));
      if (!is_measured(window) || labelled < kLeastLabelled * pixels_of(window)) continue;
      std::array<int, 256> counts{};
      for (int y = window.y; y < window.y + window.side; ++y) {
        for (int x = window.x; x < window.x + window.side; ++x) ++counts[classes_.at(x, y)];
      }
      counts[layout::kUnlabelled] = 0;
      const auto largest = std::ranges::max_element(counts);
      if (*largest < kMajority * labelled) continue;
      window.label = static_cast<int>(largest - counts.begin());
      windows.push_back(window);
    }
    return windows;
  }

  int extent() const { return extent_; }

 private:
  bool is_measured(const ObjectWindow& window) const {
    return static_cast<double>(measured_.inside(window)) >= kLeastMeasured * pixels_of(window);
  }
  ObjectWindow anywhere(int side, int label, Random& random) const {
    const auto x = static_cast<int>(random.below(layout_.width - side + 1));
    const auto y = static_cast<int>(random.below(layout_.height - side + 1));
    return {x, y, side, label};
  }

  const layout::Layout& layout_;
  layout::DenseMask classes_;
  MarkedPixels measured_, labelled_;
  int extent_;
};

}  // namespace

std::vector<ObjectWindow> object_windows(const layout::Layout& layout, const torch::Tensor& valid,
                                         const WindowOptions& options, std::uint64_t seed) {
  const WindowFinder finder(layout, valid);
  if (layout.mask) return finder.of_mask(options.most, derive_seed(seed, kMaskPlaces));
  std::vector<ObjectWindow> windows = finder.about_features();
  Random random(derive_seed(seed, kChoice));
  const std::size_t chosen = std::min(windows.size(), static_cast<std::size_t>(options.most));
  for (std::size_t i = 0; i < chosen; ++i) {
    const auto left = static_cast<std::int64_t>(windows.size() - i);
    std::swap(windows[i], windows[i + static_cast<std::size_t>(random.below(left))]);
  }
  windows.resize(chosen);
  if (options.background < 0) return windows;
  std::vector<int> sides;
  for (const ObjectWindow& window : windows) sides.push_back(window.side);
  if (layout.features.empty()) sides.push_back(std::min(kMaskSide, finder.extent()));
  const auto others = finder.beside_features(sides, options.background, derive_seed(seed, kBackgroundPlaces));
  windows.insert(windows.end(), others.begin(), others.end());
  return windows;
}

torch::Tensor window_images(const torch::Tensor& image, const std::vector<ObjectWindow>& windows, int size) {
  namespace fn = torch::nn::functional;
  const auto options = fn::InterpolateFuncOptions()
                           .size(std::vector<std::int64_t>{size, size})
                           .mode(torch::kBilinear)
                           .align_corners(false)
                           .antialias(true);
  std::vector<torch::Tensor> images{torch::empty({0, image.size(0), size, size})};
  for (const ObjectWindow& w : windows) {
    const torch::Tensor part = image.slice(1, w.y, w.y + w.side).slice(2, w.x, w.x + w.side).unsqueeze(0);
    images.push_back(fn::interpolate(part, options));
  }
  return torch::cat(images);
}

}  // namespace terragen::shards
