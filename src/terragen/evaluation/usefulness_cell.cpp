#include <format>

#include "terragen/evaluation/class_scores.h"
#include "terragen/evaluation/usefulness.h"

namespace terragen::evaluation {

Json to_json(const UsefulnessCell& cell) {
  return {{"dataset", cell.dataset},
          {"task", cell.task},
          {"tiles", cell.tiles == 0 ? Json("all") : Json(cell.tiles)},
          {"real_images", cell.real_images},
          {"seed", cell.seed},
          {"method", cell.method},
          {"measure", cell.measure},
          {"score", number_or_null(cell.score)},
          {"classes", to_json(cell.classes)},
          {"made", cell.made},
          {"rejected", cell.rejected},
          {"threshold", cell.threshold},
          {"make_seconds", cell.make_seconds},
          {"judge_seconds", cell.judge_seconds},
          {"train_seconds", cell.train_seconds},
          {"test_seconds", cell.test_seconds},
          {"train_flops", cell.train_flops},
          {"make_flops", cell.make_flops},
          {"judge_flops", cell.judge_flops},
          {"peak_memory_bytes", cell.peak_memory},
          {"dataset_sha256", cell.dataset_sha256},
          {"generator_sha256", cell.generator_sha256}};
}

std::string tiles_text(int tiles) { return tiles == 0 ? "all" : std::to_string(tiles); }

std::string cell_name(const UsefulnessCell& cell) {
  return std::format("{}_{}_{}_{}", cell.dataset, tiles_text(cell.tiles), cell.seed, cell.method);
}

UsefulnessCell usefulness_cell_from_json(const Json& value, const std::string& place) {
  UsefulnessCell cell;
  cell.dataset = json_member<std::string>(value, "dataset", place);
  cell.task = json_member<std::string>(value, "task", place);
  const Json tiles = json_member<Json>(value, "tiles", place);
  cell.tiles = tiles.is_number_integer() ? tiles.get<int>() : 0;
  cell.real_images = json_member<int>(value, "real_images", place);
  cell.seed = json_member<int>(value, "seed", place);
  cell.method = json_member<std::string>(value, "method", place);
  cell.measure = json_member<std::string>(value, "measure", place);
  cell.score = number_or_nan(json_member<Json>(value, "score", place));
  cell.classes = class_scores_from_json(value, place);
  cell.made = json_member<int>(value, "made", place);
  cell.rejected = json_member<int>(value, "rejected", place);
  cell.threshold = json_member<double>(value, "threshold", place);
  cell.make_seconds = json_member<double>(value, "make_seconds", place);
  cell.judge_seconds = json_member<double>(value, "judge_seconds", place);
  cell.train_seconds = json_member<double>(value, "train_seconds", place);
  cell.test_seconds = json_member<double>(value, "test_seconds", place);
  cell.train_flops = json_member<double>(value, "train_flops", place);
  cell.make_flops = json_member<double>(value, "make_flops", place);
  cell.judge_flops = json_member<double>(value, "judge_flops", place);
  cell.peak_memory = json_member<std::int64_t>(value, "peak_memory_bytes", place);
  cell.dataset_sha256 = json_member<std::string>(value, "dataset_sha256", place);
  cell.generator_sha256 = json_member<std::string>(value, "generator_sha256", place);
  return cell;
}

}  // namespace terragen::evaluation
