// Images from text with a published model: the sampling loop, guidance and networks of the rest of the house.
#pragma once

#include <torch/torch.h>

#include <functional>
#include <string>
#include <vector>

#include "terragen/diffusion/sampling_loop.h"
#include "terragen/pretrained/checkpoint.h"

namespace terragen::pretrained {

// A picture that a ControlNet sees, and when.
struct ControlRequest {
  models::ControlNet net{nullptr};
  torch::Tensor picture;  // [N, conditioning_channels, H, W] in [0, 1], H and W those of the image painted
  double scale = 1.0;
  double from = 0.0;  // shares of the run at whose steps it speaks
  double until = 1.0;
  bool guess = false;  // see ControlNet::forward; and only the pass with the prompt hears it
};

struct PaintingRequest {
  torch::Tensor text;      // [N, T, D] as StableDiffusion::encode gives it
  torch::Tensor negative;  // likewise, what guidance leads away from; needed where guidance is not 1
  torch::Tensor noise;     // [N, C, h, w] standard normal, which the run starts from
  int steps = 30;
  double guidance = 7.5;          // 1: none
  double guidance_rescale = 0.0;  // see diffusion::rescale_guidance
  double eta = 0.0;               // of DDIM
  // Begins at an image, [N, C, h, w] as StableDiffusion::latents_of gives it; undefined: at noise.
  torch::Tensor image;
  double strength = 1.0;  // in (0, 1]: how much of the way from noise is gone
  // [N, 1, h, w], 1 where the image is painted anew: inpainting. A network of 9 input channels sees the image with the
  // hole, `masked_image`; another gets the image back around the hole after every step.
  torch::Tensor repaint;
  torch::Tensor masked_image;
  ControlRequest control;      // its net is null: none
  models::BoxCondition boxes;  // undefined: none
  double boxes_until = 0.3;    // share of the run's steps at which boxes speak (Li et al. 2023, section 3.4: tau)
};

class StableDiffusion {
 public:
  explicit StableDiffusion(Checkpoint checkpoint) : model_(std::move(checkpoint)) {}
  const Checkpoint& model() const { return model_; }

  // The text encoder's states: [N, T, D]. `skipped`: see ClipTextModel. RequestError without a tokenizer.
  torch::Tensor encode(const std::vector<std::string>& texts, std::int64_t skipped = 0);
  // The pooled states, [1, N, D], of the phrases that boxes stand for.
  torch::Tensor encode_phrases(const std::vector<std::string>& phrases);
  // image: [N, 3, H, W] in [-1, 1]; noise: of the latents' spread, undefined: their mean. Result: [N, C, h, w].
  torch::Tensor latents_of(const torch::Tensor& image, const torch::Tensor& noise = {});
  // [N, C, h, w] to [N, 3, H, W], about [-1, 1].
  torch::Tensor decode(const torch::Tensor& latents);

  // From noise to latents. `fresh`: noise for samplers that draw it, by step; `seen`: shown the latents after each.
  // RequestError for a request that contradicts itself or the model.
  torch::Tensor paint(const PaintingRequest& request, const diffusion::NoiseSource& fresh = {},
                      const std::function<void(const torch::Tensor&)>& seen = {});

 private:
  void check(const PaintingRequest& request, bool remembers) const;
  // What the network says with guidance at step `index` of `count`.
  torch::Tensor guided(const PaintingRequest& request, const torch::Tensor& x, double t, std::size_t index,
                       std::size_t count);
  void add_control(const PaintingRequest& request, const torch::Tensor& x, double t, double share_begun,
                   double share_done, models::UNetCondition& condition);

  Checkpoint model_;
};

}  // namespace terragen::pretrained
