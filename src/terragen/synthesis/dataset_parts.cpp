#include "terragen/synthesis/dataset_parts.h"

#include <format>

#include "terragen/core/error.h"
#include "terragen/core/interrupt.h"
#include "terragen/core/run_settings.h"

namespace terragen::synthesis {

namespace fs = std::filesystem;

DatasetParts::DatasetParts(const fs::path& output, const Json& settings) : folder_(output.string() + ".partial") {
  if (fs::exists(output) && !(fs::is_directory(output) && fs::is_empty(output))) {
    throw RequestError(std::format("{} exists already", output.string()), "name another folder");
  }
  claim_run_folder(folder_, settings);
}

fs::path DatasetParts::part(const std::string& name, const std::function<void(const fs::path&)>& make) const {
  constexpr const char* kStopped = "stopped; the same command goes on";
  if (interrupt_requested()) throw Interrupted(kStopped);
  fs::path folder = folder_ / name;
  if (fs::exists(folder)) return folder;
  try {
    make(folder);
  } catch (const Interrupted&) {
    throw Interrupted(kStopped);
  }
  return folder;
}

void DatasetParts::remove() const { fs::remove_all(folder_); }

}  // namespace terragen::synthesis
