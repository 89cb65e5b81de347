// Draws a box and lays out a sampler's steps: proves that headers, libraries and their dependencies are found.
#include <cstdio>

#include "terragen/diffusion/sampler.h"
#include "terragen/layout/rasterise.h"

int main() {
  const auto pixels = terragen::layout::rasterise(terragen::layout::make_box({2, 2, 6, 6}), 8, 8);
  int count = 0;
  for (const auto pixel : pixels) count += pixel;
  const auto sampler = terragen::diffusion::make_sampler({}, 10);
  std::printf("%d pixels, %zu steps\n", count, sampler->timesteps().size());
  return count == 16 && sampler->timesteps().size() == 10 ? 0 : 1;
}
