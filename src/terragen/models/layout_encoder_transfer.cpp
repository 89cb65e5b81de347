#include "terragen/models/layout_encoder_transfer.h"

#include <algorithm>

#include "terragen/models/model_io.h"

namespace terragen::models {
namespace {

// Row i of the result is row rows[i] of `table`; where that is negative, the mean of the first `known` rows.
torch::Tensor rows_of(const torch::Tensor& table, const std::vector<std::int64_t>& rows, std::int64_t known) {
  const torch::Tensor mean = table.slice(0, 0, known).mean(0);
  std::vector<torch::Tensor> result;
  for (const std::int64_t row : rows) result.push_back(row < 0 ? mean : table[row]);
  return torch::stack(result);
}

}  // namespace

LayoutEncoder with_classes(const LayoutEncoder& known, const layout::Taxonomy& taxonomy,
                           const std::vector<std::string>& tasks) {
  const LayoutEncoderConfig& before = known->config();
  LayoutEncoderConfig config = before;
  config.taxonomy = taxonomy;
  config.tasks = tasks;
  LayoutEncoder encoder(config);

  std::vector<std::int64_t> classes;
  for (const layout::ClassInfo& entry : taxonomy.classes()) classes.push_back(before.taxonomy.find(entry.name));
  std::vector<std::int64_t> task_rows;
  for (const std::string& task : tasks) {
    const auto found = std::ranges::find(before.tasks, task);
    task_rows.push_back(found == before.tasks.end() ? -1 : found - before.tasks.begin());
  }
  const auto known_tasks = std::ssize(before.tasks);
  task_rows.push_back(known_tasks);  // the row of "not said" comes last

  const torch::NoGradGuard no_grad;
  tensor::TensorMap weights = collect_parameters(*known);
  for (const char* name : {"task_token.weight", "task_embedding.weight"}) {
    weights.at(name) = rows_of(weights.at(name), task_rows, known_tasks);
  }
  weights.at("token_class.weight") = rows_of(weights.at("token_class.weight"), classes, before.taxonomy.size());
  torch::Tensor& planes = weights.at("class_planes.weight");  // [planes, classes, 1, 1]
  planes = rows_of(planes.transpose(0, 1), classes, before.taxonomy.size()).transpose(0, 1).contiguous();
  load_parameters(*encoder, weights, "layout encoder");
  return encoder;
}

}  // namespace terragen::models
