#include <format>

#include "terragen/evaluation/class_scores.h"
#include "terragen/evaluation/few_shot.h"

namespace terragen::evaluation {

Json to_json(const FewShotCell& cell) {
  return {{"novel", cell.novel},
          {"seed", cell.seed},
          {"method", cell.method},
          {"architecture", cell.architecture},
          {"classes", to_json(cell.classes)},
          {"novel_iou", number_or_null(cell.novel_iou)},
          {"base_iou", number_or_null(cell.base_iou)},
          {"score", number_or_null(cell.score)},
          {"made", cell.made},
          {"train_seconds", cell.train_seconds},
          {"train_flops", cell.train_flops},
          {"test_seconds", cell.test_seconds},
          {"peak_memory_bytes", cell.peak_memory},
          {"generator_sha256", cell.generator_sha256}};
}

std::string cell_name(const FewShotCell& cell) {
  return std::format("{}_{}_{}_{}", cell.novel, cell.seed, cell.method, cell.architecture);
}

FewShotCell few_shot_cell_from_json(const Json& value, const std::string& place) {
  FewShotCell cell;
  cell.novel = json_member<std::string>(value, "novel", place);
  cell.seed = json_member<int>(value, "seed", place);
  cell.method = json_member<std::string>(value, "method", place);
  cell.architecture = json_member<std::string>(value, "architecture", place);
  cell.classes = class_scores_from_json(value, place);
  cell.novel_iou = number_or_nan(json_member<Json>(value, "novel_iou", place));
  cell.base_iou = number_or_nan(json_member<Json>(value, "base_iou", place));
  cell.score = number_or_nan(json_member<Json>(value, "score", place));
  cell.made = json_member<Json>(value, "made", place);
  cell.train_seconds = json_member<double>(value, "train_seconds", place);
  cell.train_flops = json_member<double>(value, "train_flops", place);
  cell.test_seconds = json_member<double>(value, "test_seconds", place);
  cell.peak_memory = json_member<std::int64_t>(value, "peak_memory_bytes", place);
  cell.generator_sha256 = json_member<std::string>(value, "generator_sha256", place);
  return cell;
}

}  // namespace terragen::evaluation
