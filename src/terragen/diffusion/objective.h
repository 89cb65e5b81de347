// The training objective: what the network is to say, and how much each place counts.
#pragma once

#include <torch/torch.h>

#include "terragen/diffusion/noise_schedule.h"

namespace terragen::diffusion {

// The network's target for the schedule's prediction type. All [N, C, h, w]; t: [N] int64.
torch::Tensor training_target(const NoiseSchedule& schedule, const std::string& prediction_type,
                              const torch::Tensor& x0, const torch::Tensor& noise, const torch::Tensor& t);

// The clean sample that follows from the noisy x at t and what the network says of it. All [N, C, h, w]; t: [N] int64.
torch::Tensor predicted_original(const NoiseSchedule& schedule, const std::string& prediction_type,
                                 const torch::Tensor& x, const torch::Tensor& output, const torch::Tensor& t);

// sum_p w_p (e - e_hat)^2 / sum_p w_p for every sample, averaged over channels: [N].
// output, target: [N, C, h, w]; weights: [N, 1, h, w] >= 0 (a sample without weight gives 0).
torch::Tensor weighted_error(const torch::Tensor& output, const torch::Tensor& target, const torch::Tensor& weights);

// Per-sample weight that makes the loss min(SNR, gamma) times the error of x0 (Hang et al. 2023): [N].
torch::Tensor min_snr_weight(const NoiseSchedule& schedule, const std::string& prediction_type, const torch::Tensor& t,
                             double gamma);

}  // namespace terragen::diffusion
