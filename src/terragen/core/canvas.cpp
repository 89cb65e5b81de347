#include "terragen/core/canvas.h"

#include <algorithm>
#include <cmath>

#include "terragen/core/error.h"
#include "terragen/core/font.h"

namespace terragen {
namespace {

constexpr int kAdvance = kGlyphWidth + 1;

}  // namespace

Canvas::Canvas(int width, int height, Rgb background) : width_(width), height_(height) {
  if (width <= 0 || height <= 0) throw InternalError("[Canvas] a picture needs at least one pixel");
  pixels_.resize(3 * static_cast<std::size_t>(width) * static_cast<std::size_t>(height));
  fill_rect(0, 0, width, height, background);
}

void Canvas::set(int x, int y, Rgb color) {
  if (x < 0 || y < 0 || x >= width_ || y >= height_) return;
  const std::size_t at =
      3 * (static_cast<std::size_t>(y) * static_cast<std::size_t>(width_) + static_cast<std::size_t>(x));
  std::copy(color.begin(), color.end(), pixels_.begin() + static_cast<std::ptrdiff_t>(at));
}

Rgb Canvas::get(int x, int y) const {
  if (x < 0 || y < 0 || x >= width_ || y >= height_) return {};
  const std::size_t at =
      3 * (static_cast<std::size_t>(y) * static_cast<std::size_t>(width_) + static_cast<std::size_t>(x));
  return {pixels_[at], pixels_[at + 1], pixels_[at + 2]};
}

void Canvas::fill_rect(int x, int y, int width, int height, Rgb color) {
  for (int row = std::max(0, y); row < std::min(height_, y + height); ++row) {
    for (int column = std::max(0, x); column < std::min(width_, x + width); ++column) set(column, row, color);
  }
}

void Canvas::line(double x0, double y0, double x1, double y1, Rgb color, int thickness) {
  const double length = std::max({1.0, std::abs(x1 - x0), std::abs(y1 - y0)});
  if (!std::isfinite(length)) return;
  const int steps = static_cast<int>(std::ceil(std::min(length, 1e6)));
  const int half = thickness / 2;
  for (int i = 0; i <= steps; ++i) {
    const double t = static_cast<double>(i) / steps;
    const int x = static_cast<int>(std::lround(x0 + t * (x1 - x0)));
    const int y = static_cast<int>(std::lround(y0 + t * (y1 - y0)));
    fill_rect(x - half, y - half, thickness, thickness, color);
  }
}

void Canvas::blit(const Canvas& picture, int x, int y) {
  for (int row = 0; row < picture.height(); ++row) {
    for (int column = 0; column < picture.width(); ++column) set(x + column, y + row, picture.get(column, row));
  }
}

void Canvas::text(int x, int y, std::string_view words, Rgb color, int scale) {
  for (const char letter : words) {
    const auto code = static_cast<unsigned char>(letter);
    const std::size_t glyph = code >= 32 && code < 127 ? code - 32U : std::size_t{'?' - 32};
    for (int row = 0; row < kGlyphHeight; ++row) {
      for (int column = 0; column < kGlyphWidth; ++column) {
        const unsigned bits = kGlyphs[glyph][static_cast<std::size_t>(row)];
        if ((bits >> static_cast<unsigned>(kGlyphWidth - 1 - column)) & 1U) {
          fill_rect(x + column * scale, y + row * scale, scale, scale, color);
        }
      }
    }
    x += kAdvance * scale;
  }
}

int text_width(std::string_view words, int scale) { return static_cast<int>(words.size()) * kAdvance * scale; }

}  // namespace terragen
