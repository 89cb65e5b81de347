#include "terragen/models/mask_regions.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "terragen/core/error.h"

namespace terragen::models {
namespace {

// 8-connected regions of the true pixels, numbered from 1 by their first pixels; 0 elsewhere.
struct LabelledRegions {
  torch::Tensor labels;             // [H, W] int64
  std::vector<std::int64_t> sizes;  // pixels, by number; of 0 too
};

LabelledRegions label_touching(const torch::Tensor& mask) {
  const torch::Tensor pixels = mask.cpu().contiguous();
  const std::int64_t height = mask.size(0), width = mask.size(1);
  LabelledRegions regions{torch::zeros({height, width}, torch::kInt64), {0}};
  const bool* inside = pixels.const_data_ptr<bool>();
  auto* labels = regions.labels.mutable_data_ptr<std::int64_t>();
  std::vector<std::int64_t> open;  // pixels whose neighbours have not been looked at
  for (std::int64_t start = 0; start < height * width; ++start) {
    if (!inside[start] || labels[start] != 0) continue;
    const auto label = std::ssize(regions.sizes);
    regions.sizes.push_back(0);
    labels[start] = label;
    open.push_back(start);
    while (!open.empty()) {
      const std::int64_t y = open.back() / width, x = open.back() % width;
      open.pop_back();
      ++regions.sizes.back();
      for (std::int64_t row = std::max<std::int64_t>(y - 1, 0); row <= std::min(y + 1, height - 1); ++row) {
        for (std::int64_t column = std::max<std::int64_t>(x - 1, 0); column <= std::min(x + 1, width - 1); ++column) {
          const std::int64_t pixel = row * width + column;
          if (!inside[pixel] || labels[pixel] != 0) continue;
          labels[pixel] = label;
          open.push_back(pixel);
        }
      }
    }
  }
  regions.sizes[0] = height * width - pixels.sum().item<std::int64_t>();
  return regions;
}

// Whether a pixel's region is chosen, by the regions' numbers.
torch::Tensor pixels_of(const LabelledRegions& regions, const std::vector<std::uint8_t>& chosen) {
  return torch::tensor(chosen, torch::kUInt8)
      .index_select(0, regions.labels.flatten())
      .view_as(regions.labels)
      .to(torch::kBool);
}

void check_mask_form(const torch::Tensor& mask) {
  if (mask.dim() != 2 || mask.scalar_type() != torch::kBool) throw InternalError("regions are found in a mask [H, W]");
}

}  // namespace

MendedMask fill_small_holes(const torch::Tensor& mask, double area) {
  check_mask_form(mask);
  const LabelledRegions holes = label_touching(mask.logical_not());
  std::vector<std::uint8_t> inside(holes.sizes.size(), 0);
  inside[0] = 1;
  bool changed = false;
  for (std::size_t i = 1; i < inside.size(); ++i) {
    inside[i] = static_cast<double>(holes.sizes[i]) < area ? 1 : 0;
    changed = changed || inside[i] == 1;
  }
  return {changed ? pixels_of(holes, inside) : mask.cpu(), changed};
}

MendedMask remove_small_islands(const torch::Tensor& mask, double area) {
  check_mask_form(mask);
  const LabelledRegions islands = label_touching(mask);
  std::vector<std::uint8_t> inside(islands.sizes.size(), 0);
  for (std::size_t i = 1; i < inside.size(); ++i) inside[i] = static_cast<double>(islands.sizes[i]) < area ? 0 : 1;
  const auto kept = std::ranges::count(inside, 1);
  if (kept + 1 == std::ssize(inside)) return {mask.cpu(), false};
  if (kept == 0) {
    inside[static_cast<std::size_t>(std::max_element(islands.sizes.begin() + 1, islands.sizes.end()) -
                                    islands.sizes.begin())] = 1;
  }
  return {pixels_of(islands, inside), true};
}

}  // namespace terragen::models
