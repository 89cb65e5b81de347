// A folder in which a run that was stopped goes on belongs to one set of settings.
#pragma once

#include <filesystem>

#include "terragen/core/json_file.h"

namespace terragen {

// Makes the folder and writes its settings.json; RequestError where it holds other settings.
void claim_run_folder(const std::filesystem::path& folder, const Json& settings);

}  // namespace terragen
