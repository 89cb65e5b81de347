// What the cells of the usefulness protocol say together: as figures, as text, as a page.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "terragen/core/json_file.h"
#include "terragen/evaluation/usefulness.h"

namespace terragen::evaluation {

// One method on one subset, over the seeds. Scores and gains in points (hundredths).
struct UsefulnessRow {
  std::string dataset;  // empty: the mean over the datasets
  std::string task;
  std::string measure;
  int tiles = 0;  // 0: all
  std::string method;
  std::vector<double> scores;  // by seed; of the mean over datasets, of each seed's mean
  double mean = 0;
  double deviation = 0;       // sample deviation over the seeds; 0 of one seed
  double gain = 0;            // over "real", seed by seed; NaN where that was not run
  double gain_deviation = 0;  // of these differences
  double gain_over_copy_paste = 0;
};

// In the order of the cells, then the means over those datasets that have every seed of the method.
std::vector<UsefulnessRow> usefulness_rows(const std::vector<UsefulnessCell>& cells);

struct UsefulnessRun {
  std::vector<UsefulnessCell> cells;
  Json settings;
  double seconds = 0;
  std::int64_t peak_memory = 0;  // bytes
};

Json to_json(const UsefulnessRun& run);
std::string usefulness_text(const std::vector<UsefulnessRow>& rows);
// One self-contained page: plots, tables, costs, and painted examples out of `output`/made.
void write_usefulness_page(const UsefulnessRun& run, const std::filesystem::path& output,
                           const std::filesystem::path& page);

}  // namespace terragen::evaluation
