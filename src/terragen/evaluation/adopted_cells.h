// What one run of a protocol finished and another need not do again, on another machine too.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "terragen/core/json_file.h"

namespace terragen::evaluation {

// Gives the name of a cell's file for what the report says of it, or nothing where the cell is of other data, of
// another generator or painted otherwise than the run's; the place is for errors.
using CellName =
    std::function<std::optional<std::string>(const Json& cell, bool painted_alike, const std::string& place)>;

// Lays the cells of `reports`, the JSON that runs wrote, into `output`/cells, where the run in `output` takes them for
// its own; those without a name are left out, cells that lie there already stay. Prints how many a report gave.
// RequestError where the settings in `output` are not a report's, but for those named `of_painting`, which are told to
// `name_of`.
void adopt_cells(const std::vector<std::filesystem::path>& reports, const std::filesystem::path& output,
                 const std::vector<std::string>& of_painting, const CellName& name_of);

// RequestError where what the run's own `file` was measured with ("dataset", "generator") is, by its hash, another.
void require_same_hash(const std::filesystem::path& file, const std::string& what, const std::string& held,
                       const std::string& hash);

}  // namespace terragen::evaluation
