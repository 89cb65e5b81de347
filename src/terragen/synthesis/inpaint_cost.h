// What painting things into scenes costs, by stage.
#pragma once

#include <string>

#include "terragen/core/json_file.h"
#include "terragen/core/stage_cost.h"

namespace terragen::synthesis {

struct InpaintCost {
  StageCost placing;
  StageCost painting;
  StageCost refining;
  StageCost filtering;
  StageCost writing;  // blending, too

  void add(const InpaintCost& other);
  double seconds() const;
};

// {"placing_seconds", "placing_memory_bytes", ...}
Json to_json(const InpaintCost& cost);
// DataError naming `place` where a member is missing.
InpaintCost inpaint_cost_from_json(const Json& value, const std::string& place);

}  // namespace terragen::synthesis
