#include "terragen/nn/attention.h"

#include <algorithm>
#include <cmath>

namespace terragen::nn {

namespace tn = torch::nn;

namespace {

// Up to so many keys, two bfloat16 products around a softmax are faster on a processor than the fused kernel.
constexpr std::int64_t kFewKeys = 256;

tn::Linear linear(std::int64_t in, std::int64_t out, bool bias = true) {
  return tn::Linear(tn::LinearOptions(in, out).bias(bias));
}

bool needs_gradient(const torch::Tensor& q, const torch::Tensor& k, const torch::Tensor& v) {
  return torch::GradMode::is_enabled() && (q.requires_grad() || k.requires_grad() || v.requires_grad());
}

// A head at a time, and of it as many rows of scores as stay in the cache between the two products.
torch::Tensor attention_by_rows(const torch::Tensor& q, const torch::Tensor& k, const torch::Tensor& v) {
  constexpr std::int64_t kScores = std::int64_t{1} << 20;
  const std::int64_t all = q.size(0) * q.size(1);
  const std::int64_t length = q.size(2);
  const std::int64_t dim = q.size(3);
  const std::int64_t rows = std::max<std::int64_t>(1, kScores / k.size(2));
  const torch::Tensor queries = (q * (1.0 / std::sqrt(static_cast<double>(dim)))).reshape({all, length, dim});
  const torch::Tensor keys = k.reshape({all, -1, dim}).transpose(1, 2);
  const torch::Tensor values = v.reshape({all, -1, dim});
  torch::Tensor result = torch::empty({all, length, dim}, q.options());
  for (std::int64_t head = 0; head < all; ++head) {
    for (std::int64_t first = 0; first < length; first += rows) {
      const std::int64_t count = std::min(rows, length - first);
      const torch::Tensor scores = torch::mm(queries[head].narrow(0, first, count), keys[head]);
      result[head].narrow(0, first, count).copy_(torch::mm(scores.softmax(-1), values[head]));
    }
  }
  return result.view(q.sizes());
}

LowRankLinear adaptable(std::int64_t in, std::int64_t out, bool bias) {
  return LowRankLinear(tn::LinearOptions(in, out).bias(bias));
}

}  // namespace

torch::Tensor fused_attention(const torch::Tensor& q, const torch::Tensor& k, const torch::Tensor& v,
                              const std::optional<torch::Tensor>& mask) {
  if (!q.device().is_cpu() || q.scalar_type() != torch::kBFloat16) {
    return at::scaled_dot_product_attention(q, k, v, mask ? std::optional(mask->to(q.scalar_type())) : std::nullopt);
  }
  // Autocast would turn the operands back.
  const c10::impl::ExcludeDispatchKeyGuard plain(c10::DispatchKey::AutocastCPU);
  if (k.size(2) <= kFewKeys) {
    torch::Tensor scores = torch::matmul(q * (1.0 / std::sqrt(static_cast<double>(q.size(3)))), k.transpose(2, 3));
    if (mask) scores = scores + mask->to(torch::kBFloat16);
    return torch::matmul(scores.softmax(-1), v);
  }
  if (!mask && !needs_gradient(q, k, v)) return attention_by_rows(q, k, v);
  const auto full = [](const torch::Tensor& x) { return x.to(torch::kFloat32); };
  return at::scaled_dot_product_attention(full(q), full(k), full(v), mask ? std::optional(full(*mask)) : std::nullopt)
      .to(torch::kBFloat16);
}

AttentionImpl::AttentionImpl(const AttentionOptions& options) : options_(options) {
  const std::int64_t dim = options.query_dim;
  to_q_ = register_module("to_q", adaptable(dim, dim, options.bias));
  if (options.has_text) {
    const std::int64_t source = options.cross_dim > 0 ? options.cross_dim : dim;
    to_k_ = register_module("to_k", adaptable(source, dim, options.bias));
    to_v_ = register_module("to_v", adaptable(source, dim, options.bias));
  }
  if (options.layout_dim > 0) {
    to_k_layout_ = register_module("to_k_layout", linear(options.layout_dim, dim, false));
    to_v_layout_ = register_module("to_v_layout", linear(options.layout_dim, dim, false));
    const torch::NoGradGuard no_grad;
    to_v_layout_->weight.zero_();
  }
  to_out_ = register_module("to_out", tn::ModuleList(adaptable(dim, dim, true)));
}

torch::Tensor AttentionImpl::split(const torch::Tensor& x) const {
  return x.view({x.size(0), x.size(1), options_.heads, -1}).transpose(1, 2);
}

torch::Tensor AttentionImpl::forward(const torch::Tensor& x, const AttentionContext& context) {
  const torch::Tensor q = split(to_q_(x));
  torch::Tensor mixed;
  if (options_.has_text) {
    const torch::Tensor& source = options_.cross_dim > 0 ? context.text : x;
    if (source.defined()) mixed = fused_attention(q, split(to_k_(source)), split(to_v_(source)));
  }
  if (to_k_layout_ && context.layout.defined()) {
    std::optional<torch::Tensor> mask;
    if (context.layout_mask.defined()) {
      mask = torch::zeros({x.size(0), 1, 1, context.layout.size(1)}, q.options())
                 .masked_fill(context.layout_mask.logical_not().unsqueeze(1).unsqueeze(1), -1e4)
                 .expand({x.size(0), 1, x.size(1), context.layout.size(1)});
    }
    const torch::Tensor spoken =
        fused_attention(q, split(to_k_layout_(context.layout)), split(to_v_layout_(context.layout)), mask);
    mixed = mixed.defined() ? mixed + spoken : spoken;
  }
  // Nothing to look at is the same as values that are all zero: a layout whose values start at zero changes nothing.
  if (!mixed.defined()) mixed = torch::zeros_like(q);
  return to_out_[0]->as<LowRankLinear>()->forward(mixed.transpose(1, 2).reshape(x.sizes()));
}

FeedForwardImpl::FeedForwardImpl(std::int64_t dim) {
  // diffusers: net = [GEGLU(proj), Dropout, Linear].
  proj_ = linear(dim, 8 * dim);
  out_ = linear(4 * dim, dim);
  const auto gate = std::make_shared<tn::Module>("GEGLU");
  gate->register_module("proj", proj_);
  const auto net = register_module("net", std::make_shared<tn::Module>("net"));
  net->register_module("0", gate);
  net->register_module("2", out_);
}

torch::Tensor FeedForwardImpl::forward(const torch::Tensor& x) {
  const auto parts = proj_(x).chunk(2, -1);
  return out_(parts[0] * at::gelu(parts[1]));
}

GatedSelfAttentionImpl::GatedSelfAttentionImpl(std::int64_t dim, std::int64_t object_dim, std::int64_t heads) {
  linear_ = register_module("linear", linear(object_dim, dim));
  attn_ = register_module("attn", Attention(AttentionOptions{.query_dim = dim, .heads = heads}));
  ff_ = register_module("ff", FeedForward(dim));
  norm1_ = register_module("norm1", tn::LayerNorm(tn::LayerNormOptions({dim})));
  norm2_ = register_module("norm2", tn::LayerNorm(tn::LayerNormOptions({dim})));
  alpha_attn_ = register_parameter("alpha_attn", torch::tensor(0.0F));
  alpha_dense_ = register_parameter("alpha_dense", torch::tensor(0.0F));
}

torch::Tensor GatedSelfAttentionImpl::forward(const torch::Tensor& x, const torch::Tensor& objects) {
  const torch::Tensor both = norm1_(torch::cat({x, linear_(objects).to(x.scalar_type())}, 1));
  const torch::Tensor seen = attn_(both, AttentionContext{}).narrow(1, 0, x.size(1));
  const torch::Tensor h = x + alpha_attn_.tanh() * seen;
  return h + alpha_dense_.tanh() * ff_(norm2_(h));
}

BasicTransformerBlockImpl::BasicTransformerBlockImpl(const TransformerOptions& options) {
  const std::int64_t dim = options.channels;
  const auto norm = [&] { return tn::LayerNorm(tn::LayerNormOptions({dim})); };
  norm1_ = register_module("norm1", norm());
  attn1_ = register_module("attn1", Attention(AttentionOptions{.query_dim = dim, .heads = options.heads}));
  if (options.cross_dim > 0 || options.layout_dim > 0) {
    norm2_ = register_module("norm2", norm());
    attn2_ = register_module("attn2", Attention(AttentionOptions{.query_dim = dim,
                                                                 .heads = options.heads,
                                                                 .cross_dim = options.cross_dim,
                                                                 .layout_dim = options.layout_dim,
                                                                 .has_text = options.cross_dim > 0}));
  }
  norm3_ = register_module("norm3", norm());
  ff_ = register_module("ff", FeedForward(dim));
  if (options.gated) {
    fuser_ = register_module("fuser", GatedSelfAttention(dim, options.cross_dim, options.heads));
  }
}

torch::Tensor BasicTransformerBlockImpl::forward(const torch::Tensor& x, const AttentionContext& context) {
  torch::Tensor h = x + attn1_(norm1_(x), AttentionContext{});
  if (fuser_ && context.objects.defined()) h = fuser_(h, context.objects);
  if (attn2_) h = h + attn2_(norm2_(h), context);
  return h + ff_(norm3_(h));
}

Transformer2DImpl::Transformer2DImpl(const TransformerOptions& options)
    : linear_projection_(options.linear_projection) {
  const std::int64_t c = options.channels;
  norm_ = register_module("norm", GroupNorm(options.groups, c, 1e-6));
  if (linear_projection_) {
    proj_in_ = tn::AnyModule(register_module("proj_in", linear(c, c)));
  } else {
    proj_in_ = tn::AnyModule(register_module("proj_in", tn::Conv2d(tn::Conv2dOptions(c, c, 1))));
  }
  transformer_blocks_ = register_module("transformer_blocks", tn::ModuleList());
  for (std::int64_t i = 0; i < options.layers; ++i) transformer_blocks_->push_back(BasicTransformerBlock(options));
  if (linear_projection_) {
    proj_out_ = tn::AnyModule(register_module("proj_out", linear(c, c)));
  } else {
    proj_out_ = tn::AnyModule(register_module("proj_out", tn::Conv2d(tn::Conv2dOptions(c, c, 1))));
  }
}

torch::Tensor Transformer2DImpl::forward(const torch::Tensor& x, const AttentionContext& context) {
  const std::int64_t n = x.size(0);
  const std::int64_t h = x.size(2);
  const std::int64_t w = x.size(3);
  torch::Tensor y = norm_(x);
  if (!linear_projection_) y = proj_in_.forward(y);
  y = y.permute({0, 2, 3, 1}).reshape({n, h * w, -1});
  if (linear_projection_) y = proj_in_.forward(y);
  for (const auto& block : *transformer_blocks_) y = block->as<BasicTransformerBlock>()->forward(y, context);
  if (linear_projection_) y = proj_out_.forward(y);
  y = y.view({n, h, w, -1}).permute({0, 3, 1, 2});
  if (!linear_projection_) y = proj_out_.forward(y);
  return x + y;
}

SpatialAttentionImpl::SpatialAttentionImpl(std::int64_t channels, std::int64_t groups, double eps) {
  group_norm_ = register_module("group_norm", GroupNorm(groups, channels, eps));
  to_q_ = register_module("to_q", linear(channels, channels));
  to_k_ = register_module("to_k", linear(channels, channels));
  to_v_ = register_module("to_v", linear(channels, channels));
  to_out_ = register_module("to_out", tn::ModuleList(linear(channels, channels)));
}

torch::Tensor SpatialAttentionImpl::forward(const torch::Tensor& x) {
  const std::int64_t n = x.size(0);
  const std::int64_t h = x.size(2);
  const std::int64_t w = x.size(3);
  const torch::Tensor y = group_norm_(x).permute({0, 2, 3, 1}).reshape({n, h * w, -1});
  const torch::Tensor mixed =
      fused_attention(to_q_(y).unsqueeze(1), to_k_(y).unsqueeze(1), to_v_(y).unsqueeze(1)).squeeze(1);
  const torch::Tensor out = to_out_[0]->as<tn::Linear>()->forward(mixed);
  return x + out.view({n, h, w, -1}).permute({0, 3, 1, 2});
}

}  // namespace terragen::nn
