#include "terragen/synthesis/painter.h"

#include <algorithm>
#include <chrono>
#include <format>

#include "terragen/core/error.h"
#include "terragen/core/interrupt.h"
#include "terragen/core/seed.h"
#include "terragen/diffusion/sampling_loop.h"
#include "terragen/diffusion/scheduler_config.h"
#include "terragen/models/layout_tensors.h"
#include "terragen/tensor/seeded_noise.h"
#include "terragen/tensor/side_by_side.h"

namespace terragen::synthesis {
namespace {

class Stopwatch {
 public:
  explicit Stopwatch(double& sum) : sum_(sum), began_(std::chrono::steady_clock::now()) {}
  ~Stopwatch() { sum_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - began_).count(); }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;

 private:
  double& sum_;
  std::chrono::steady_clock::time_point began_;
};

// The model's own schedule with the sampler the user chose.
diffusion::SchedulerConfig scheduler_of(const models::ModelFolder& model, const std::string& sampler) {
  diffusion::SchedulerConfig config = diffusion::scheduler_config_from_json(model.scheduler, "scheduler");
  config.class_name = sampler == "ddim"   ? "DDIMScheduler"
                      : sampler == "ddpm" ? "DDPMScheduler"
                                          : "DPMSolverMultistepScheduler";
  return config;
}

// What the user left open is the model's to say: one that was trained for it takes few ancestral steps.
PaintOptions decided(PaintOptions options, const models::ModelFolder& model) {
  const bool few = diffusion::scheduler_config_from_json(model.scheduler, "scheduler").class_name == "DDPMScheduler";
  // Ancestral steps follow a layout more closely than a solver's: fresh noise corrects what early steps got wrong.
  if (options.sampler.empty()) options.sampler = "ddpm";
  if (options.steps == 0) options.steps = few && options.sampler == "ddpm" ? 5 : 20;
  if (!options.guidance) options.guidance = few ? 2.0 : 3.0;
  return options;
}

// The conditions of a batch followed by the same batch without any: one pass of the network serves guidance.
models::LayoutTensors doubled(const models::LayoutTensors& layout) {
  models::LayoutTensors both = layout;
  for (torch::Tensor* tensor :
       {&both.coverage, &both.edge_distance, &both.token_class, &both.token_kind, &both.token_box, &both.token_vertices,
        &both.token_area, &both.token_mask, &both.token_distance, &both.task, &both.gsd, &both.object_weight}) {
    *tensor = torch::cat({*tensor, *tensor});
  }
  return both;
}

}  // namespace

void PaintOptions::validate() const {
  compute.validate();
  if (steps < 0 || steps > 1000) throw RequestError(std::format("{} sampling steps are not in 0..1000", steps));
  if (guidance && !(*guidance >= 0)) {
    throw RequestError(std::format("guidance is {}, it must not be negative", *guidance));
  }
  if (!(guidance_rescale >= 0 && guidance_rescale <= 1)) {
    throw RequestError(std::format("guidance_rescale is {}, not in [0, 1]", guidance_rescale));
  }
  if (batch < 1) throw RequestError(std::format("the batch is {}, it must be positive", batch));
  if (!sampler.empty() && sampler != "dpm++" && sampler != "ddim" && sampler != "ddpm") {
    throw RequestError(std::format("sampler \"{}\" is not known", sampler), "choose dpm++, ddim or ddpm");
  }
}

Painter::Painter(models::ModelFolder model, PaintOptions options)
    : model_(std::move(model)), options_(std::move(options)) {
  options_.validate();
  if (!model_.autoencoder || !model_.unet || !model_.layout_encoder || model_.scheduler.is_null()) {
    throw RequestError(
        "the model cannot paint from layouts: it needs autoencoder, U-Net, layout encoder and scheduler");
  }
  options_ = decided(std::move(options_), model_);
  const torch::Device device = tensor::parse_device(options_.compute.device);
  model_.autoencoder->to(device);
  model_.unet->to(device);
  model_.layout_encoder->to(device);
}

int Painter::size_step() const {
  return static_cast<int>(model_.autoencoder->config().downscale()
                          << (model_.unet->config().block_out_channels.size() - 1));
}

torch::Tensor Painter::paint_batch(const std::vector<layout::Layout>& layouts, const std::vector<std::uint64_t>& seeds,
                                   PaintTimes& times) {
  const torch::NoGradGuard no_grad;
  const torch::Device device = tensor::parse_device(options_.compute.device);
  const tensor::AutocastGuard autocast(device.type(), options_.compute.precision == "bf16");
  const auto n = static_cast<std::int64_t>(layouts.size());
  const bool guided = *options_.guidance != 1.0;
  models::LayoutEncoding encoding;
  {
    const Stopwatch watch(times.layout_encoder);
    models::LayoutTensors layout =
        models::layout_tensors(layouts, model_.layout_encoder->config().tensor_options(0.0)).to(device);
    models::ConditionDrop drop;
    if (guided) {
      layout = doubled(layout);
      drop.layout = torch::arange(2 * n).ge(n).to(device);
      drop.task = drop.metadata = drop.layout;
    }
    encoding = model_.layout_encoder->forward(layout, drop);
  }
  const std::int64_t cell = model_.autoencoder->config().downscale();
  const std::int64_t channels = model_.autoencoder->config().latent_channels;
  const std::vector<std::int64_t> shape{channels, layouts.front().height / cell, layouts.front().width / cell};
  const auto noise_of = [&](std::uint64_t stream) {
    std::vector<torch::Tensor> noise;
    for (const std::uint64_t seed : seeds) noise.push_back(tensor::seeded_normal(shape, derive_seed(seed, stream)));
    return torch::stack(noise).to(device);
  };
  const std::int64_t rows = guided ? 2 * n : n;
  const torch::Tensor nothing = torch::zeros({rows, channels, shape[1], shape[2]}, device);
  const torch::Tensor paint = torch::ones({rows, 1, shape[1], shape[2]}, device);
  const models::UNetCondition condition = models::condition_of(encoding);
  const auto sampler = diffusion::make_sampler(scheduler_of(model_, options_.sampler), options_.steps);
  const auto denoise = [&](const torch::Tensor& x, std::int64_t t) {
    const Stopwatch watch(times.unet);
    const torch::Tensor input = torch::cat({guided ? torch::cat({x, x}) : x, nothing, paint}, 1);
    const torch::Tensor output =
        model_.unet->forward(input, torch::full({rows}, t, torch::kInt64).to(device), condition).to(torch::kFloat32);
    if (!guided) return output;
    const auto parts = output.chunk(2);
    return diffusion::rescale_guidance(diffusion::guide(parts[1], parts[0], {}, *options_.guidance, 0.0), parts[0],
                                       options_.guidance_rescale);
  };
  const torch::Tensor latent =
      diffusion::sample(*sampler, denoise, noise_of(0), [&](std::size_t step) { return noise_of(step + 1); });
  const Stopwatch watch(times.decoder);
  return model_.autoencoder->decode(model_.autoencoder->denormalise(latent)).to(torch::kFloat32).clamp(-1.0, 1.0).cpu();
}

void Painter::paint(const std::vector<layout::Layout>& layouts, const std::vector<std::uint64_t>& seeds,
                    const std::function<void(std::size_t, const torch::Tensor&)>& done) {
  if (layouts.size() != seeds.size()) throw InternalError("[Painter] as many seeds as layouts are needed");
  const auto& encoder = model_.layout_encoder->config();
  for (const layout::Layout& layout : layouts) {
    if (layout.width < size_step() || layout.height < size_step() || layout.width % size_step() != 0 ||
        layout.height % size_step() != 0) {
      throw RequestError(std::format("a layout of {}x{} pixels cannot be painted", layout.width, layout.height),
                         std::format("width and height must be multiples of {}", size_step()));
    }
    if (std::ranges::find(encoder.tasks, layout.task) == encoder.tasks.end()) {
      throw RequestError(std::format("the model does not know the task \"{}\"", layout.task),
                         "`terragen info MODEL` lists its tasks");
    }
  }
  // Threads paint batches of their own; a batch is of one size, and no larger than leaves work for every thread.
  const bool on_processor = tensor::parse_device(options_.compute.device).is_cpu();
  const std::size_t threads = on_processor ? static_cast<std::size_t>(torch::get_num_threads()) : 1;
  const std::size_t share = (layouts.size() + threads - 1) / threads;
  const std::size_t most = std::clamp<std::size_t>(share, 1, static_cast<std::size_t>(options_.batch));
  std::size_t first = 0;
  while (first < layouts.size()) {
    if (interrupt_requested()) throw Interrupted("stopped while painting");
    std::vector<std::size_t> starts;  // of the batches painted side by side
    std::size_t end = first;
    while (end < layouts.size() && starts.size() < threads) {
      starts.push_back(end);
      const std::size_t start = end++;
      while (end < layouts.size() && end - start < most && layouts[end].width == layouts[start].width &&
             layouts[end].height == layouts[start].height) {
        ++end;
      }
    }
    starts.push_back(end);
    const std::size_t pieces = starts.size() - 1;
    std::vector<torch::Tensor> images(pieces);
    std::vector<PaintTimes> times(pieces);
    tensor::side_by_side(pieces, static_cast<int>(threads / pieces), [&](std::size_t i) {
      const auto from = static_cast<std::ptrdiff_t>(starts[i]);
      const auto to = static_cast<std::ptrdiff_t>(starts[i + 1]);
      images[i] = paint_batch({layouts.begin() + from, layouts.begin() + to},
                              {seeds.begin() + from, seeds.begin() + to}, times[i]);
    });
    for (std::size_t i = 0; i < pieces; ++i) {
      if (!images[i].isfinite().all().item<bool>()) {
        throw DataError("model", std::format("what it paints from layout {} is not a number", starts[i]),
                        "its weights are broken, or it was not made for this sampler");
      }
      times_.layout_encoder += times[i].layout_encoder;
      times_.unet += times[i].unet;
      times_.decoder += times[i].decoder;
      for (std::size_t k = starts[i]; k < starts[i + 1]; ++k)
        done(k, images[i][static_cast<std::int64_t>(k - starts[i])]);
    }
    first = end;
  }
}

}  // namespace terragen::synthesis
