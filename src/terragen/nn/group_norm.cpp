#include "terragen/nn/group_norm.h"

#include "terragen/nn/group_norm_kernel.h"

namespace terragen::nn {
namespace {

bool kernel_takes(const torch::Tensor& x) {
  return x.is_cpu() && x.dim() == 4 && x.numel() > 0 && x.is_contiguous(at::MemoryFormat::ChannelsLast) &&
         (x.scalar_type() == torch::kFloat32 || x.scalar_type() == torch::kBFloat16);
}

GroupNormShape shape_of(const torch::Tensor& x, std::int64_t groups) {
  return {x.size(0), x.size(2) * x.size(3), x.size(1), groups};
}

GroupNormStorage storage_of(const torch::Tensor& x) {
  return x.scalar_type() == torch::kFloat32 ? GroupNormStorage::float32 : GroupNormStorage::bfloat16;
}

class ChannelsLastGroupNorm : public torch::autograd::Function<ChannelsLastGroupNorm> {
 public:
  static torch::Tensor forward(torch::autograd::AutogradContext* context, const torch::Tensor& x,
                               const torch::Tensor& weight, const torch::Tensor& bias, std::int64_t groups, double eps,
                               bool silu) {
    const torch::Tensor w = weight.to(torch::kFloat32).contiguous();
    const torch::Tensor b = bias.to(torch::kFloat32).contiguous();
    const torch::Tensor y = torch::empty_like(x);
    const torch::Tensor mean = torch::empty({x.size(0), groups}, w.options());
    const torch::Tensor rstd = torch::empty({x.size(0), groups}, w.options());
    group_norm_forward(shape_of(x, groups), storage_of(x), x.const_data_ptr(), w.const_data_ptr<float>(),
                       b.const_data_ptr<float>(), eps, silu, y.mutable_data_ptr(), mean.mutable_data_ptr<float>(),
                       rstd.mutable_data_ptr<float>());
    context->save_for_backward({x, w, b, mean, rstd});
    context->saved_data["groups"] = groups;
    context->saved_data["silu"] = silu;
    context->saved_data["type"] = static_cast<std::int64_t>(weight.scalar_type());
    return y;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const torch::Tensor& x = saved[0];
    const std::int64_t groups = context->saved_data["groups"].toInt();
    const torch::Tensor dy = gradients[0].to(x.scalar_type()).contiguous(at::MemoryFormat::ChannelsLast);
    const torch::Tensor dx = torch::empty_like(x);
    const torch::Tensor dweight = torch::empty({x.size(0), x.size(1)}, saved[1].options());
    const torch::Tensor dbias = torch::empty_like(dweight);
    group_norm_backward(shape_of(x, groups), storage_of(x), dy.const_data_ptr(), x.const_data_ptr(),
                        saved[1].const_data_ptr<float>(), saved[2].const_data_ptr<float>(),
                        context->saved_data["silu"].toBool(), saved[3].const_data_ptr<float>(),
                        saved[4].const_data_ptr<float>(), dx.mutable_data_ptr(), dweight.mutable_data_ptr<float>(),
                        dbias.mutable_data_ptr<float>());
    const auto type = static_cast<torch::ScalarType>(context->saved_data["type"].toInt());
    return {dx, dweight.sum(0).to(type), dbias.sum(0).to(type), {}, {}, {}};
  }
};

}  // namespace

GroupNormImpl::GroupNormImpl(std::int64_t groups, std::int64_t channels, double eps, bool affine)
    : groups_(groups), eps_(eps) {
  weight_ = torch::ones({channels});
  bias_ = torch::zeros({channels});
  if (affine) {
    weight_ = register_parameter("weight", weight_);
    bias_ = register_parameter("bias", bias_);
  }
}

torch::Tensor GroupNormImpl::apply(const torch::Tensor& x, bool silu) {
  if (kernel_takes(x)) return ChannelsLastGroupNorm::apply(x, weight_, bias_, groups_, eps_, silu);
  const bool affine = !parameters().empty();
  const torch::Tensor y =
      at::group_norm(x, groups_, affine ? weight_ : torch::Tensor(), affine ? bias_ : torch::Tensor(), eps_);
  return silu ? torch::silu(y) : y;
}

}  // namespace terragen::nn
