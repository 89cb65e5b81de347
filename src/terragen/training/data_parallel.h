// One step's loss and gradient over a batch, cut into parts that are computed side by side.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <vector>

#include "terragen/tensor/device.h"
#include "terragen/training/task.h"

namespace terragen::training {

class DataParallel {
 public:
  // `parts` must divide the threads and, in every step, the batch; more than one is for the processor alone.
  // RequestError otherwise.
  DataParallel(Task& task, std::vector<torch::Tensor> parameters, int parts, const tensor::ComputeOptions& compute);

  // The mean loss and figures of the parts; the mean gradient goes to the parameters' grad(), unless the loss is not
  // finite. The draws of part i come from (seed, i), so a step repeats itself bit for bit where its parts do.
  double step(const shards::Batch& batch, std::uint64_t seed, Scalars& scalars);

 private:
  struct Part {
    double loss = 0;
    Scalars scalars;
    std::vector<torch::Tensor> gradients;
  };
  Part compute_part(const shards::Batch& batch, std::uint64_t seed) const;

  Task& task_;
  std::vector<torch::Tensor> parameters_;
  int parts_;
  int threads_;  // of one part
  torch::DeviceType device_;
  bool bf16_;
};

}  // namespace terragen::training
