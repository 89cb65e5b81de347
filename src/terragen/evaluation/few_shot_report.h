// What the cells of the few-shot protocol say together: as figures, as text, as a page.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "terragen/core/json_file.h"
#include "terragen/evaluation/few_shot.h"

namespace terragen::evaluation {

// One measure of one method over the seeds, in points (hundredths).
struct SeedFigure {
  std::vector<double> values;
  double mean = 0;
  double deviation = 0;       // sample deviation
  double gain = 0;            // over "real", seed by seed; NaN where that was not run
  double gain_deviation = 0;  // of these differences
  double gain_over_copy_paste = 0;
};

struct FewShotRow {
  std::string novel;  // empty: the mean over the novel classes
  std::string method;
  std::string architecture;
  SeedFigure novel_iou, base_iou, score;
};

// In the order of the cells, then the means over those classes that have every seed of the method.
std::vector<FewShotRow> few_shot_rows(const std::vector<FewShotCell>& cells);

struct FewShotRun {
  std::vector<FewShotCell> cells;
  Json settings;
  double seconds = 0;
  std::int64_t peak_memory = 0;  // bytes
};

Json to_json(const FewShotRun& run);
std::string few_shot_text(const std::vector<FewShotRow>& rows);
// One self-contained page: plots, tables, costs, and new images out of `output`/CLASS/made_*.
void write_few_shot_page(const FewShotRun& run, const std::filesystem::path& output, const std::filesystem::path& page);

}  // namespace terragen::evaluation
