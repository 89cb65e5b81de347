// What Stable Diffusion 1.5 takes at its full size, beside what this machine's convolutions reach in the same run.
// Weights are those of the reference tensors 14_recipe_*; arguments: pixels a side, threads.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "terragen/core/memory.h"
#include "terragen/core/stopwatch.h"
#include "terragen/nn/bfloat16_weights.h"
#include "terragen/pretrained/stable_diffusion.h"
#include "terragen/tensor/device.h"
#include "terragen/tensor/flop_counter.h"
#include "terragen/tensor/new_tensors_are.h"
#include "terragen/tensor/recipe_weights.h"

namespace terragen::pretrained {
namespace {

constexpr std::int64_t kCell = 8;
constexpr std::int64_t kTokens = 77;
constexpr int kSteps = 20;

torch::ScalarType type_of(bool bf16) { return bf16 ? torch::kBFloat16 : torch::kFloat32; }

// One tensor after another, in the type it is kept in: a second copy of all would not fit a small machine.
template <class Model, class Config>
Model with_recipe_weights(const Config& config, bool bf16) {
  const torch::NoGradGuard no_grad;
  const tensor::NewTensorsAre of_type(type_of(bf16));
  Model model(config);
  for (const auto& part : model->named_modules()) {
    for (auto& item : part.value()->named_parameters(false)) {
      const std::string name = part.key().empty() ? item.key() : part.key() + "." + item.key();
      const torch::Tensor weight = test::recipe_weights({{name, item.value()}}, 1.0).at(name);
      item.value().set_data(bf16 && nn::is_product(*part.value()) ? nn::product_weight(weight) : weight);
    }
  }
  model->eval();
  return model;
}

// Without text encoder: texts are given as their states. One precision's model at a time.
StableDiffusion& model(bool bf16) {
  static std::unique_ptr<StableDiffusion> made;
  static bool in_bf16 = false;
  if (made && in_bf16 == bf16) return *made;
  keep_freed_memory();
  made.reset();
  in_bf16 = bf16;
  models::UNetConfig unet;
  unet.cross_attention_dim = 768;
  Checkpoint checkpoint;
  checkpoint.unet = with_recipe_weights<models::UNet2DConditionModel>(unet, bf16);
  checkpoint.autoencoder = with_recipe_weights<models::AutoencoderKL>(models::AutoencoderConfig{}, bf16);
  checkpoint.scheduler = {.class_name = "DDIMScheduler", .steps_offset = 1, .set_alpha_to_one = false};
  made = std::make_unique<StableDiffusion>(std::move(checkpoint));
  return *made;
}

torch::Tensor input(const std::string& name, const std::vector<std::int64_t>& shape, double scale) {
  return (test::recipe_numbers("input:" + name, shape) * scale).to(torch::kFloat32);
}
torch::Tensor latents_of_side(std::int64_t count, std::int64_t pixels) {
  return input("latent", {count, 4, pixels / kCell, pixels / kCell}, std::sqrt(3.0));
}

// A convolution of 3x3 of one of the U-Net's levels for a batch of two.
struct Convolution {
  Convolution(std::int64_t channels, std::int64_t side, torch::ScalarType type)
      : x(torch::randn({2, channels, side, side}).to(type).contiguous(at::MemoryFormat::ChannelsLast)),
        weight(torch::randn({channels, channels, 3, 3}).to(type).contiguous(at::MemoryFormat::ChannelsLast)),
        flops(2.0 * 9.0 * static_cast<double>(x.numel() * channels)) {}
  torch::Tensor run() const { return at::conv2d(x, weight, {}, 1, 1); }
  torch::Tensor x, weight;
  double flops;
};

// The best rate, in operations a second, of the two convolutions that benchmarks below show.
double machine_rate(bool bf16) {
  double best = 0;
  for (const auto& [channels, side] : {std::pair{320, 64}, std::pair{1280, 16}}) {
    const Convolution convolution(channels, side, type_of(bf16));
    for (int i = 0; i < 6; ++i) {
      const Stopwatch watch;
      benchmark::DoNotOptimize(convolution.run());
      best = std::max(best, convolution.flops / watch.seconds());
    }
  }
  return best;
}

// Runs `work` once for every repetition, and once before the first: libraries make their plans then. Reports the peak
// of the process so far, and the rate where the operations are counted.
template <class Work>
void measure(benchmark::State& state, bool bf16, bool warms, const Work& work) {
  const torch::NoGradGuard no_grad;
  tensor::set_threads(static_cast<int>(state.range(1)));
  static std::set<std::string> warm;
  static std::map<std::string, double> flops;
  const std::string name = state.name() + std::to_string(state.range(0));
  const double machine = warms ? machine_rate(bf16) : 0;
  const tensor::AutocastGuard autocast(torch::kCPU, bf16);
  if (warms && warm.insert(name).second) {
    const tensor::FlopCounter counter;
    work();
    flops[name] = counter.count();
  }
  double fastest = std::numeric_limits<double>::infinity();
  while (state.KeepRunning()) {
    const Stopwatch watch;
    work();
    fastest = std::min(fastest, watch.seconds());
  }
  state.counters["peak_MiB"] = static_cast<double>(peak_memory_bytes()) / (1 << 20);
  if (!warms) return;
  state.counters["TFLOP"] = flops[name] / 1e12;
  state.counters["GFLOP_per_s"] = flops[name] / fastest / 1e9;
  state.counters["share_of_convolution"] = flops[name] / fastest / machine;
}

// arguments: channels, threads, side
void convolution(benchmark::State& state, bool bf16) {
  const torch::NoGradGuard no_grad;
  tensor::set_threads(static_cast<int>(state.range(1)));
  const Convolution made(state.range(0), state.range(2), type_of(bf16));
  benchmark::DoNotOptimize(made.run());
  while (state.KeepRunning()) benchmark::DoNotOptimize(made.run());
  state.counters["GFLOP_per_s"] = benchmark::Counter(made.flops / 1e9, benchmark::Counter::kIsIterationInvariantRate);
}

// With guidance: a batch of two.
void unet_step(benchmark::State& state, bool bf16) {
  models::UNet2DConditionModel unet = model(bf16).model().unet;
  const torch::Tensor latents = latents_of_side(2, state.range(0));
  const torch::Tensor text = input("context", {2, kTokens, 768}, 1.0);
  measure(state, bf16, true,
          [&] { benchmark::DoNotOptimize(unet->forward(latents, torch::tensor(500.0), {.text = text})); });
}

void decode(benchmark::State& state, bool bf16) {
  const torch::Tensor latents = latents_of_side(1, state.range(0));
  measure(state, bf16, true, [&] { benchmark::DoNotOptimize(model(bf16).decode(latents)); });
}

// DDIM with guidance, and the decoder.
void whole_image(benchmark::State& state, bool bf16) {
  const PaintingRequest request{.text = input("context", {1, kTokens, 768}, 1.0),
                                .negative = input("negative", {1, kTokens, 768}, 1.0),
                                .noise = latents_of_side(1, state.range(0)),
                                .steps = kSteps};
  measure(state, bf16, false, [&] { benchmark::DoNotOptimize(model(bf16).decode(model(bf16).paint(request))); });
}

void sides(benchmark::internal::Benchmark* made) {
  made->ArgNames({"pixels", "threads"})->Args({256, 2})->Args({512, 2});
}
void once(benchmark::internal::Benchmark* made) { made->Iterations(1)->Unit(benchmark::kSecond)->UseRealTime(); }
void levels(benchmark::internal::Benchmark* made) {
  made->ArgNames({"channels", "threads", "side"})->Args({320, 2, 64})->Args({1280, 2, 16});
}

BENCHMARK_CAPTURE(convolution, fp32, false)->Apply(levels)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(convolution, bf16, true)->Apply(levels)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(unet_step, bf16, true)->Apply(sides)->Apply(once);
BENCHMARK_CAPTURE(decode, bf16, true)->ArgNames({"pixels", "threads"})->Args({512, 2})->Apply(once);
BENCHMARK_CAPTURE(whole_image, bf16, true)->Apply(sides)->Apply(once);
BENCHMARK_CAPTURE(unet_step, fp32, false)->Apply(sides)->Apply(once);
BENCHMARK_CAPTURE(decode, fp32, false)->ArgNames({"pixels", "threads"})->Args({512, 2})->Apply(once);
BENCHMARK_CAPTURE(whole_image, fp32, false)->Apply(sides)->Apply(once);

}  // namespace
}  // namespace terragen::pretrained
