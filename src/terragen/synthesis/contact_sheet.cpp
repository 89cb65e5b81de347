#include "terragen/synthesis/contact_sheet.h"

#include <algorithm>

#include "terragen/core/canvas.h"
#include "terragen/core/error.h"
#include "terragen/core/png.h"
#include "terragen/layout/rasterise.h"
#include "terragen/synthesis/draw_outline.h"
#include "terragen/tensor/draw_image.h"

namespace terragen::synthesis {
namespace {

constexpr int kMargin = 6;
constexpr int kTitle = 14;
constexpr Rgb kInk{40, 40, 40};

// `title` shortened in its middle to `width` pixels, so that it ends before the next column's.
std::string fitting(const std::string& title, int width) {
  const std::size_t most = static_cast<std::size_t>(std::max(0, width / text_width("m")));
  if (title.size() <= most || most < 8) return title.substr(0, most);
  const std::size_t tail = (most - 2) / 3;
  return title.substr(0, most - 2 - tail) + ".." + title.substr(title.size() - tail);
}

// The label as it is written, with the outlines of the features.
void draw_layout(Canvas& canvas, const layout::Layout& layout, const layout::Taxonomy& taxonomy, int left, int top) {
  const layout::DenseMask mask = layout::rasterise_classes(layout);
  for (int y = 0; y < mask.height; ++y) {
    for (int x = 0; x < mask.width; ++x) {
      const int k = mask.at(x, y);
      canvas.set(left + x, top + y, k < taxonomy.size() ? taxonomy.at(k).color : Rgb{232, 232, 232});
    }
  }
  for (const layout::Feature& feature : layout.features)
    draw_outline(canvas, feature.geometry, kInk, left, top, layout.width, layout.height);
}

}  // namespace

void write_contact_sheet(const std::filesystem::path& png, const std::vector<SheetRow>& rows,
                         const layout::Taxonomy& taxonomy) {
  if (rows.empty()) throw InternalError("[write_contact_sheet] no rows");
  int width = 0;
  int height = 0;
  std::size_t columns = 1;
  bool any_real = false;
  for (const SheetRow& row : rows) {
    width = std::max(width, row.layout.width);
    height = std::max(height, row.layout.height);
    any_real = any_real || row.real.defined();
    columns = std::max(columns, row.painted.size());
  }
  columns += any_real ? 2 : 1;
  Canvas canvas(static_cast<int>(columns) * (width + kMargin) + kMargin,
                static_cast<int>(rows.size()) * (height + kTitle + kMargin) + kMargin, {255, 255, 255});
  int top = kMargin;
  for (const SheetRow& row : rows) {
    int left = kMargin;
    canvas.text(left, top + 3, fitting(row.title, width), kInk);
    const int body = top + kTitle;
    draw_layout(canvas, row.layout, taxonomy, left, body);
    left += width + kMargin;
    if (any_real) {
      if (row.real.defined()) {
        tensor::draw_image(canvas, row.real, left, body);
        canvas.text(left, top + 3, "real", kInk);
      }
      left += width + kMargin;
    }
    for (const torch::Tensor& image : row.painted) {
      tensor::draw_image(canvas, image, left, body);
      canvas.text(left, top + 3, "painted", kInk);
      left += width + kMargin;
    }
    top += height + kTitle + kMargin;
  }
  write_png(png, canvas);
}

}  // namespace terragen::synthesis
