// What Segment Anything ViT-B takes at full size. Arguments: threads.
#include <benchmark/benchmark.h>

#include "terragen/models/segment_anything.h"
#include "terragen/tensor/device.h"

namespace terragen::models {
namespace {

SegmentAnything& sam() {
  static SegmentAnything network = [] {
    torch::manual_seed(1);
    SegmentAnything made(sam_vit_b());
    made->eval();
    return made;
  }();
  return network;
}

void encode(benchmark::State& state, bool bf16) {
  const torch::NoGradGuard no_grad;
  const tensor::AutocastGuard autocast(torch::kCPU, bf16);
  tensor::set_threads(static_cast<int>(state.range(0)));
  const torch::Tensor image = torch::randint(0, 256, {1024, 1024, 3}, torch::kUInt8);
  while (state.KeepRunning()) benchmark::DoNotOptimize(sam()->encode(image));
}

// One box and one point, in an image that was encoded.
void predict(benchmark::State& state, bool bf16) {
  const torch::NoGradGuard no_grad;
  const tensor::AutocastGuard autocast(torch::kCPU, bf16);
  tensor::set_threads(static_cast<int>(state.range(0)));
  const EncodedImage image = sam()->encode(torch::randint(0, 256, {1024, 1024, 3}, torch::kUInt8));
  const MaskPrompts prompts{.points = torch::tensor({{{500.0F, 375.0F}}}),
                            .labels = torch::ones({1, 1}, torch::kInt64),
                            .boxes = torch::tensor({{100.0F, 200.0F, 700.0F, 800.0F}})};
  while (state.KeepRunning()) {
    const MaskPrediction found = sam()->predict(image, prompts, true);
    benchmark::DoNotOptimize(sam()->full_size(image, found.low_res));
  }
}

BENCHMARK_CAPTURE(encode, fp32, false)->Arg(1)->Arg(2)->Unit(benchmark::kSecond)->UseRealTime();
BENCHMARK_CAPTURE(encode, bf16, true)->Arg(1)->Arg(2)->Unit(benchmark::kSecond)->UseRealTime();
BENCHMARK_CAPTURE(predict, fp32, false)->Arg(2)->Unit(benchmark::kSecond)->UseRealTime();
BENCHMARK_CAPTURE(predict, bf16, true)->Arg(2)->Unit(benchmark::kSecond)->UseRealTime();

}  // namespace
}  // namespace terragen::models
