#include "terragen/tensor/flop_counter.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "terragen/tensor/device.h"

namespace terragen::tensor {
namespace {

TEST(FlopCounter, CountsWhatIsMultiplied) {
  const torch::Tensor a = torch::randn({8, 16});
  const torch::Tensor b = torch::randn({16, 32});
  {
    const FlopCounter flops;
    (void)torch::mm(a, b);
    EXPECT_DOUBLE_EQ(flops.count(), 2.0 * 8 * 16 * 32);
    (void)torch::matmul(torch::randn({3, 8, 16}), torch::randn({3, 16, 32}));
    EXPECT_DOUBLE_EQ(flops.count(), 4 * 2.0 * 8 * 16 * 32);
  }
  {
    const FlopCounter flops;
    (void)torch::conv2d(torch::randn({2, 4, 10, 10}), torch::randn({6, 4, 3, 3}), {}, 1, 1);
    EXPECT_DOUBLE_EQ(flops.count(), 2.0 * (2 * 6 * 10 * 10) * (4 * 9));
  }
  {
    const FlopCounter flops;
    (void)torch::conv2d(torch::randn({2, 4, 10, 10}), torch::randn({4, 1, 3, 3}), {}, 1, 1, 1, 4);  // one a channel
    EXPECT_DOUBLE_EQ(flops.count(), 2.0 * (2 * 4 * 10 * 10) * 9);
  }
}

TEST(FlopCounter, BackwardsCostsTwice) {
  torch::nn::Linear layer(16, 32);
  const torch::Tensor x = torch::randn({8, 16}).requires_grad_();
  const FlopCounter flops;
  layer(x).sum().backward();
  EXPECT_DOUBLE_EQ(flops.count(), 3 * 2.0 * 8 * 16 * 32);
}

TEST(FlopCounter, ReducedPrecisionIsCountedOnce) {
  torch::nn::Conv2d layer(torch::nn::Conv2dOptions(4, 6, 3).padding(1));
  torch::nn::Linear last(10, 5);
  const torch::NoGradGuard no_grad;
  const AutocastGuard reduced(torch::kCPU, true);
  const FlopCounter flops;
  (void)last(layer(torch::randn({1, 4, 10, 10})));
  EXPECT_DOUBLE_EQ(flops.count(), 2.0 * (600 * 36 + 60 * 10 * 5));
}

TEST(FlopCounter, StopsWithItsObject) {
  {
    const FlopCounter flops;
  }
  (void)torch::mm(torch::randn({8, 16}), torch::randn({16, 32}));
  const FlopCounter flops;
  EXPECT_DOUBLE_EQ(flops.count(), 0);
}

}  // namespace
}  // namespace terragen::tensor
