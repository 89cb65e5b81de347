#include "terragen/pretrained/stable_diffusion.h"

#include <format>

#include "terragen/core/error.h"
#include "terragen/diffusion/sampler.h"

namespace terragen::pretrained {
namespace {

torch::Tensor twice(const torch::Tensor& x) { return torch::cat({x, x}); }

torch::Tensor timestep_tensor(double t, const torch::Tensor& like) {
  return torch::full({like.size(0)}, t, torch::dtype(torch::kFloat32).device(like.device()));
}

bool is_guided(const PaintingRequest& request) { return request.guidance != 1.0; }

}  // namespace

torch::Tensor StableDiffusion::encode(const std::vector<std::string>& texts, std::int64_t skipped) {
  if (!model_.tokenizer) {
    throw RequestError("the model has no tokenizer", "name a tokenizer folder or CLIP's vocabulary file");
  }
  const torch::Device device = model_.text_encoder->parameters().front().device();
  const torch::Tensor ids = model_.tokenizer->encode(texts, model_.text_encoder->config().max_position_embeddings);
  return model_.text_encoder->forward(ids.to(device), {}, skipped).last_hidden_state.to(torch::kFloat32);
}

torch::Tensor StableDiffusion::encode_phrases(const std::vector<std::string>& phrases) {
  if (!model_.tokenizer) {
    throw RequestError("the model has no tokenizer", "name a tokenizer folder or CLIP's vocabulary file");
  }
  const torch::Device device = model_.text_encoder->parameters().front().device();
  const torch::Tensor ids = model_.tokenizer->encode(phrases, model_.text_encoder->config().max_position_embeddings);
  return model_.text_encoder->forward(ids.to(device)).pooled.to(torch::kFloat32).unsqueeze(0);
}

torch::Tensor StableDiffusion::latents_of(const torch::Tensor& image, const torch::Tensor& noise) {
  const models::Posterior posterior = model_.autoencoder->encode(image);
  return model_.autoencoder->normalise(noise.defined() ? posterior.sample(noise) : posterior.mean);
}

torch::Tensor StableDiffusion::decode(const torch::Tensor& latents) {
  return model_.autoencoder->decode(model_.autoencoder->denormalise(latents)).to(torch::kFloat32);
}

void StableDiffusion::check(const PaintingRequest& request, bool remembers) const {
  const models::UNetConfig& unet = model_.unet->config();
  const std::int64_t channels = model_.autoencoder->config().latent_channels;
  const auto is_text = [&](const torch::Tensor& x) {
    return x.defined() && x.dim() == 3 && x.size(2) == unet.cross_attention_dim;
  };
  if (!is_text(request.text))
    throw RequestError(std::format("the prompt must be [N, T, {}]", unet.cross_attention_dim));
  if (is_guided(request) && !(is_text(request.negative) && request.negative.sizes() == request.text.sizes())) {
    throw RequestError("guidance needs a negative prompt of the prompt's form");
  }
  if (!(request.strength > 0 && request.strength <= 1)) {
    throw RequestError(std::format("strength is {}, not in (0, 1]", request.strength));
  }
  if (request.strength < 1 && (!request.image.defined() || remembers)) {
    throw RequestError("a strength below 1 needs an image to begin at and a sampler that remembers nothing",
                       "choose ddim, ddpm, euler or euler-a");
  }
  if (!request.noise.defined() || request.noise.dim() != 4 || request.noise.size(1) != channels) {
    throw RequestError(std::format("noise must be [N, {}, h, w]", channels));
  }
  if (request.image.defined() && request.image.sizes() != request.noise.sizes()) {
    throw RequestError("the image's latents are not of the noise's form");
  }
  if (request.control.net) {
    const models::ControlNetConfig& control = request.control.net->config();
    const std::vector<std::int64_t> wanted{request.noise.size(0), control.conditioning_channels,
                                           request.noise.size(2) * control.downscale(),
                                           request.noise.size(3) * control.downscale()};
    if (!request.control.picture.defined() || request.control.picture.sizes() != wanted) {
      throw RequestError(std::format("the picture for the ControlNet must be [{}, {}, {}, {}]", wanted[0], wanted[1],
                                     wanted[2], wanted[3]));
    }
    if (control.unet.cross_attention_dim != unet.cross_attention_dim || control.unet.in_channels != channels ||
        control.unet.block_out_channels != unet.block_out_channels ||
        control.unet.layers_per_block != unet.layers_per_block) {
      throw RequestError("the ControlNet is not of the model's family");
    }
  }
  const bool sees_hole = unet.in_channels == 2 * channels + 1;
  if (!sees_hole && unet.in_channels != channels) {
    throw RequestError(
        std::format("a U-Net of {} input channels for latents of {} is not offered", unet.in_channels, channels));
  }
  if (sees_hole && !(request.repaint.defined() && request.masked_image.defined())) {
    throw RequestError("the model inpaints: it needs an image and what of it is painted anew");
  }
  if (!sees_hole && request.repaint.defined() && !request.image.defined()) {
    throw RequestError("inpainting needs an image");
  }
  const models::BoxCondition& named = request.boxes;
  if (!named.embeddings.defined()) return;
  if (unet.attention_type != "gated") {
    throw RequestError("the model cannot paint into boxes", "take one with GLIGEN's gates");
  }
  const std::int64_t n = request.noise.size(0);
  const std::int64_t count = named.embeddings.dim() == 3 ? named.embeddings.size(1) : -1;
  if (named.embeddings.sizes() != std::vector<std::int64_t>{n, count, unet.cross_attention_dim} ||
      !named.boxes.defined() || named.boxes.sizes() != std::vector<std::int64_t>{n, count, 4} ||
      !named.mask.defined() || named.mask.sizes() != std::vector<std::int64_t>{n, count}) {
    throw RequestError("boxes, their mask and their embeddings are not of one form");
  }
}

void StableDiffusion::add_control(const PaintingRequest& request, const torch::Tensor& x, double t, double share_begun,
                                  double share_done, models::UNetCondition& condition) {
  const ControlRequest& control = request.control;
  if (!control.net || share_begun < control.from || share_done > control.until) return;
  models::ControlNet net = control.net;
  // Guessing, the pass without the prompt hears nothing.
  const bool half = is_guided(request) && control.guess;
  const torch::Tensor input = is_guided(request) && !half ? twice(x) : x;
  const torch::Tensor picture = input.size(0) > control.picture.size(0) ? twice(control.picture) : control.picture;
  models::ControlResiduals said = net->forward(input, timestep_tensor(t, input), half ? request.text : condition.text,
                                               picture, control.scale, control.guess);
  const auto whole = [&](const torch::Tensor& y) { return half ? torch::cat({torch::zeros_like(y), y}) : y; };
  for (const torch::Tensor& residual : said.down) condition.down_residuals.push_back(whole(residual));
  condition.mid_residual = whole(said.mid);
}

torch::Tensor StableDiffusion::guided(const PaintingRequest& request, const torch::Tensor& x, double t,
                                      std::size_t index, std::size_t count) {
  const bool guides = is_guided(request);
  models::UNetCondition condition;
  condition.text = guides ? torch::cat({request.negative, request.text}) : request.text;
  const auto steps = static_cast<double>(count);
  add_control(request, x, t, static_cast<double>(index) / steps, static_cast<double>(index + 1) / steps, condition);
  if (request.boxes.embeddings.defined() &&
      index < static_cast<std::size_t>(request.boxes_until * static_cast<double>(count))) {
    condition.boxes = request.boxes;
    if (guides) {
      const torch::Tensor& mask = request.boxes.mask;
      condition.boxes = {twice(request.boxes.boxes), torch::cat({torch::zeros_like(mask), mask}),
                         twice(request.boxes.embeddings)};
    }
  }
  torch::Tensor input = x;
  if (request.masked_image.defined() && model_.unet->config().in_channels > x.size(1)) {
    input = torch::cat({x, request.repaint, request.masked_image}, 1);
  }
  if (guides) input = twice(input);
  const torch::Tensor said = model_.unet->forward(input, timestep_tensor(t, input), condition).to(torch::kFloat32);
  if (!guides) return said;
  const auto parts = said.chunk(2);
  return diffusion::rescale_guidance(diffusion::guide(parts[0], parts[1], {}, request.guidance, 0.0), parts[1],
                                     request.guidance_rescale);
}

torch::Tensor StableDiffusion::paint(const PaintingRequest& request, const diffusion::NoiseSource& fresh,
                                     const std::function<void(const torch::Tensor&)>& seen) {
  const torch::NoGradGuard no_grad;
  const auto sampler = diffusion::make_sampler(model_.scheduler, request.steps, request.eta);
  check(request, sampler->remembers());
  const std::size_t all = sampler->timesteps().size();
  const auto gone = static_cast<std::size_t>(static_cast<double>(all) * request.strength);
  const std::size_t first = all - std::max<std::size_t>(1, gone);
  // Inpainting at full strength forgets what was in the hole; an image that is painted over never quite.
  const bool anew = !request.image.defined() || (request.repaint.defined() && first == 0);
  const torch::Tensor start =
      anew ? request.noise * sampler->initial_scale() : sampler->noised(request.image, request.noise, first);
  const bool puts_back = request.repaint.defined() && request.image.defined() && !request.masked_image.defined();
  std::size_t index = 0;
  const auto denoise = [&](const torch::Tensor& x, double t) { return guided(request, x, t, index++, all - first); };
  const auto after = [&](std::size_t step, const torch::Tensor& x) {
    torch::Tensor result = x;
    if (puts_back) {
      const torch::Tensor around =
          step + 1 < all ? sampler->noised(request.image, request.noise, step + 1) : request.image;
      result = (1.0 - request.repaint) * around + request.repaint * x;
    }
    if (seen) seen(result);
    return result;
  };
  return diffusion::sample(*sampler, denoise, start, fresh, first, after);
}

}  // namespace terragen::pretrained
