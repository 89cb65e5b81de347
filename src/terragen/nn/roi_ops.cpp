#include "terragen/nn/roi_ops.h"

#include <vector>

namespace terragen::nn {
namespace {

torch::Tensor counted(std::int64_t count, const torch::Tensor& like) { return torch::arange(count, like.options()); }

// Divided element by element: some devices divide by a number by way of its reciprocal, and whole quotients, which
// decide the number of samples and the edges of bins, come out beside themselves.
torch::Tensor bin_length(const torch::Tensor& length, std::int64_t bins) {
  return length / torch::full_like(length, bins);
}

// A sample's bilinear weight is a product of one factor a direction, and so is whether it lies on the map; the mean
// over a bin is therefore a matrix for the rows times the map times a matrix for the columns. This is such a matrix:
// what every pixel along one axis counts in every bin, [R, bins, size]. from, to: [R], float32.
torch::Tensor bin_weights(const torch::Tensor& from, const torch::Tensor& to, std::int64_t bins, std::int64_t size,
                          const RoiAlignOptions& options) {
  const double offset = options.aligned ? 0.5 : 0.0;
  const torch::Tensor start = from * options.scale - offset;
  torch::Tensor length = to * options.scale - offset - start;
  if (!options.aligned) length = length.clamp_min(1);
  const torch::Tensor bin = bin_length(length, bins).view({-1, 1, 1});
  const torch::Tensor wanted = options.samples > 0 ? torch::full_like(bin, options.samples) : bin.ceil();
  const torch::Tensor samples = wanted.clamp_min(1);
  const torch::Tensor sample = counted(samples.max().item<std::int64_t>(), from);  // of the longest bin
  // In torchvision's order of rounding: a place's last bit, multiplied by the map's slope, is seen in the result.
  const torch::Tensor place =
      start.view({-1, 1, 1}) + counted(bins, from).view({-1, 1}) * bin + (sample + 0.5) * bin / samples;
  const torch::Tensor counts = sample.lt(wanted).logical_and(place.ge(-1)).logical_and(place.le(size));
  const torch::Tensor inside = place.clamp(0, size - 1);
  const torch::Tensor low = inside.floor();
  const torch::Tensor beyond = inside - low;
  const torch::Tensor share = counts.to(from.scalar_type()) / samples;
  const torch::Tensor pixel = low.to(torch::kInt64);
  torch::Tensor weights = torch::zeros({from.size(0), bins, size}, from.options());
  weights.scatter_add_(2, pixel, (1 - beyond) * share);
  weights.scatter_add_(2, (pixel + 1).clamp_max(size - 1), beyond * share);
  return weights;
}

// To the nearest whole number, halves away from zero.
torch::Tensor rounded_away(const torch::Tensor& x) {
  const torch::Tensor whole = x.trunc();
  return whole + x.sign() * (x - whole).abs().ge(0.5).to(x.scalar_type());
}

// First pixel of every bin and the one after its last, [R, bins, 2], int64 on the CPU.
torch::Tensor bin_edges(const torch::Tensor& from, const torch::Tensor& to, std::int64_t bins, std::int64_t size,
                        double scale) {
  const torch::Tensor start = rounded_away(from * scale);
  const torch::Tensor length = (rounded_away(to * scale) - start + 1).clamp_min(1);
  const torch::Tensor bin = bin_length(length, bins).unsqueeze(1);
  const torch::Tensor first = (counted(bins, from) * bin).floor();
  const torch::Tensor end = ((counted(bins, from) + 1) * bin).ceil();
  return (torch::stack({first, end}, 2) + start.view({-1, 1, 1})).clamp(0, size).to(torch::kCPU, torch::kInt64);
}

// edges: [bins, 2]. The maximum of every bin along dimension `dim`, zero where there is nothing.
torch::Tensor bin_maxima(const torch::Tensor& map, std::int64_t dim, const torch::Tensor& edges) {
  const auto edge = edges.accessor<std::int64_t, 2>();
  std::vector<torch::Tensor> maxima;
  for (std::int64_t i = 0; i < edges.size(0); ++i) {
    const std::int64_t first = edge[i][0], end = edge[i][1];
    maxima.push_back(first < end ? map.slice(dim, first, end).amax(dim) : torch::zeros_like(map.select(dim, 0)));
  }
  return torch::stack(maxima, dim);
}

struct Regions {
  torch::Tensor image;           // [R], int64
  torch::Tensor x0, y0, x1, y1;  // [R], float32
};

Regions regions_of(const torch::Tensor& rows, std::int64_t images) {
  const torch::Tensor numbers = rows.detach().to(torch::kFloat32);
  const torch::Tensor image = numbers.select(1, 0).to(torch::kInt64);
  TORCH_CHECK_INDEX(image.ge(0).logical_and(image.lt(images)).all().item<bool>(),
                    "a region names an image that is not in the batch");
  return {image, numbers.select(1, 1), numbers.select(1, 2), numbers.select(1, 3), numbers.select(1, 4)};
}

}  // namespace

torch::Tensor roi_align(const torch::Tensor& features, const torch::Tensor& regions, const RoiAlignOptions& options) {
  if (regions.size(0) == 0) return features.new_zeros({0, features.size(1), options.height, options.width});
  const Regions all = regions_of(regions, features.size(0));
  const torch::Tensor rows = bin_weights(all.y0, all.y1, options.height, features.size(2), options).to(features);
  const torch::Tensor columns = bin_weights(all.x0, all.x1, options.width, features.size(3), options).to(features);
  std::vector<torch::Tensor> parts, order;  // image by image, so that no map is copied for its regions
  for (std::int64_t i = 0; i < features.size(0); ++i) {
    const torch::Tensor here = all.image.eq(i).nonzero().squeeze(1);
    if (here.size(0) == 0) continue;
    parts.push_back(
        torch::einsum("rih,chw,rjw->rcij", {rows.index_select(0, here), features[i], columns.index_select(0, here)}));
    order.push_back(here);
  }
  return torch::cat(parts).index_select(0, torch::cat(order).argsort());
}

torch::Tensor roi_pool(const torch::Tensor& features, const torch::Tensor& regions, std::int64_t height,
                       std::int64_t width, double scale) {
  if (regions.size(0) == 0) return features.new_zeros({0, features.size(1), height, width});
  const Regions all = regions_of(regions, features.size(0));
  const torch::Tensor rows = bin_edges(all.y0, all.y1, height, features.size(2), scale);
  const torch::Tensor columns = bin_edges(all.x0, all.x1, width, features.size(3), scale);
  const torch::Tensor image = all.image.to(torch::kCPU);
  std::vector<torch::Tensor> pooled;
  for (std::int64_t i = 0; i < image.size(0); ++i) {
    const torch::Tensor map = features[image[i].item<std::int64_t>()];
    pooled.push_back(bin_maxima(bin_maxima(map, 1, rows[i]), 2, columns[i]));
  }
  return torch::stack(pooled);
}

}  // namespace terragen::nn
