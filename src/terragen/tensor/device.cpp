#include "terragen/tensor/device.h"

#include <ATen/autocast_mode.h>
#include <sched.h>

#include <format>

#include "terragen/core/error.h"

namespace terragen::tensor {

void ComputeOptions::validate() const {
  parse_device(device);
  if (precision != "bf16" && precision != "fp32") {
    throw RequestError(std::format("precision \"{}\" is not known", precision), "choose bf16 or fp32");
  }
  if (threads < 0) throw RequestError(std::format("threads is {}, it must not be negative", threads));
}

torch::Device parse_device(const std::string& name) {
  if (name == "cpu") return torch::kCPU;
  if (name == "cuda") {
    if (!torch::cuda::is_available()) {
      throw RequestError("device cuda is not at hand: this LibTorch has no CUDA, or the machine no GPU it can use",
                         "leave --device out to compute on the processor");
    }
    return torch::kCUDA;
  }
  throw RequestError(std::format("device \"{}\" is not known", name), "choose cpu or cuda");
}

int set_threads(int threads) {
  if (threads == 0) {
    cpu_set_t allowed;
    CPU_ZERO(&allowed);
    threads = sched_getaffinity(0, sizeof(allowed), &allowed) == 0 ? CPU_COUNT(&allowed) : 1;
  }
  torch::set_num_threads(threads);
  return threads;
}

AutocastGuard::AutocastGuard(torch::DeviceType device, bool enabled) : device_(device), enabled_(enabled) {
  if (!enabled_) return;
  before_ = at::autocast::is_autocast_enabled(device_);
  at::autocast::set_autocast_enabled(device_, true);
  at::autocast::set_autocast_dtype(device_, torch::kBFloat16);
  at::autocast::increment_nesting();
}

AutocastGuard::~AutocastGuard() {
  if (!enabled_) return;
  if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
  at::autocast::set_autocast_enabled(device_, before_);
}

}  // namespace terragen::tensor
