#include "terragen/training/checkpoint.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <thread>

#include "terragen/core/seed.h"
#include "terragen/core/test_paths.h"

namespace terragen::training {
namespace {

namespace fs = std::filesystem;

constexpr const char* kRunVariable = "TERRAGEN_TEST_RUN";

// A run small enough to save often and large enough that a kill falls into a save.
struct SmallRun {
  torch::nn::Linear layer{400, 400};
  std::shared_ptr<torch::nn::Module> module = layer.ptr();
  Ema ema{module, 0.9};
  torch::optim::AdamW optimiser{module->parameters(), torch::optim::AdamWOptions(1e-3)};
  void step() {
    optimiser.zero_grad();
    layer->forward(torch::ones({1, 400})).sum().backward();
    optimiser.step();
  }
};

// Runs in a process of its own, started by the test below, until it is killed.
TEST(CheckpointChild, DISABLED_SavesUntilItIsKilled) {
  const char* run = std::getenv(kRunVariable);
  ASSERT_NE(run, nullptr);
  torch::set_num_threads(1);
  SmallRun small;
  for (std::int64_t step = 1; step < 1000000; ++step) {
    small.step();
    save_checkpoint(run, {.step = step, .seed = 0, .settings = Json::object()}, *small.module, small.ema,
                    small.optimiser);
  }
}

TEST(Checkpoint, AKillAtAnyMomentLeavesOneThatLoads) {
  const test::ScratchFolder scratch;
  const std::string self = fs::read_symlink("/proc/self/exe").string();
  Random random(3);
  for (int kill_number = 0; kill_number < 12; ++kill_number) {
    const fs::path run = scratch.path() / std::to_string(kill_number);
    fs::create_directories(run);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      setenv(kRunVariable, run.c_str(), 1);
      execl(self.c_str(), self.c_str(), "--gtest_also_run_disabled_tests", "--gtest_filter=CheckpointChild.*",
            "--gtest_brief=1", nullptr);
      _exit(127);
    }
    // The first checkpoint says that the child has begun; the kill falls at a random moment of the saves after it.
    for (int wait = 0; wait < 1200 && !newest_checkpoint(run); ++wait)
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    std::this_thread::sleep_for(std::chrono::microseconds(random.below(40000)));
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    remove_unfinished_checkpoints(run);
    for (const auto& entry : fs::directory_iterator(run)) {
      EXPECT_TRUE(entry.path().filename().string().starts_with("checkpoint-")) << entry.path();
    }
    const auto newest = newest_checkpoint(run);
    ASSERT_TRUE(newest.has_value());
    SmallRun again;
    const CheckpointState state = load_checkpoint(*newest, Json::object(), *again.module, again.ema, again.optimiser);
    EXPECT_GE(state.step, 1);
  }
}

}  // namespace
}  // namespace terragen::training
