#include "terragen/pretrained/image_start.h"

#include <format>

#include "terragen/core/error.h"
#include "terragen/pretrained/prepared_image.h"

namespace terragen::pretrained {

void ImageStart::validate(int width, int height) const {
  const std::vector<std::int64_t> size{height, width};
  if (!image.defined()) {
    if (mask.defined() || strength) throw RequestError("a mask and a strength need an image");
    return;
  }
  if (image.scalar_type() != torch::kUInt8 || image.sizes() != std::vector<std::int64_t>{height, width, 3}) {
    throw RequestError(std::format("the image is not of three bands of 8 bits and {}x{} pixels", width, height));
  }
  if (mask.defined()) {
    if (mask.scalar_type() != torch::kUInt8 || mask.sizes() != size) {
      throw RequestError(std::format("the mask is not of one band of 8 bits and {}x{} pixels", width, height));
    }
    if (!mask.ge(128).any().item<bool>()) {
      throw RequestError("the mask marks no pixel", "what is painted anew has values from 128 on");
    }
  }
  const double share = chosen_strength();
  if (!(share > 0 && share <= 1)) throw RequestError(std::format("strength is {}, not in (0, 1]", share));
}

void begin_at(StableDiffusion& pipeline, const ImageStart& start, PaintingRequest& request) {
  if (!start.image.defined()) return;
  const torch::Device device = request.text.device();
  const models::AutoencoderConfig& autoencoder = pipeline.model().autoencoder->config();
  const bool sees_hole = pipeline.model().unet->config().in_channels > autoencoder.latent_channels;
  const torch::Tensor image = to_signed(start.image).to(device);
  request.strength = start.chosen_strength();
  if (start.mask.defined()) {
    const torch::Tensor hole = to_repaint(start.mask).to(device);
    request.repaint = torch::max_pool2d(hole, autoencoder.downscale());
    if (sees_hole) request.masked_image = pipeline.latents_of(image * (1.0 - hole));
  }
  // A network that sees what surrounds the hole needs the image itself only where it begins at it.
  if (!sees_hole || request.strength < 1) request.image = pipeline.latents_of(image);
}

torch::Tensor pasted_back(const torch::Tensor& original, const torch::Tensor& mask, const torch::Tensor& painted,
                          std::int64_t reach) {
  const auto planes = [](const torch::Tensor& pixels) {
    return pixels.permute({2, 0, 1}).unsqueeze(0).to(torch::kFloat32);
  };
  const auto blurred = [&](torch::Tensor x) {
    for (int pass = 0; pass < 2; ++pass) x = at::avg_pool2d(x, 2 * reach + 1, 1, reach, false, false);
    return x;
  };
  const torch::Tensor hole = to_repaint(mask);
  const torch::Tensor before = planes(original);
  const torch::Tensor after = planes(painted);
  const torch::Tensor around = blurred(1.0 - hole);  // about 1/2 at the edge, 0 far inside
  const torch::Tensor difference = blurred((before - after) * (1.0 - hole)) / around.clamp_min(1e-6);
  const torch::Tensor filled = (after + difference * (2.0 * around).clamp_max(1.0)).round().clamp(0, 255);
  return torch::where(hole.gt(0), filled, before).to(torch::kUInt8)[0].permute({1, 2, 0}).contiguous();
}

}  // namespace terragen::pretrained
