#include "terragen/models/mask_run_lengths.h"

#include <algorithm>
#include <limits>

#include "terragen/core/error.h"

namespace terragen::models {

std::vector<metrics::RunLengths> run_lengths(const torch::Tensor& masks) {
  if (masks.dim() != 3 || masks.scalar_type() != torch::kBool)
    throw InternalError("run lengths are of masks [N, H, W]");
  const std::int64_t pixels = masks.size(1) * masks.size(2);
  if (pixels > std::numeric_limits<std::uint32_t>::max())
    throw RequestError("a mask has too many pixels for run lengths");
  const torch::Tensor columns = masks.permute({0, 2, 1}).cpu().contiguous();
  std::vector<metrics::RunLengths> all(static_cast<std::size_t>(masks.size(0)));
  const bool* at = columns.const_data_ptr<bool>();
  for (metrics::RunLengths& runs : all) {
    const bool* const end = at + pixels;
    for (bool value = false; at != end; value = !value) {
      const bool* const next = std::find(at, end, !value);
      runs.push_back(static_cast<std::uint32_t>(next - at));
      at = next;
    }
  }
  return all;
}

torch::Tensor mask_of_run_lengths(const metrics::RunLengths& runs, std::int64_t height, std::int64_t width) {
  torch::Tensor columns = torch::zeros({width, height}, torch::kBool);
  bool* const pixels = columns.mutable_data_ptr<bool>();
  std::int64_t at = 0;
  bool value = false;
  for (const std::uint32_t run : runs) {
    if (run > height * width - at) throw InternalError("run lengths exceed their mask");
    std::fill_n(pixels + at, run, value);
    at += run;
    value = !value;
  }
  if (at != height * width) throw InternalError("run lengths do not fill their mask");
  return columns.t().contiguous();
}

std::string run_lengths_text(const metrics::RunLengths& runs) {
  std::string text;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    std::int64_t value = runs[i];
    if (i > 2) value -= runs[i - 2];
    bool more = true;
    while (more) {
      const std::int64_t digit = value & 0x1F;
      value >>= 5;
      more = value != ((digit & 0x10) != 0 ? -1 : 0);  // what is left says nothing but the sign
      text.push_back(static_cast<char>(48 + digit + (more ? 0x20 : 0)));
    }
  }
  return text;
}

}  // namespace terragen::models
