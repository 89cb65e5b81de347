#include "terragen/evaluation/adopted_cells.h"

#include <format>

#include "terragen/core/error.h"
#include "terragen/core/run_settings.h"

namespace terragen::evaluation {

namespace fs = std::filesystem;

void adopt_cells(const std::vector<fs::path>& reports, const fs::path& output, const CellName& name_of) {
  for (const fs::path& report : reports) {
    const Json json = read_json(report);
    require_same_settings(json_member<Json>(json, "settings", report.string()), read_json(output / "settings.json"),
                          report.string());
    const auto cells = json_member<std::vector<Json>>(json, "cells", report.string());
    fs::create_directories(output / "cells");
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const std::string name = name_of(cells[i], std::format("{}, cell {}", report.string(), i));
      const fs::path file = output / "cells" / (name + ".json");
      if (!fs::exists(file)) write_json(file, cells[i]);
    }
  }
}

void require_same_hash(const fs::path& file, const std::string& what, const std::string& held,
                       const std::string& hash) {
  if (held == hash) return;
  throw RequestError(std::format("{} is of another {} than this run", file.string(), what),
                     "choose another output folder, or leave out the report that brought it");
}

}  // namespace terragen::evaluation
