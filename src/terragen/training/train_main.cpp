// terragen-train JOB.json: trains from packed shards on a machine that has LibTorch and nothing else of TerraGen's.
#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>

#include "terragen/core/error.h"
#include "terragen/core/interrupt.h"
#include "terragen/core/memory.h"
#include "terragen/core/progress.h"
#include "terragen/tensor/torch_error.h"
#include "terragen/training/train_job.h"

int main(int argc, char** argv) try {
  if (argc != 2 || std::string(argv[1]) == "--help") {
    std::fputs("usage: terragen-train JOB.json\nThe keys of JOB.json are described in docs/training.md.\n", stderr);
    return argc == 2 ? 0 : static_cast<int>(terragen::ExitCode::request);
  }
  terragen::keep_freed_memory();
  terragen::watch_for_interrupt();
  terragen::set_progress_mode(terragen::ProgressMode::always);
  const terragen::Json json = terragen::read_json(argv[1]);
  terragen::training::run_train_job(terragen::training::train_job_from_json(json, argv[1]));
  return 0;
} catch (const terragen::Error& error) {
  std::fprintf(stderr, "terragen-train: %s\n", error.what());
  if (!error.hint().empty()) std::fprintf(stderr, "hint: %s\n", error.hint().c_str());
  return static_cast<int>(error.code());
} catch (const std::filesystem::filesystem_error& error) {
  std::fprintf(stderr, "terragen-train: %s\n", error.what());
  return static_cast<int>(terragen::ExitCode::data);
} catch (const c10::Error& error) {
  const bool full = terragen::tensor::is_out_of_memory(error);
  std::fprintf(stderr, "terragen-train: %s\n",
               full ? "the machine's memory is used up: use a smaller batch" : error.what_without_backtrace());
  return static_cast<int>(full ? terragen::ExitCode::request : terragen::ExitCode::internal);
} catch (const std::exception& error) {
  std::fprintf(stderr, "terragen-train: %s\n", error.what());
  return static_cast<int>(terragen::ExitCode::internal);
}
