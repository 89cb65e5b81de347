// Where and how tensors are computed: device, precision, threads. Every choice is explicit.
#pragma once

#include <torch/torch.h>

#include <string>

namespace terragen::tensor {

struct ComputeOptions {
  std::string device = "cpu";      // "cpu" or "cuda"
  std::string precision = "bf16";  // "bf16" (weights stay float32, products in bfloat16) or "fp32"
  int threads = 0;                 // 0: as many as the process may use cores

  // RequestError naming the value that cannot be.
  void validate() const;
};

// RequestError with the reason when the device is unknown or this build or machine has none.
torch::Device parse_device(const std::string& name);
// Sets LibTorch's threads for the process and returns the number set.
int set_threads(int threads);

// While alive, products and convolutions of this thread run in bfloat16.
class AutocastGuard {
 public:
  AutocastGuard(torch::DeviceType device, bool enabled);
  ~AutocastGuard();
  AutocastGuard(const AutocastGuard&) = delete;
  AutocastGuard& operator=(const AutocastGuard&) = delete;

 private:
  torch::DeviceType device_;
  bool enabled_;
  bool before_ = false;
};

}  // namespace terragen::tensor
