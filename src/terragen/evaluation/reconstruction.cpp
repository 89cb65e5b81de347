#include "terragen/evaluation/reconstruction.h"

#include <algorithm>
#include <cmath>
#include <format>
#include <map>

#include "terragen/core/error.h"
#include "terragen/core/interrupt.h"
#include "terragen/core/progress.h"
#include "terragen/core/stopwatch.h"
#include "terragen/data/packed_samples.h"
#include "terragen/evaluation/leak_check.h"
#include "terragen/metrics/psnr.h"
#include "terragen/models/model_folder.h"

namespace terragen::evaluation {
namespace {

namespace fs = std::filesystem;

double psnr_of(models::AutoencoderKL& autoencoder, const shards::Sample& sample, const torch::Device& device,
               bool reduced) {
  const std::int64_t cell = autoencoder->config().downscale();
  const std::int64_t h = sample.image.size(1) / cell * cell;
  const std::int64_t w = sample.image.size(2) / cell * cell;
  if (h == 0 || w == 0) throw DataError(sample.source, std::format("is smaller than a latent cell of {} pixels", cell));
  const torch::Tensor image = sample.image.slice(1, 0, h).slice(2, 0, w).contiguous();
  const torch::Tensor valid = sample.valid.slice(0, 0, h).slice(1, 0, w).contiguous();
  torch::Tensor decoded;
  {
    const tensor::AutocastGuard autocast(device.type(), reduced);
    decoded = autoencoder->decode(autoencoder->encode(image.unsqueeze(0).to(device)).mean);
  }
  decoded = decoded.to(torch::kFloat32).cpu()[0].clamp(-1.0, 1.0).contiguous();
  const auto values = [](const torch::Tensor& x) {
    return std::span<const float>(x.const_data_ptr<float>(), static_cast<std::size_t>(x.numel()));
  };
  return metrics::psnr(values(image), values(decoded), values(valid), 2.0);
}

}  // namespace

ReconstructionReport evaluate_reconstruction(const fs::path& model_folder, const std::vector<fs::path>& data,
                                             const std::string& split, const tensor::ComputeOptions& compute) {
  const Stopwatch watch;
  compute.validate();
  tensor::set_threads(compute.threads);
  const torch::Device device = tensor::parse_device(compute.device);
  models::ModelFolder model = models::load_model(model_folder);
  if (!model.autoencoder) throw RequestError(std::format("{} holds no autoencoder", model_folder.string()));
  const data::PackedSamples measured(data, split);
  const shards::ShardReader& reader = measured.reader();
  if (std::ssize(reader.set().bands) != model.autoencoder->config().in_channels) {
    throw RequestError(std::format("the model is for {} bands, the data have {}",
                                   model.autoencoder->config().in_channels, reader.set().bands.size()));
  }
  if (split == "test") check_model(model.card, model_folder.string(), reader);
  const torch::NoGradGuard no_grad;
  model.autoencoder->to(device);
  model.autoencoder->eval();
  std::vector<std::string> order;
  std::map<std::string, ReconstructionScore> scores;
  Progress progress("reconstructing", static_cast<std::int64_t>(reader.size()));
  for (std::size_t i = 0; i < reader.size(); ++i) {
    if (interrupt_requested()) throw Interrupted("stopped; nothing was written");
    const shards::Sample sample = reader.get(i);
    const double value = psnr_of(model.autoencoder, sample, device, compute.precision == "bf16");
    progress.advance();
    if (!std::isfinite(value)) continue;  // no valid pixel, or one flat colour met exactly
    const std::string name = data::dataset_of(sample.source);
    const auto [found, fresh] = scores.try_emplace(name, ReconstructionScore{name, 0, 0.0, value});
    if (fresh) order.push_back(name);
    ReconstructionScore& score = found->second;
    ++score.images;
    score.psnr += value;
    score.worst_psnr = std::min(score.worst_psnr, value);
  }
  ReconstructionReport report{.split = split, .model_hash = model.hash, .scores = {}};
  for (const std::string& name : order) {
    ReconstructionScore score = scores[name];
    score.psnr /= static_cast<double>(score.images);
    report.mean_psnr += score.psnr / static_cast<double>(order.size());
    report.scores.push_back(score);
  }
  report.seconds = watch.seconds();
  return report;
}

Json to_json(const ReconstructionReport& report) {
  Json scores = Json::array();
  for (const ReconstructionScore& score : report.scores) {
    scores.push_back(
        {{"dataset", score.dataset}, {"images", score.images}, {"psnr", score.psnr}, {"worst_psnr", score.worst_psnr}});
  }
  return {{"split", report.split},
          {"model_sha256", report.model_hash},
          {"datasets", scores},
          {"mean_psnr", report.mean_psnr},
          {"seconds", report.seconds}};
}

}  // namespace terragen::evaluation
