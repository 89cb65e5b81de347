// What a training step of SegFormer-B0 takes: 8 crops of 192 pixels, forward and backward. Arguments: threads.
#include <benchmark/benchmark.h>

#include "terragen/core/memory.h"
#include "terragen/models/segformer.h"
#include "terragen/tensor/device.h"

namespace terragen::models {
namespace {

void segformer_step(benchmark::State& state, bool bf16) {
  keep_freed_memory();
  torch::manual_seed(1);
  Segformer network(SegformerConfig{.classes = 5});
  tensor::set_threads(static_cast<int>(state.range(0)));
  const torch::Tensor images = torch::randn({8, 3, 192, 192});
  const torch::Tensor truth = torch::randint(0, 5, {8, 192, 192}, torch::kInt64);
  while (state.KeepRunning()) {
    torch::Tensor logits;
    {
      const tensor::AutocastGuard autocast(torch::kCPU, bf16);
      logits = network->forward(images);
    }
    torch::cross_entropy_loss(logits.to(torch::kFloat32), truth).backward();
  }
  state.SetItemsProcessed(8 * state.iterations());
}

BENCHMARK_CAPTURE(segformer_step, fp32, false)->Arg(1)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(segformer_step, bf16, true)->Arg(1)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace terragen::models
