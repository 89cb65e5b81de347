#include "terragen/evaluation/adopted_cells.h"

#include <cstdio>
#include <format>

#include "terragen/core/error.h"
#include "terragen/core/run_settings.h"

namespace terragen::evaluation {

namespace fs = std::filesystem;

void adopt_cells(const std::vector<fs::path>& reports, const fs::path& output,
                 const std::vector<std::string>& of_painting, const CellName& name_of) {
  for (const fs::path& report : reports) {
    const Json json = read_json(report);
    Json held = json_member<Json>(json, "settings", report.string());
    Json wanted = read_json(output / "settings.json");
    bool painted_alike = true;
    for (const std::string& key : of_painting) {
      painted_alike = painted_alike && held.value(key, Json()) == wanted.value(key, Json());
      held.erase(key);
      wanted.erase(key);
    }
    require_same_settings(held, wanted, report.string());
    const auto cells = json_member<std::vector<Json>>(json, "cells", report.string());
    fs::create_directories(output / "cells");
    std::size_t own = 0;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const auto name = name_of(cells[i], painted_alike, std::format("{}, cell {}", report.string(), i));
      if (!name) continue;
      ++own;
      const fs::path file = output / "cells" / (*name + ".json");
      if (!fs::exists(file)) write_json(file, cells[i]);
    }
    std::printf("%s: %zu of %zu figures are of this run's data and painting\n", report.c_str(), own, cells.size());
  }
}

void require_same_hash(const fs::path& file, const std::string& what, const std::string& held,
                       const std::string& hash) {
  if (held == hash) return;
  throw RequestError(std::format("{} is of another {} than this run", file.string(), what),
                     "choose another output folder");
}

}  // namespace terragen::evaluation
