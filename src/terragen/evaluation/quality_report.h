// What a comparison of painted and real images says: as text, as figures, as a page.
#pragma once

#include <filesystem>
#include <string>

#include "terragen/core/json_file.h"
#include "terragen/evaluation/quality.h"

namespace terragen::evaluation {

Json to_json(const QualityReport& report);
// A table under the distance's name, then what a reader has to know beside the figures.
std::string quality_text(const QualityReport& report);
// One self-contained page.
void write_quality_page(const QualityReport& report, const std::filesystem::path& page);

}  // namespace terragen::evaluation
