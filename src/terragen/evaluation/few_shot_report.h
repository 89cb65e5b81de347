// What the cells of the few-shot protocol say together: as figures, as text, as a page.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "terragen/core/json_file.h"
#include "terragen/evaluation/few_shot.h"
#include "terragen/evaluation/protocol_run.h"
#include "terragen/evaluation/seed_statistics.h"

namespace terragen::evaluation {

struct FewShotRow {
  std::string novel;  // empty: the mean over the novel classes
  std::string method;
  std::string architecture;
  SeedFigure novel_iou, base_iou, score;
};

// In the order of the cells, then the means over those classes that have every seed of the method.
std::vector<FewShotRow> few_shot_rows(const std::vector<FewShotCell>& cells);

// Seconds of making, training and testing; images that two architectures share count once.
double total_seconds(const std::vector<FewShotCell>& cells);

using FewShotRun = ProtocolRun<FewShotCell>;

Json to_json(const FewShotRun& run);
std::string few_shot_text(const std::vector<FewShotRow>& rows);
// One self-contained page: plots, tables, costs, and new images out of `output`/CLASS/made_*.
void write_few_shot_page(const FewShotRun& run, const std::filesystem::path& output, const std::filesystem::path& page);

}  // namespace terragen::evaluation
