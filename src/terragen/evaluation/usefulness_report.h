// What the cells of the usefulness protocol say together: as figures, as text, as a page.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "terragen/core/json_file.h"
#include "terragen/evaluation/protocol_run.h"
#include "terragen/evaluation/seed_statistics.h"
#include "terragen/evaluation/usefulness.h"

namespace terragen::evaluation {

// One method on one subset, over the seeds; of the mean over datasets, the values are each seed's mean.
struct UsefulnessRow : SeedFigure {
  std::string dataset;  // empty: the mean over the datasets
  std::string task;
  std::string measure;
  int tiles = 0;  // 0: all
  std::string method;
};

// In the order of the cells, then the means over those datasets that have every seed of the method.
std::vector<UsefulnessRow> usefulness_rows(const std::vector<UsefulnessCell>& cells);

// Seconds of making, judging, training and testing; images that two methods share count once.
double total_seconds(const std::vector<UsefulnessCell>& cells);

using UsefulnessRun = ProtocolRun<UsefulnessCell>;

Json to_json(const UsefulnessRun& run);
std::string usefulness_text(const std::vector<UsefulnessRow>& rows);
// One self-contained page: plots, tables, costs, and painted examples out of `output`/made.
void write_usefulness_page(const UsefulnessRun& run, const std::filesystem::path& output,
                           const std::filesystem::path& page);

}  // namespace terragen::evaluation
