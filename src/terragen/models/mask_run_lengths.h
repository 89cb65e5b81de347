// Masks as run lengths, the way COCO stores them.
#pragma once

#include <torch/torch.h>

#include <string>
#include <vector>

#include "terragen/metrics/box_overlap.h"

namespace terragen::models {

// masks: [N, H, W] bool, on any device. Runs of false and true in turn, column by column, the first of false.
std::vector<metrics::RunLengths> run_lengths(const torch::Tensor& masks);
// [H, W] bool. InternalError where the runs do not make up the size.
torch::Tensor mask_of_run_lengths(const metrics::RunLengths& runs, std::int64_t height, std::int64_t width);
// COCO's text form: from the fourth on, every run less the one before the last; 5 bits a character, the sixth says that
// more follow.
std::string run_lengths_text(const metrics::RunLengths& runs);

}  // namespace terragen::models
