#include "terragen/core/run_settings.h"

#include <format>

#include "terragen/core/error.h"

namespace terragen {

void claim_run_folder(const std::filesystem::path& folder, const Json& settings) {
  std::filesystem::create_directories(folder);
  const std::filesystem::path file = folder / "settings.json";
  if (std::filesystem::exists(file) && read_json(file) != settings) {
    throw RequestError(std::format("{} holds a run of other settings", folder.string()),
                       "give the same settings, or another folder");
  }
  write_json(file, settings);
}

}  // namespace terragen
