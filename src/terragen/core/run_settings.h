// A folder in which a run that was stopped goes on belongs to one set of settings.
#pragma once

#include <filesystem>
#include <string>

#include "terragen/core/json_file.h"

namespace terragen {

// RequestError naming the first setting that differs; `holder` is what holds `held`.
void require_same_settings(const Json& held, const Json& settings, const std::string& holder);

// Makes the folder and writes its settings.json; RequestError where it holds other settings.
void claim_run_folder(const std::filesystem::path& folder, const Json& settings);

}  // namespace terragen
