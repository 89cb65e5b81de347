#include "terragen/training/data_parallel.h"

#include <cmath>
#include <format>

#include "terragen/core/error.h"
#include "terragen/core/seed.h"
#include "terragen/tensor/side_by_side.h"

namespace terragen::training {

DataParallel::DataParallel(Task& task, std::vector<torch::Tensor> parameters, int parts,
                           const tensor::ComputeOptions& compute)
    : task_(task),
      parameters_(std::move(parameters)),
      parts_(parts),
      threads_(torch::get_num_threads()),
      device_(tensor::parse_device(compute.device).type()),
      bf16_(compute.precision == "bf16") {
  if (parts_ < 1) throw RequestError(std::format("data_parallel is {}, it must be positive", parts_));
  if (parts_ == 1) return;
  if (!task_.may_be_split()) {
    throw RequestError(std::format("data_parallel is {}, but this model's batches cannot be split", parts_));
  }
  if (device_ != torch::kCPU) throw RequestError("data_parallel above 1 splits work over processor cores, not a GPU");
  if (threads_ % parts_ != 0) {
    throw RequestError(std::format("data_parallel is {}, which does not divide {} threads", parts_, threads_));
  }
  threads_ /= parts_;
}

DataParallel::Part DataParallel::compute_part(const shards::Batch& batch, std::uint64_t seed) const {
  Part part;
  torch::Tensor loss;
  {
    const tensor::AutocastGuard autocast(device_, bf16_);
    loss = task_.loss(batch, seed, part.scalars);
  }
  part.loss = loss.item<double>();
  if (std::isfinite(part.loss)) {
    part.gradients = torch::autograd::grad({loss}, parameters_, {}, false, false, true);
  }
  return part;
}

double DataParallel::step(const shards::Batch& batch, std::uint64_t seed, Scalars& scalars) {
  // The last step's gradients are used up; kept until new ones are there they would be held twice.
  for (torch::Tensor& parameter : parameters_) parameter.mutable_grad() = torch::Tensor();
  std::vector<Part> parts(static_cast<std::size_t>(parts_));
  if (parts_ == 1) {
    parts.front() = compute_part(batch, seed);
  } else {
    const std::vector<shards::Batch> pieces = shards::split(batch, parts_);
    tensor::side_by_side(parts.size(), threads_,
                         [&](std::size_t i) { parts[i] = compute_part(pieces[i], derive_seed(seed, i)); });
  }
  double loss = 0;
  const double share = 1.0 / parts_;
  for (const Part& part : parts) {
    loss += share * part.loss;
    for (const auto& [name, value] : part.scalars) scalars[name] += share * value;
  }
  if (!std::isfinite(loss)) return loss;
  const torch::NoGradGuard no_grad;
  for (std::size_t k = 0; k < parameters_.size(); ++k) {
    torch::Tensor sum;
    for (const Part& part : parts) {
      const torch::Tensor& gradient = part.gradients[k];
      if (!gradient.defined()) continue;
      sum = sum.defined() ? sum + gradient : gradient;
    }
    if (sum.defined() && parts_ > 1) sum = sum * share;
    parameters_[k].mutable_grad() = sum;
  }
  return loss;
}

}  // namespace terragen::training
