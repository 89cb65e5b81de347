#include "terragen/tensor/flop_counter.h"

#include <ATen/record_function.h>
#include <torch/torch.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#include "terragen/core/error.h"

namespace terragen::tensor {
namespace {

std::atomic<std::int64_t> products{0};  // multiply-adds

// Output positions x weights, for a convolution's output [N, O, ...] and weight [O, I / groups, ...].
std::int64_t convolution_products(const at::Tensor& output, const at::Tensor& weight) {
  return output.numel() * (weight.numel() / std::max<std::int64_t>(1, weight.size(0)));
}

std::vector<at::Tensor> tensors_of(const at::RecordFunction& function) {
  std::vector<at::Tensor> tensors;
  for (const c10::IValue& input : function.inputs()) {
    if (input.isTensor() && input.toTensor().defined()) tensors.push_back(input.toTensor());
  }
  return tensors;
}

// The matrix products that the library calls by several names: [.., m, k] x [.., k, n].
void count_matrices(const at::Tensor& one, const at::Tensor& two) { products += one.numel() * two.size(-1); }

std::unique_ptr<at::ObserverContext> observe(const at::RecordFunction& function) {
  const char* name = function.name();
  const auto is = [name](const char* other) { return std::strcmp(name, other) == 0; };
  if (is("aten::mm") || is("aten::bmm")) {
    const auto x = tensors_of(function);
    if (x.size() >= 2) count_matrices(x[0], x[1]);
  } else if (is("aten::addmm") || is("aten::baddbmm")) {
    const auto x = tensors_of(function);
    if (x.size() >= 3) count_matrices(x[1], x[2]);
  } else if (is("aten::mkldnn_linear")) {
    const auto x = tensors_of(function);
    if (x.size() >= 2) products += x[0].numel() * x[1].size(0);
  } else if (is("aten::convolution_backward")) {
    // Gradients of both the input and the weight cost as much as the way forward.
    const auto x = tensors_of(function);
    if (x.size() >= 3) products += 2 * convolution_products(x[0], x[2]);
  } else if (std::strstr(name, "scaled_dot_product_flash_attention") != nullptr ||
             std::strstr(name, "scaled_dot_product_efficient_attention") != nullptr) {
    const auto x = tensors_of(function);
    const bool backwards = std::strstr(name, "backward") != nullptr;
    const std::size_t first = backwards ? 1 : 0;  // the output's gradient comes before q, k, v
    if (x.size() >= first + 2) products += (backwards ? 5 : 2) * x[first].numel() * x[first + 1].size(2);
  }
  return nullptr;
}

// Outputs are known only when an operator ends: convolutions forwards are counted there.
void observe_end(const at::RecordFunction& function, at::ObserverContext* /*context*/) {
  if (std::strcmp(function.name(), "aten::convolution") != 0) return;
  const auto inputs = tensors_of(function);
  const auto& outputs = function.outputs();
  if (inputs.size() >= 2 && !outputs.empty() && outputs.front().isTensor()) {
    products += convolution_products(outputs.front().toTensor(), inputs[1]);
  }
}

}  // namespace

FlopCounter::FlopCounter() {
  products = 0;
  callback_ = at::addGlobalCallback(at::RecordFunctionCallback(observe, observe_end)
                                        .needsInputs(true)
                                        .needsOutputs(true)
                                        .scopes({at::RecordScope::FUNCTION}));
}

FlopCounter::~FlopCounter() { at::removeCallback(callback_); }

double FlopCounter::count() const { return 2.0 * static_cast<double>(products.load()); }

}  // namespace terragen::tensor
