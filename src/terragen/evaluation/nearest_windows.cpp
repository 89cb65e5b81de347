#include "terragen/evaluation/nearest_windows.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <format>

#include "terragen/core/error.h"
#include "terragen/core/interrupt.h"
#include "terragen/core/progress.h"
#include "terragen/metrics/window_correlation.h"
#include "terragen/shards/augment.h"

namespace terragen::evaluation {
namespace {

namespace fn = torch::nn::functional;

constexpr std::array kScales{0.8, 1.0, 1.25};
constexpr unsigned kSymmetries = 8;
constexpr std::int64_t kCell = 8;                   // pixels
constexpr std::int64_t kStep = kCell / 2;           // between cells
constexpr std::int64_t kKept = 6;                   // places a window that are looked at closely
constexpr std::int64_t kAround = kStep;             // pixels about each of them
constexpr std::int64_t kTurnedWindowsAtOnce = 512;  // bounds the memory

torch::Tensor scaled(const torch::Tensor& image, double scale) {
  if (scale == 1.0) return image;
  const auto length = [&](std::int64_t dim) {
    return static_cast<std::int64_t>(std::lround(scale * static_cast<double>(image.size(dim))));
  };
  return fn::interpolate(image.unsqueeze(0), fn::InterpolateFuncOptions()
                                                 .size(std::vector<std::int64_t>{length(1), length(2)})
                                                 .mode(torch::kBilinear)
                                                 .align_corners(false)
                                                 .antialias(true))[0];
}

// Of grey alone: bands say little more at this size.
torch::Tensor cells_of(const torch::Tensor& images, std::int64_t step) {
  return fn::avg_pool2d(images.mean(1, true), fn::AvgPool2dFuncOptions(kCell).stride(step));
}

// The best places of every window so far.
struct Candidates {
  torch::Tensor correlation;  // [n, kept]
  torch::Tensor where;        // [n, kept, 5]: image, scale, symmetry, row, column (in steps)
};

// What every turned window has as its best place in one image at one scale; `turned`: [8 * n, B, cells, cells], the
// symmetries of a window in a row.
Candidates best_places(const torch::Tensor& turned, const torch::Tensor& image, std::int64_t index,
                       std::int64_t scale) {
  const metrics::WindowPlaces there(cells_of(image.unsqueeze(0), kStep)[0], turned.size(2), turned.size(3),
                                    kCell / kStep);
  std::vector<torch::Tensor> values;
  std::vector<torch::Tensor> places;
  std::int64_t columns = 0;
  for (const torch::Tensor& some : turned.split(kTurnedWindowsAtOnce)) {
    const torch::Tensor correlation = there.correlation(some);
    columns = correlation.size(2);
    const auto [value, place] = correlation.flatten(1).max(1);
    values.push_back(value);
    places.push_back(place);
  }
  const torch::Tensor place = torch::cat(places).view({-1, kSymmetries});
  const torch::Tensor symmetry = torch::arange(static_cast<std::int64_t>(kSymmetries)).expand_as(place);
  return {torch::cat(values).view({-1, kSymmetries}),
          torch::stack({torch::full_like(place, index), torch::full_like(place, scale), symmetry,
                        place.div(columns, "floor"), place.remainder(columns)},
                       2)};
}

void keep_best(Candidates& kept, const Candidates& more) {
  const torch::Tensor correlation = torch::cat({kept.correlation, more.correlation}, 1);
  const torch::Tensor where = torch::cat({kept.where, more.where}, 1);
  const auto [values, order] = correlation.topk(std::min(kKept, correlation.size(1)), 1);
  kept.correlation = values;
  kept.where = where.gather(1, order.unsqueeze(2).expand({-1, -1, where.size(2)}));
}

// A place to be looked at closely. In the order of images and scales, so that each is read and resized once.
struct Candidate {
  std::array<std::int64_t, 5> where{};  // as in Candidates
  std::int64_t window = 0;
  auto operator<=>(const Candidate&) const = default;
};

std::vector<Candidate> in_order(const Candidates& kept) {
  std::vector<Candidate> all;
  const auto where = kept.where.accessor<std::int64_t, 3>();
  for (std::int64_t i = 0; i < where.size(0); ++i) {
    for (std::int64_t k = 0; k < where.size(1); ++k) {
      all.push_back({.window = i});
      for (std::int64_t c = 0; c < where.size(2); ++c)
        all.back().where.at(static_cast<std::size_t>(c)) = where[i][k][c];
    }
  }
  std::ranges::sort(all);
  return all;
}

// The best place within kAround pixels of a candidate; `there`: the candidate's image at its scale.
NearestWindow look_closely(const torch::Tensor& window, const Candidate& candidate, const torch::Tensor& there) {
  const std::array<std::int64_t, 5>& where = candidate.where;
  const auto symmetry = static_cast<unsigned>(where[2]);
  const std::int64_t side = window.size(1);
  NearestWindow result{.image = static_cast<std::size_t>(where[0]),
                       .scale = kScales[static_cast<std::size_t>(where[1])]};
  const auto first = [&](std::int64_t step) { return std::max<std::int64_t>(0, step * kStep - kAround); };
  const std::int64_t top = first(where[3]);
  const std::int64_t left = first(where[4]);
  const torch::Tensor around = there.slice(1, top, std::min(there.size(1), where[3] * kStep + kAround + side))
                                   .slice(2, left, std::min(there.size(2), where[4] * kStep + kAround + side));
  const torch::Tensor correlation =
      metrics::window_correlation(shards::turned(window, symmetry).unsqueeze(0), around)[0];
  const std::int64_t best = correlation.argmax().item<std::int64_t>();
  result.correlation = correlation.flatten()[best].item<double>();
  result.x = static_cast<int>(left + best % correlation.size(1));
  result.y = static_cast<int>(top + best / correlation.size(1));
  result.found = shards::turned(there.slice(1, result.y, result.y + side).slice(2, result.x, result.x + side),
                                shards::inverse_symmetry(symmetry))
                     .contiguous();  // not a view of the whole image
  return result;
}

}  // namespace

std::vector<NearestWindow> nearest_windows(const torch::Tensor& windows, const shards::ShardReader& reader) {
  const torch::NoGradGuard no_grad;
  const std::int64_t count = windows.size(0);
  if (windows.size(1) != std::ssize(reader.set().bands)) {
    throw RequestError(std::format("images of {} bands cannot be found among images of {}", windows.size(1),
                                   reader.set().bands.size()));
  }
  std::vector<torch::Tensor> turned;
  const torch::Tensor upright = cells_of(windows, kCell);
  for (unsigned symmetry = 0; symmetry < kSymmetries; ++symmetry) turned.push_back(shards::turned(upright, symmetry));
  const torch::Tensor cells = torch::stack(turned, 1).flatten(0, 1);
  Candidates kept{torch::empty({count, 0}), torch::empty({count, 0, 5}, torch::kInt64)};
  Progress progress("looking for copies", static_cast<std::int64_t>(reader.size()));
  for (std::size_t i = 0; i < reader.size(); ++i) {
    if (interrupt_requested()) throw Interrupted("stopped; nothing was written");
    const torch::Tensor image = reader.get(i).image;
    for (std::size_t s = 0; s < kScales.size(); ++s) {
      const torch::Tensor there = scaled(image, kScales[s]);
      if (std::min(there.size(1), there.size(2)) < windows.size(2)) continue;
      keep_best(kept, best_places(cells, there, static_cast<std::int64_t>(i), static_cast<std::int64_t>(s)));
    }
    progress.advance();
  }
  if (kept.correlation.size(1) == 0) {
    throw RequestError(std::format("no training image holds a window of {} pixels", windows.size(2)),
                       "look at smaller ones: --crop");
  }
  std::vector<NearestWindow> nearest(static_cast<std::size_t>(count));
  torch::Tensor there;
  std::array<std::int64_t, 2> shown{-1, -1};  // image and scale of `there`
  for (const Candidate& candidate : in_order(kept)) {
    const std::array<std::int64_t, 2> wanted{candidate.where[0], candidate.where[1]};
    if (wanted != shown) {
      if (interrupt_requested()) throw Interrupted("stopped; nothing was written");
      there =
          scaled(reader.get(static_cast<std::size_t>(wanted[0])).image, kScales[static_cast<std::size_t>(wanted[1])]);
      shown = wanted;
    }
    NearestWindow found = look_closely(windows[candidate.window], candidate, there);
    NearestWindow& best = nearest[static_cast<std::size_t>(candidate.window)];
    if (found.correlation > best.correlation) best = std::move(found);
  }
  return nearest;
}

}  // namespace terragen::evaluation
