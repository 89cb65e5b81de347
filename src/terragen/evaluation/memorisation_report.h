// What a search for copies says: as text, as figures, as a page.
#pragma once

#include <filesystem>
#include <string>

#include "terragen/core/json_file.h"
#include "terragen/evaluation/memorisation.h"

namespace terragen::evaluation {

Json to_json(const MemorisationReport& report);
// The figures, and the painted images that are most alike.
std::string memorisation_text(const MemorisationReport& report);
// One self-contained page with every painted image beside its nearest.
void write_memorisation_page(const MemorisationReport& report, const std::filesystem::path& page);

}  // namespace terragen::evaluation
