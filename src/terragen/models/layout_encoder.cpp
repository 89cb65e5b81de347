#include "terragen/models/layout_encoder.h"

#include <cmath>
#include <format>

#include "terragen/core/blame_file.h"
#include "terragen/core/error.h"
#include "terragen/models/layout_fusion.h"
#include "terragen/nn/embeddings.h"
#include "terragen/nn/group_norm.h"
#include "terragen/nn/resnet_block.h"

namespace terragen::models {
namespace {

namespace tn = torch::nn;

constexpr std::int64_t kTaskChannels = 64;
// 8 frequencies, sine and cosine, of 8 box numbers and 32 vertex numbers.
constexpr std::int64_t kFourier = 16;
constexpr std::int64_t kMostWidth = 16384;
constexpr std::int64_t kGeometryFeatures = kFourier * (8 + 2 * kTokenVertices);

void zero(const tn::Linear& layer) {
  const torch::NoGradGuard no_grad;
  layer->weight.zero_();
  layer->bias.zero_();
}

torch::Tensor keep_of(const torch::Tensor& dropped, std::int64_t n, const torch::Tensor& like) {
  if (!dropped.defined()) return torch::ones({n}, like.options().dtype(torch::kFloat32));
  return dropped.logical_not().to(like.device(), torch::kFloat32);
}

}  // namespace

void LayoutEncoderConfig::validate() const {
  if (taxonomy.size() == 0) throw RequestError("a layout encoder needs at least one class");
  if (tasks.empty()) throw RequestError("a layout encoder needs at least one task");
  if (channels.empty()) throw RequestError("layout encoder: channels is empty");
  for (const std::int64_t c : channels) {
    if (c <= 0 || c % 8 != 0) throw RequestError(std::format("layout encoder: channels {} is no multiple of 8", c));
  }
  for (const auto& [name, value] : {std::pair{"class_channels", class_channels},
                                    {"token_dim", token_dim},
                                    {"heads", heads},
                                    {"time_dim", time_dim}}) {
    if (value < 1 || value > kMostWidth) {
      throw RequestError(std::format("layout encoder: {} {} is not in 1..{}", name, value, kMostWidth));
    }
  }
  if (token_dim % heads != 0) {
    throw RequestError(std::format("layout encoder: token_dim {} is no multiple of heads {}", token_dim, heads));
  }
  const int steps = raster_cell > 0 ? latent_cell / raster_cell : 0;
  if (steps < 1 || latent_cell % raster_cell != 0 || (steps & (steps - 1)) != 0) {
    throw RequestError(std::format("layout encoder: latent_cell {} must be raster_cell {} times a power of two",
                                   latent_cell, raster_cell));
  }
  if (max_features < 1)
    throw RequestError(std::format("layout encoder: max_features {} is not positive", max_features));
  if (!vector_branch && !raster_branch) throw RequestError("layout encoder: both branches are switched off");
}

LayoutTensorOptions LayoutEncoderConfig::tensor_options(double weight_exponent) const {
  return {.classes = taxonomy.size(),
          .tasks = tasks,
          .raster_cell = raster_cell,
          .latent_cell = latent_cell,
          .max_features = max_features,
          .weight_exponent = weight_exponent};
}

Json to_json(const LayoutEncoderConfig& config) {
  return {{"_class_name", "LayoutEncoder"},
          {"classes", layout::taxonomy_to_json(config.taxonomy)},
          {"tasks", config.tasks},
          {"channels", config.channels},
          {"class_channels", config.class_channels},
          {"token_dim", config.token_dim},
          {"heads", config.heads},
          {"time_dim", config.time_dim},
          {"raster_cell", config.raster_cell},
          {"latent_cell", config.latent_cell},
          {"max_features", config.max_features},
          {"vector_branch", config.vector_branch},
          {"raster_branch", config.raster_branch}};
}

LayoutEncoderConfig layout_encoder_config_from_json(const Json& value, const std::string& place) {
  LayoutEncoderConfig config;
  config.taxonomy = layout::taxonomy_from_json(json_member<Json>(value, "classes", place), place);
  config.tasks = json_member<std::vector<std::string>>(value, "tasks", place);
  config.channels = json_member<std::vector<std::int64_t>>(value, "channels", place);
  config.class_channels = json_member<std::int64_t>(value, "class_channels", place);
  config.token_dim = json_member<std::int64_t>(value, "token_dim", place);
  config.heads = json_member<std::int64_t>(value, "heads", place);
  config.time_dim = json_member<std::int64_t>(value, "time_dim", place);
  config.raster_cell = json_member<int>(value, "raster_cell", place);
  config.latent_cell = json_member<int>(value, "latent_cell", place);
  config.max_features = json_member<int>(value, "max_features", place);
  config.vector_branch = json_member<bool>(value, "vector_branch", place);
  config.raster_branch = json_member<bool>(value, "raster_branch", place);
  blame_file(place, [&] { config.validate(); });
  return config;
}

UNetCondition condition_of(const LayoutEncoding& layout) {
  return {layout.text, layout.time_addition, layout.features, layout.tokens, layout.token_mask};
}

LayoutEncoderImpl::LayoutEncoderImpl(LayoutEncoderConfig config) : config_(std::move(config)) {
  config_.validate();
  const std::int64_t classes = config_.taxonomy.size();
  const auto tasks = static_cast<std::int64_t>(config_.tasks.size());
  const std::int64_t d = config_.token_dim;

  token_class_ = register_module("token_class", tn::Embedding(classes, 64));
  token_kind_ = register_module("token_kind", tn::Embedding(kTokenKinds, 16));
  null_geometry_ = register_parameter("null_geometry", torch::zeros({kGeometryFeatures}));
  null_gsd_ = register_parameter("null_gsd", torch::zeros({kFourier}));
  token_mlp_ =
      register_module("token_mlp", tn::Sequential(tn::Linear(64 + 16 + 1 + kGeometryFeatures, 2 * d), tn::SiLU(),
                                                  tn::Linear(2 * d, d), tn::LayerNorm(tn::LayerNormOptions({d}))));
  task_token_ = register_module("task_token", tn::Embedding(tasks + 1, d));
  metadata_mlp_ = register_module("metadata_mlp", tn::Sequential(tn::Linear(kFourier, d), tn::SiLU(), tn::Linear(d, d),
                                                                 tn::LayerNorm(tn::LayerNormOptions({d}))));
  const tn::Linear last(config_.time_dim, config_.time_dim);
  zero(last);
  time_mlp_ = register_module("time_mlp",
                              tn::Sequential(tn::Linear(kTaskChannels + kFourier, config_.time_dim), tn::SiLU(), last));

  const std::int64_t planes = config_.class_channels;
  class_planes_ = register_module("class_planes", tn::Conv2d(tn::Conv2dOptions(classes, planes, 1).bias(false)));
  null_layout_ = register_parameter("null_layout", torch::zeros({planes}));
  stem_ = register_module("stem", tn::Sequential());
  std::int64_t in = planes + 2;
  for (int factor = config_.latent_cell / config_.raster_cell; factor > 1; factor /= 2) {
    const std::int64_t out = factor == 2 ? config_.channels.front() : 40;
    stem_->push_back(nn::conv3x3(in, out, 2));
    stem_->push_back(nn::GroupNorm(8, out));
    stem_->push_back(tn::SiLU());
    in = out;
  }
  pyramid_ = register_module("pyramid", tn::ModuleList());
  adapters_ = register_module("adapters", tn::ModuleList());
  fusion_ = register_module("fusion", tn::ModuleList());
  for (std::size_t k = 0; k < config_.channels.size(); ++k) {
    const std::int64_t out = config_.channels[k];
    pyramid_->push_back(tn::Sequential(nn::conv3x3(in, out, k == 0 ? 1 : 2), nn::GroupNorm(8, out), tn::SiLU(),
                                       nn::conv3x3(out, out, 1)));
    const tn::Linear adapter(kTaskChannels, 2 * out);
    zero(adapter);
    adapters_->push_back(adapter);
    if (config_.vector_branch) fusion_->push_back(LayoutFusion(out, d, config_.heads));
    in = out;
  }
  const tn::Linear token_adapter(kTaskChannels, 2 * d);
  zero(token_adapter);
  adapters_->push_back(token_adapter);
  task_embedding_ = register_module("task_embedding", tn::Embedding(tasks + 1, kTaskChannels));
}

torch::Tensor LayoutEncoderImpl::tokens_of(const LayoutTensors& layout) {
  const std::int64_t n = layout.token_class.size(0);
  const std::int64_t m = layout.token_class.size(1);
  torch::Tensor geometry = terragen::nn::fourier_features(torch::cat({layout.token_box, layout.token_vertices}, -1))
                               .view({n, m, kGeometryFeatures});
  const torch::Tensor absent = layout.token_kind.eq(kNoGeometryKind).unsqueeze(-1);
  geometry = torch::where(absent, null_geometry_.view({1, 1, -1}), geometry);
  // Areas span 1 to 1e7; the logarithm is centred so that the first layer sees values of order one.
  const torch::Tensor area = (layout.token_area.unsqueeze(-1) - 2.5) / 1.5;
  return token_mlp_->forward(
      torch::cat({token_class_(layout.token_class), token_kind_(layout.token_kind), area, geometry}, -1));
}

torch::Tensor LayoutEncoderImpl::raster_input(const LayoutTensors& layout, const torch::Tensor& keep) {
  const torch::Tensor k = keep.view({-1, 1, 1, 1});
  const torch::Tensor classes = class_planes_(layout.coverage) * k + null_layout_.view({1, -1, 1, 1}) * (1 - k);
  const torch::Tensor covered = std::get<0>(layout.coverage.max(1, true)) * k;
  const torch::Tensor edges = layout.edge_distance * k + (1 - k);
  torch::Tensor planes = torch::cat({classes, edges, covered}, 1);
  if (!config_.raster_branch) planes = torch::zeros_like(planes);
  return planes.contiguous(at::MemoryFormat::ChannelsLast);
}

LayoutEncoding LayoutEncoderImpl::forward(const LayoutTensors& layout, const ConditionDrop& drop) {
  const std::int64_t n = layout.coverage.size(0);
  const torch::Tensor keep_layout = keep_of(drop.layout, n, layout.coverage);
  const torch::Tensor keep_task = keep_of(drop.task, n, layout.coverage);
  const torch::Tensor keep_metadata = keep_of(drop.metadata, n, layout.coverage);
  const auto null_task = static_cast<std::int64_t>(config_.tasks.size());
  const torch::Tensor task = layout.task.masked_fill(keep_task.eq(0), null_task);
  const torch::Tensor known = (layout.gsd.select(1, 1) * keep_metadata).unsqueeze(-1);
  const torch::Tensor gsd = terragen::nn::fourier_features(layout.gsd.slice(1, 0, 1)) * known + null_gsd_ * (1 - known);

  const torch::Tensor task_features = task_embedding_(task);
  const auto adapt = [&](std::size_t index, const torch::Tensor& x, bool channels_first) {
    const torch::Tensor both = adapters_[index]->as<tn::Linear>()->forward(task_features);
    const auto parts = both.chunk(2, 1);
    const std::vector<std::int64_t> shape =
        channels_first ? std::vector<std::int64_t>{n, -1, 1, 1} : std::vector<std::int64_t>{n, 1, -1};
    return x * (1 + parts[0].view(shape)) + parts[1].view(shape);
  };

  LayoutEncoding encoding;
  torch::Tensor features = adapt(config_.channels.size(), tokens_of(layout), false);
  const torch::Tensor metadata = metadata_mlp_->forward(gsd).unsqueeze(1);
  encoding.tokens = torch::cat({features, task_token_(task).unsqueeze(1), metadata}, 1);
  torch::Tensor present = layout.token_mask.logical_and(keep_layout.gt(0).unsqueeze(1));
  if (!config_.vector_branch) present = torch::zeros_like(present);
  encoding.token_mask = torch::cat({present, torch::ones({n, 2}, present.options())}, 1);
  encoding.time_addition = time_mlp_->forward(torch::cat({task_features, gsd}, 1));

  torch::Tensor distance = torch::cat(
      {layout.token_distance, torch::zeros({n, 2, layout.token_distance.size(2), layout.token_distance.size(3)},
                                           layout.token_distance.options())},
      1);
  torch::Tensor x =
      stem_->is_empty() ? raster_input(layout, keep_layout) : stem_->forward(raster_input(layout, keep_layout));
  for (std::size_t k = 0; k < config_.channels.size(); ++k) {
    x = pyramid_[k]->as<tn::Sequential>()->forward(x);
    torch::Tensor fused = adapt(k, x, true);
    if (config_.vector_branch) {
      if (k > 0) distance = at::avg_pool2d(distance, {2, 2}, {2, 2}, {0, 0}, true);
      fused = fusion_[k]->as<LayoutFusion>()->forward(fused, encoding.tokens, encoding.token_mask, distance);
    }
    encoding.features.push_back(fused);
  }
  return encoding;
}

}  // namespace terragen::models
