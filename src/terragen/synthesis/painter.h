// Paints images from layouts with a trained model.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "terragen/core/json_file.h"
#include "terragen/layout/layout.h"
#include "terragen/models/model_folder.h"
#include "terragen/tensor/device.h"

namespace terragen::synthesis {

struct PaintOptions {
  std::string sampler;  // one of diffusion::sampler_names(); empty: "ddpm"
  int steps = 0;        // 0: 20, or 5 where the model was trained for few
  std::optional<double>
      guidance;  // of layout and task; 1: none; default 3, or 2 where the model was trained for few steps
  double guidance_rescale = 0.7;  // share of the contrast that guidance adds which is taken back, in [0, 1]
  // Guidance acts at times in [guidance_from, guidance_until] of the way from image, 0, to noise, 1 (Kynkaanniemi et
  // al. 2024, arXiv 2404.07724). At the noisiest steps it makes all images alike, and what a background may hold is
  // lost first; without it at the others a layout is not followed. A step without it takes half the time.
  double guidance_from = 0;
  double guidance_until = 0.7;
  int batch = 4;  // images painted at once on a thread
  tensor::ComputeOptions compute;

  void validate() const;
};
// For a dataset's provenance; device and precision too, since an image depends on them in its last bits.
Json to_json(const PaintOptions& options);

// Seconds by part, summed over all images and threads.
struct PaintTimes {
  double layout_encoder = 0;
  double encoder = 0;  // of images that painting begins at
  double unet = 0;
  double decoder = 0;
};

// One image to be painted.
struct PaintRequest {
  layout::Layout layout;  // classes numbered as in the model's layout encoder
  std::uint64_t seed = 0;
  // Where painting begins at an image of the layout's size: [B, H, W], float32 in [-1, 1]; undefined: at nothing.
  torch::Tensor image;
  // In (0, 1]: how much of the way from noise is gone. Below 1 the image shines through, also with the detail that the
  // autoencoder cannot hold.
  double strength = 1;
  // [H, W], float32, 1 where the image is painted anew, 0 where it stays as it is; undefined: everywhere.
  torch::Tensor repaint;
  // A picture of what the layout's features of the class models::kReferenceClass look like, see
  // shards::reference_picture; undefined: none. RequestError for a model that has no reference encoder.
  torch::Tensor reference;
};

// RequestError when a model lacks a part that painting needs.
void require_painter(const models::ModelFolder& model);
// Pixels: width and height of what it paints must be multiples of it.
int size_step_of(const models::ModelFolder& model);

// One thread uses a Painter at a time.
class Painter {
 public:
  // RequestError as of require_painter.
  Painter(models::ModelFolder model, PaintOptions options);

  // Any sizes that are multiples of size_step(). An image depends on its own request alone. Calls `done(index, image)`
  // in order, image: [B, H, W], float32 in [-1, 1]; where it was not to be painted anew it is the request's, but for a
  // seam of two pixels. Neighbours of one size and strength are painted together. RequestError for a size, task or
  // strength that cannot be; Interrupted between batches.
  void paint(const std::vector<PaintRequest>& requests,
             const std::function<void(std::size_t, const torch::Tensor&)>& done);
  int size_step() const { return size_step_of(model_); }
  // With everything decided that was left to the model.
  const PaintOptions& options() const { return options_; }
  const models::ModelFolder& model() const { return model_; }
  const PaintTimes& times() const { return times_; }

 private:
  void check(const PaintRequest& request) const;
  // Sampling steps that a strength leaves out.
  std::size_t first_step(double strength) const;
  bool together(const PaintRequest& one, const PaintRequest& other) const;
  models::LayoutEncoding with_pictures(models::LayoutEncoding encoding, std::span<const PaintRequest> requests);
  torch::Tensor paint_batch(std::span<const PaintRequest> requests, PaintTimes& times);

  models::ModelFolder model_;
  PaintOptions options_;
  PaintTimes times_;
};

}  // namespace terragen::synthesis
