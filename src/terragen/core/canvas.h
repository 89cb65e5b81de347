// A small RGB picture to draw on: contact sheets, sample grids, loss curves.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace terragen {

using Rgb = std::array<std::uint8_t, 3>;

// Pixels outside the picture are ignored by every drawing function.
class Canvas {
 public:
  Canvas(int width, int height, Rgb background);
  int width() const { return width_; }
  int height() const { return height_; }
  // RGBRGB..., row by row.
  const std::vector<std::uint8_t>& pixels() const { return pixels_; }

  void set(int x, int y, Rgb color);
  Rgb get(int x, int y) const;
  void fill_rect(int x, int y, int width, int height, Rgb color);
  void line(double x0, double y0, double x1, double y1, Rgb color, int thickness = 1);
  void blit(const Canvas& picture, int x, int y);
  // Printable ASCII in a 5x7 font, 6 * scale pixels a character; other bytes show as '?'.
  void text(int x, int y, std::string_view words, Rgb color, int scale = 1);

 private:
  int width_;
  int height_;
  std::vector<std::uint8_t> pixels_;
};

// Width in pixels of `words` as Canvas::text draws them.
int text_width(std::string_view words, int scale = 1);

}  // namespace terragen
