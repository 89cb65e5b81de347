// What a judge found in painted and in real images: as text, as figures, as a page.
#pragma once

#include <filesystem>
#include <string>

#include "terragen/core/json_file.h"
#include "terragen/evaluation/fidelity.h"

namespace terragen::evaluation {

Json to_json(const FidelityReport& report);
// A table by dataset and class, and below it the classification accuracy scores where they were asked for.
std::string fidelity_text(const FidelityReport& report);
// One self-contained page.
void write_fidelity_page(const FidelityReport& report, const std::filesystem::path& page);

}  // namespace terragen::evaluation
