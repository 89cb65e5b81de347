#include "terragen/models/sam_image_encoder.h"

#include <algorithm>
#include <cmath>
#include <format>

#include "terragen/core/error.h"
#include "terragen/nn/attention.h"
#include "terragen/nn/resample.h"

namespace terragen::models {

namespace tn = torch::nn;

namespace {

constexpr std::int64_t kPretrainedImageSize = 224;  // of EfficientSAM's position table
constexpr std::int64_t kMostScores = 1 << 24;       // at hand at once

tn::LayerNorm token_norm(const SamImageEncoderConfig& config) {
  return tn::LayerNorm(tn::LayerNormOptions({config.width}).eps(config.norm_eps));
}

// qkv, proj, and with relative positions rel_pos_h and rel_pos_w, [2 side - 1, width / heads].
class SamSelfAttentionImpl : public tn::Module {
 public:
  // side: of the square of tokens that it attends within.
  SamSelfAttentionImpl(const SamImageEncoderConfig& config, std::int64_t side) : heads_(config.heads) {
    qkv_ = register_module("qkv", tn::Linear(tn::LinearOptions(config.width, 3 * config.width).bias(config.qkv_bias)));
    proj_ = register_module("proj", tn::Linear(config.width, config.width));
    if (!config.relative_positions) return;
    const std::int64_t channels = config.width / config.heads;
    rel_pos_h_ = register_parameter("rel_pos_h", torch::zeros({2 * side - 1, channels}));
    rel_pos_w_ = register_parameter("rel_pos_w", torch::zeros({2 * side - 1, channels}));
  }

  // x: [N, side, side, width]
  torch::Tensor forward(const torch::Tensor& x) {
    const std::int64_t n = x.size(0), side = x.size(1), tokens = side * x.size(2), width = x.size(3);
    const torch::Tensor qkv = qkv_(x)
                                  .view({n, tokens, 3, heads_, width / heads_})
                                  .permute({2, 0, 3, 1, 4})
                                  .reshape({3, n * heads_, tokens, -1});
    torch::Tensor mixed;
    if (!rel_pos_h_.defined()) {
      mixed = nn::fused_attention(qkv[0].unsqueeze(0), qkv[1].unsqueeze(0), qkv[2].unsqueeze(0)).squeeze(0);
    } else {
      mixed = biased_attention(qkv[0], qkv[1], qkv[2], side);
    }
    return proj_(mixed.reshape({n, heads_, tokens, -1}).transpose(1, 2).reshape(x.sizes()));
  }

 private:
  // softmax(q k^T / sqrt(d) + bias) v for q, k, v [M, tokens, d]. The scores of all M together would take gigabytes,
  // and fresh memory for each costs a processor more than the arithmetic: a few at a time share two buffers.
  torch::Tensor biased_attention(const torch::Tensor& q, const torch::Tensor& k, const torch::Tensor& v,
                                 std::int64_t side) const {
    const torch::NoGradGuard no_grad;
    // The operands are of one precision already.
    const c10::impl::ExcludeDispatchKeyGuard plain(c10::DispatchKey::AutocastCPU);
    const std::int64_t all = q.size(0), tokens = q.size(1);
    const std::int64_t step = std::clamp<std::int64_t>(kMostScores / (tokens * tokens), 1, all);
    const torch::Tensor scaled = q * (1.0 / std::sqrt(static_cast<double>(q.size(2))));
    torch::Tensor scores = torch::empty({step, tokens, tokens}, q.options());
    torch::Tensor shares = torch::empty_like(scores);
    torch::Tensor mixed = torch::empty_like(q);
    for (std::int64_t first = 0; first < all; first += step) {
      const std::int64_t count = std::min(step, all - first);
      const auto part = [&](const torch::Tensor& x) { return x.narrow(0, first, count); };
      torch::Tensor score = scores.narrow(0, 0, count), share = shares.narrow(0, 0, count), out = part(mixed);
      at::bmm_out(score, part(scaled), part(k).transpose(1, 2));
      add_position_bias(score, part(q), side);
      at::_softmax_out(share, score, -1, false);
      at::bmm_out(out, share, part(v));
    }
    return mixed;
  }

  // What queries [M, tokens, d] make of every key's distance from them, to scores [M, tokens, tokens].
  void add_position_bias(torch::Tensor& scores, const torch::Tensor& q, std::int64_t side) const {
    const torch::Tensor at = torch::arange(side, q.options().dtype(torch::kInt64));
    const torch::Tensor distance = (at.unsqueeze(1) - at + side - 1).flatten();
    const auto table = [&](const torch::Tensor& all) {
      return all.index_select(0, distance).view({side, side, -1}).to(q.scalar_type());
    };
    const torch::Tensor map = q.reshape({q.size(0), side, side, q.size(2)});
    const torch::Tensor rows = torch::einsum("mhwc,hkc->mhwk", {map, table(rel_pos_h_)});
    const torch::Tensor columns = torch::einsum("mhwc,wkc->mhwk", {map, table(rel_pos_w_)});
    scores.view({q.size(0), side, side, side, side}).add_(rows.unsqueeze(4)).add_(columns.unsqueeze(3));
  }

  std::int64_t heads_;
  tn::Linear qkv_{nullptr}, proj_{nullptr};
  torch::Tensor rel_pos_h_, rel_pos_w_;
};
TORCH_MODULE(SamSelfAttention);

// norm1, attn, norm2, mlp.
class SamEncoderBlockImpl : public tn::Module {
 public:
  // window: 0 for all of the image.
  SamEncoderBlockImpl(const SamImageEncoderConfig& config, std::int64_t window) : window_(window) {
    norm1_ = register_module("norm1", token_norm(config));
    attn_ = register_module("attn", SamSelfAttention(config, window > 0 ? window : config.grid()));
    norm2_ = register_module("norm2", token_norm(config));
    const auto hidden = static_cast<std::int64_t>(static_cast<double>(config.width) * config.mlp_ratio);
    const bool efficient = config.family == SamFamily::efficient_sam;
    mlp_ = register_module(
        "mlp", Perceptron(std::vector<std::int64_t>{config.width, hidden, config.width},
                          efficient ? std::vector<std::string>{"fc1", "fc2"} : std::vector<std::string>{"lin1", "lin2"},
                          Activation::gelu));
  }

  // x: [N, h, w, width]
  torch::Tensor forward(const torch::Tensor& x) {
    const torch::Tensor seen = norm1_(x);
    const torch::Tensor h = x + (window_ > 0 ? within_windows(seen) : attn_(seen));
    return h + mlp_(norm2_(h));
  }

 private:
  // Windows at the right and lower edges are filled up with zeros, to which attention is paid as to tokens: so the
  // network was trained.
  torch::Tensor within_windows(const torch::Tensor& x) {
    const std::int64_t n = x.size(0), height = x.size(1), width = x.size(2), channels = x.size(3);
    const std::int64_t rows = (height + window_ - 1) / window_, columns = (width + window_ - 1) / window_;
    const torch::Tensor padded =
        torch::constant_pad_nd(x, {0, 0, 0, columns * window_ - width, 0, rows * window_ - height});
    const torch::Tensor windows = padded.reshape({n, rows, window_, columns, window_, channels})
                                      .permute({0, 1, 3, 2, 4, 5})
                                      .reshape({n * rows * columns, window_, window_, channels});
    return attn_(windows)
        .reshape({n, rows, columns, window_, window_, channels})
        .permute({0, 1, 3, 2, 4, 5})
        .reshape({n, rows * window_, columns * window_, channels})
        .slice(1, 0, height)
        .slice(2, 0, width);
  }

  std::int64_t window_;
  tn::LayerNorm norm1_{nullptr}, norm2_{nullptr};
  SamSelfAttention attn_{nullptr};
  Perceptron mlp_{nullptr};
};
TORCH_MODULE(SamEncoderBlock);

}  // namespace

void SamImageEncoderConfig::validate() const {
  const auto refuse = [](const std::string& what) { throw RequestError("image encoder: " + what); };
  if (image_size <= 0 || patch_size <= 0 || width <= 0 || depth <= 0 || heads <= 0 || out_channels <= 0) {
    refuse("sizes must be positive");
  }
  if (image_size % patch_size != 0)
    refuse(std::format("image_size {} is no multiple of patch_size {}", image_size, patch_size));
  if (width % heads != 0) refuse(std::format("width {} is no multiple of heads {}", width, heads));
  if (!(mlp_ratio * static_cast<double>(width) >= 1)) refuse(std::format("mlp_ratio {} leaves nothing", mlp_ratio));
  if (window_size < 0) refuse(std::format("window_size {} is negative", window_size));
  if (family == SamFamily::efficient_sam && patch_size > kPretrainedImageSize) refuse("patch_size is above 224");
  for (const std::int64_t block : global_blocks) {
    if (block < 0 || block >= depth) refuse(std::format("block {} of global_blocks does not exist", block));
  }
}

SamImageEncoderImpl::SamImageEncoderImpl(const SamImageEncoderConfig& config) : config_(config) {
  const bool efficient = config.family == SamFamily::efficient_sam;
  patch_embed_ = tn::Conv2d(tn::Conv2dOptions(3, config.width, config.patch_size).stride(config.patch_size));
  register_at(*this, "patch_embed.proj", patch_embed_.ptr());
  const std::int64_t table = kPretrainedImageSize / config.patch_size;
  pos_embed_ =
      register_parameter("pos_embed", efficient ? torch::zeros({1, 1 + table * table, config.width})
                                                : torch::zeros({1, config.grid(), config.grid(), config.width}));
  blocks_ = register_module("blocks", tn::ModuleList());
  for (std::int64_t i = 0; i < config.depth; ++i) {
    const bool global = std::ranges::count(config.global_blocks, i) > 0;
    blocks_->push_back(SamEncoderBlock(config, global ? 0 : config.window_size));
  }
  const std::int64_t out = config.out_channels;
  neck_in_ = tn::Conv2d(tn::Conv2dOptions(config.width, out, 1).bias(false));
  neck_in_norm_ = ChannelNorm(out);
  neck_out_ = tn::Conv2d(tn::Conv2dOptions(out, out, 3).padding(1).bias(false));
  neck_out_norm_ = ChannelNorm(out);
  register_at(*this, "neck.0", neck_in_.ptr());
  register_at(*this, "neck.1", neck_in_norm_.ptr());
  register_at(*this, "neck.2", neck_out_.ptr());
  register_at(*this, "neck.3", neck_out_norm_.ptr());
}

torch::Tensor SamImageEncoderImpl::positions() const {
  if (config_.family == SamFamily::segment_anything) return pos_embed_;
  // The first entry belongs to a class token, which the network was pretrained with and no longer has.
  const std::int64_t table = kPretrainedImageSize / config_.patch_size;
  const torch::Tensor map = pos_embed_.slice(1, 1).view({1, table, table, -1});
  if (table == config_.grid()) return map;
  return nn::resize_images(map.permute({0, 3, 1, 2}), config_.grid(), config_.grid(),
                           {.how = nn::Interpolation::bicubic})
      .permute({0, 2, 3, 1});
}

torch::Tensor SamImageEncoderImpl::forward(const torch::Tensor& x, const Trace& trace) {
  if (x.dim() != 4 || x.size(1) != 3 || x.size(2) != config_.image_size || x.size(3) != config_.image_size) {
    throw RequestError(
        std::format("the image encoder reads images of 3 bands and {0} x {0} pixels", config_.image_size));
  }
  torch::Tensor h = patch_embed_(x).permute({0, 2, 3, 1});
  if (trace) trace("patch_embed", h);
  h = h + positions();
  for (std::size_t i = 0; i < blocks_->size(); ++i) {
    h = blocks_[i]->as<SamEncoderBlock>()->forward(h);
    if (trace) trace(std::format("block.{}", i), h);
  }
  return neck_out_norm_(neck_out_(neck_in_norm_(neck_in_(h.permute({0, 3, 1, 2})))));
}

}  // namespace terragen::models
