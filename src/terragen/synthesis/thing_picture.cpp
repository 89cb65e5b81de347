#include "terragen/synthesis/thing_picture.h"

#include <algorithm>
#include <cmath>
#include <format>

#include "terragen/core/png.h"
#include "terragen/shards/drawn_mask.h"
#include "terragen/synthesis/draw_outline.h"
#include "terragen/tensor/draw_image.h"

namespace terragen::synthesis {
namespace {

constexpr int kSpace = 6;
constexpr int kCaption = 12;
constexpr Rgb kPaper{255, 255, 255};
constexpr Rgb kCaptionInk{0, 0, 0};
constexpr Rgb kIntended{255, 0, 255};
constexpr Rgb kRefined{255, 255, 0};

void draw_mask_outline(Canvas& canvas, const torch::Tensor& mask, Rgb color, int left, int top) {
  draw_outline(canvas, shards::outline_of(mask), color, left, top, static_cast<int>(mask.size(1)),
               static_cast<int>(mask.size(0)));
}

// As much of the example as a window shows, with the thing in the middle where there is room.
void draw_reference(Canvas& canvas, const Reference& reference, int left, int top, int width, int height) {
  const layout::Bounds bounds = layout::bounds_of(reference.footprint.geometry);
  const auto start = [](double middle, int size, std::int64_t extent) {
    return std::clamp<std::int64_t>(std::llround(middle) - size / 2, 0, std::max<std::int64_t>(0, extent - size));
  };
  const std::int64_t x = start((bounds.x0 + bounds.x1) / 2, width, reference.image.size(2));
  const std::int64_t y = start((bounds.y0 + bounds.y1) / 2, height, reference.image.size(1));
  const auto shown = [&](const torch::Tensor& whole) {
    return whole.slice(-2, y, y + height).slice(-1, x, x + width).contiguous();
  };
  tensor::draw_image(canvas, shown(reference.image), left, top);
  draw_mask_outline(canvas, shown(reference.mask), kIntended, left, top);
}

std::string told(const InpaintedObject& object) {
  const std::string measured = std::format("overlap {:.2f}, margin {:.2f}", object.overlap, object.margin);
  return object.rejected.empty() ? "accepted: " + measured : std::format("dropped ({}): {}", object.rejected, measured);
}

}  // namespace

void write_thing_picture(const std::filesystem::path& png, const InpaintedScene& made,
                         const std::vector<Reference>& references) {
  if (made.trials.empty()) return;
  int columns = 0;
  int cell = 0;
  int height = kSpace;
  for (const InpaintTrial& trial : made.trials) {
    columns = std::max(columns, static_cast<int>(trial.painted.size()) + 4);
    cell = std::max(cell, static_cast<int>(trial.intended.size(1)));
    height += static_cast<int>(trial.intended.size(0)) + kCaption + kSpace;
  }
  Canvas canvas(columns * (cell + kSpace) + kSpace, height, kPaper);
  int top = kSpace;
  for (std::size_t i = 0; i < made.trials.size(); ++i) {
    const InpaintTrial& trial = made.trials[i];
    const InpaintedObject& object = made.objects[i];
    const auto h = static_cast<int>(trial.intended.size(0));
    const auto w = static_cast<int>(trial.intended.size(1));
    int left = kSpace;
    const auto next = [&] { left += cell + kSpace; };
    draw_reference(canvas, references[object.reference], left, top, w, h);
    next();
    tensor::draw_image(canvas, trial.before, left, top);
    draw_mask_outline(canvas, trial.intended, kIntended, left, top);
    next();
    for (const torch::Tensor& variant : trial.painted) {
      tensor::draw_image(canvas, variant, left, top);
      next();
    }
    tensor::draw_image(canvas, trial.painted[trial.chosen], left, top);
    draw_mask_outline(canvas, trial.mask, kRefined, left, top);
    next();
    tensor::draw_image(canvas, trial.after, left, top);
    canvas.text(kSpace, top + h + 2, told(object), kCaptionInk);
    top += h + kCaption + kSpace;
  }
  write_png(png, canvas);
}

}  // namespace terragen::synthesis
