#include "terragen/pretrained/clip_vision.h"

#include "terragen/models/model_io.h"
#include "terragen/tensor/weight_files.h"

namespace terragen::pretrained {

models::ClipVisionModel load_clip_vision(const std::filesystem::path& folder) {
  const std::filesystem::path config = folder / "config.json";
  const std::filesystem::path file = tensor::find_transformers_weights(folder);
  tensor::TensorMap weights = tensor::map_weights(file);
  std::erase_if(weights, [](const auto& item) {
    return !item.first.starts_with("vision_model.") || item.first.ends_with(".position_ids");
  });
  models::ClipVisionModel model(models::clip_vision_config_from_json(read_json(config), config.string()));
  models::adopt_parameters(*model, weights, file.string());
  model->eval();
  return model;
}

}  // namespace terragen::pretrained
