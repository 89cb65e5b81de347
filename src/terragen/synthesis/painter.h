// Paints images from layouts with a trained model.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "terragen/layout/layout.h"
#include "terragen/models/model_folder.h"
#include "terragen/tensor/device.h"

namespace terragen::synthesis {

struct PaintOptions {
  std::string sampler;  // "dpm++" (DPM-Solver++ 2M), "ddim" or "ddpm"; empty: "ddpm"
  int steps = 0;        // 0: 20, or 5 where the model was trained for few
  std::optional<double>
      guidance;  // of layout and task; 1: none; default 3, or 2 where the model was trained for few steps
  double guidance_rescale = 0.7;  // share of the contrast that guidance adds which is taken back, in [0, 1]
  int batch = 4;                  // images painted at once on a thread
  tensor::ComputeOptions compute;

  void validate() const;
};

// Seconds by part, summed over all images and threads.
struct PaintTimes {
  double layout_encoder = 0;
  double unet = 0;
  double decoder = 0;
};

// One thread uses a Painter at a time.
class Painter {
 public:
  // RequestError when the model lacks a part that painting needs.
  Painter(models::ModelFolder model, PaintOptions options);

  // layouts: classes numbered as in model().layout_encoder's taxonomy, any sizes that are multiples of size_step();
  // seeds: one a layout. An image depends on its own layout and seed alone. Calls `done(index, image)` in order, image:
  // [B, H, W], float32 in [-1, 1]. RequestError for a size or class that cannot be; Interrupted between batches.
  void paint(const std::vector<layout::Layout>& layouts, const std::vector<std::uint64_t>& seeds,
             const std::function<void(std::size_t, const torch::Tensor&)>& done);
  // Pixels: width and height of a layout must be multiples of it.
  int size_step() const;
  // With everything decided that was left to the model.
  const PaintOptions& options() const { return options_; }
  const models::ModelFolder& model() const { return model_; }
  const PaintTimes& times() const { return times_; }

 private:
  torch::Tensor paint_batch(const std::vector<layout::Layout>& layouts, const std::vector<std::uint64_t>& seeds,
                            PaintTimes& times);

  models::ModelFolder model_;
  PaintOptions options_;
  PaintTimes times_;
};

}  // namespace terragen::synthesis
