#include "terragen/synthesis/inpaint_cost.h"

#include <array>

namespace terragen::synthesis {
namespace {

struct Stage {
  const char* name;
  StageCost InpaintCost::* cost;
};
constexpr std::array<Stage, 5> kStages{{{"placing", &InpaintCost::placing},
                                        {"painting", &InpaintCost::painting},
                                        {"refining", &InpaintCost::refining},
                                        {"filtering", &InpaintCost::filtering},
                                        {"writing", &InpaintCost::writing}}};

}  // namespace

void InpaintCost::add(const InpaintCost& other) {
  for (const Stage& stage : kStages) (this->*stage.cost).add(other.*stage.cost);
}

double InpaintCost::seconds() const {
  double sum = 0;
  for (const Stage& stage : kStages) sum += (this->*stage.cost).seconds;
  return sum;
}

Json to_json(const InpaintCost& cost) {
  Json json = Json::object();
  for (const Stage& stage : kStages) {
    const StageCost& own = cost.*stage.cost;
    json[std::string(stage.name) + "_seconds"] = own.seconds;
    json[std::string(stage.name) + "_memory_bytes"] = own.peak_memory;
  }
  return json;
}

InpaintCost inpaint_cost_from_json(const Json& value, const std::string& place) {
  InpaintCost cost;
  for (const Stage& stage : kStages) {
    (cost.*stage.cost).seconds = json_member<double>(value, std::string(stage.name) + "_seconds", place);
    (cost.*stage.cost).peak_memory = json_member<std::int64_t>(value, std::string(stage.name) + "_memory_bytes", place);
  }
  return cost;
}

}  // namespace terragen::synthesis
