#include "terragen/core/run_settings.h"

#include <format>

#include "terragen/core/error.h"

namespace terragen {

void require_same_settings(const Json& held, const Json& settings, const std::string& holder) {
  const Json difference = Json::diff(held, settings);
  if (difference.empty()) return;
  const auto path = difference.front().at("path").get<std::string>();
  const auto value = [&path](const Json& json) {
    const Json::json_pointer pointer(path);
    return json.contains(pointer) ? json.at(pointer).dump() : std::string("not set");
  };
  throw RequestError(std::format("{} holds a run of other settings: {} is {} there, {} here", holder, path.substr(1),
                                 value(held), value(settings)),
                     "give the same settings, or another folder");
}

void claim_run_folder(const std::filesystem::path& folder, const Json& settings) {
  std::filesystem::create_directories(folder);
  const std::filesystem::path file = folder / "settings.json";
  if (std::filesystem::exists(file)) require_same_settings(read_json(file), settings, folder.string());
  write_json(file, settings);
}

}  // namespace terragen
