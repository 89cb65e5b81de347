#include "terragen/training/sample_grid.h"

#include <algorithm>

#include "terragen/core/error.h"
#include "terragen/core/png.h"
#include "terragen/layout/rasterise.h"
#include "terragen/tensor/draw_image.h"

namespace terragen::training {
namespace {

constexpr int kMargin = 4;
constexpr int kLabelHeight = 12;

}  // namespace

void write_sample_grid(const std::filesystem::path& png, const std::vector<GridRow>& rows) {
  if (rows.empty() || rows.front().images.dim() != 4) throw InternalError("[write_sample_grid] nothing to show");
  const auto height = static_cast<int>(rows.front().images.size(2));
  const auto width = static_cast<int>(rows.front().images.size(3));
  std::int64_t columns = 0;
  for (const GridRow& row : rows) columns = std::max(columns, row.images.size(0));
  const int row_height = height + kLabelHeight + kMargin;
  Canvas canvas(static_cast<int>(columns) * (width + kMargin) + kMargin,
                static_cast<int>(rows.size()) * row_height + kMargin, {255, 255, 255});
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const int top = kMargin + static_cast<int>(r) * row_height;
    canvas.text(kMargin, top + 2, rows[r].label, {40, 40, 40});
    const torch::Tensor images = rows[r].images.cpu();
    for (std::int64_t i = 0; i < images.size(0); ++i) {
      tensor::draw_image(canvas, images[i], kMargin + static_cast<int>(i) * (width + kMargin), top + kLabelHeight);
    }
  }
  write_png(png, canvas);
}

torch::Tensor layout_pictures(const std::vector<layout::Layout>& layouts, const layout::Taxonomy& taxonomy) {
  std::vector<torch::Tensor> pictures;
  for (const layout::Layout& layout : layouts) {
    const layout::DenseMask mask = layout::rasterise_classes(layout);
    torch::Tensor picture = torch::full({3, layout.height, layout.width}, -0.75);
    auto access = picture.accessor<float, 3>();
    for (int y = 0; y < mask.height; ++y) {
      for (int x = 0; x < mask.width; ++x) {
        const int k = mask.at(x, y);
        if (k >= taxonomy.size()) continue;
        for (std::size_t c = 0; c < 3; ++c) {
          access[static_cast<std::int64_t>(c)][y][x] = static_cast<float>(taxonomy.at(k).color[c]) / 127.5F - 1.0F;
        }
      }
    }
    pictures.push_back(picture);
  }
  return torch::stack(pictures);
}

}  // namespace terragen::training
