// The two players of adversarial training on one batch: a judge that tells real from made, and what it is shown.
#pragma once

#include <torch/torch.h>

#include <functional>
#include <vector>

#include "terragen/training/task.h"

namespace terragen::training {

struct AdversarialLosses {
  torch::Tensor discriminator;  // scalar; its gradient reaches the judge alone
  double margin = 0;            // mean verdict on real less that on made: how well the judge tells them apart
  torch::Tensor generator;      // scalar; its gradient reaches what made `estimate` alone, its value says nothing
};

// Verdicts at one or more depths, [N, 1, h, w] each, positive for "real".
using Judge = std::function<std::vector<torch::Tensor>(const torch::Tensor&)>;

// Non-saturating logistic losses (Goodfellow et al. 2014, arXiv 1406.2661). estimate (with gradient), truth:
// [N, ...]; importance: [N], how much each sample counts for both players. Scalars: verdict_real, verdict_made.
AdversarialLosses adversarial_losses(const Judge& judge, const torch::Tensor& estimate, const torch::Tensor& truth,
                                     const torch::Tensor& importance, Scalars& scalars);

// error + discriminator loss + generator loss, the last scaled so that its gradient at `output` is `weight` times as
// long as the error's (Esser et al. 2021, VQGAN, eq. 7), less while the judge cannot tell yet. Its value is that of
// error and discriminator. Scalar: loss_discriminator.
torch::Tensor balanced(const torch::Tensor& error, const AdversarialLosses& losses, const torch::Tensor& output,
                       double weight, Scalars& scalars);

}  // namespace terragen::training
