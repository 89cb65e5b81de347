// Images from a text alone, written to a folder.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "terragen/core/json_file.h"
#include "terragen/pretrained/checkpoint.h"
#include "terragen/pretrained/image_start.h"
#include "terragen/tensor/device.h"

namespace terragen::pretrained {

// A thing named by a phrase and the box it is to stand in.
struct PhraseBox {
  std::string phrase;
  // Left, top, right, bottom as shares of width and height, in [0, 1].
  double left = 0, top = 0, right = 0, bottom = 0;
};
// "PHRASE@LEFT,TOP,RIGHT,BOTTOM". RequestError for anything else.
PhraseBox parse_phrase_box(const std::string& text);

struct PromptOptions {
  std::string prompt;
  std::string negative;
  int count = 1;
  std::uint64_t seed = 0;  // image i is painted from a seed derived from this one and i
  int width = 512;         // pixels, a multiple of the autoencoder's cell
  int height = 512;
  int steps = 30;
  double guidance = 7.5;
  double guidance_rescale = 0.0;
  std::string sampler;  // one of diffusion::sampler_names(); empty: the model's own
  ImageStart start;
  std::vector<PhraseBox> boxes;
  double boxes_until = 0.3;
  // A ControlNet and what it sees: [3, height, width], float32 in [0, 1].
  models::ControlNet control_net{nullptr};
  torch::Tensor control_picture;
  double control_scale = 1.0;
  tensor::ComputeOptions compute;
  Json sources = Json::object();  // where the model and its additions came from, for generation.json

  // RequestError naming the value that cannot be.
  void validate() const;
};
// What the images depend on.
Json to_json(const PromptOptions& options);

// Writes an image, [height, width, 3], uint8, to a file that is named `stem` and an extension; gives the extension.
using PictureWriter = std::function<std::string(const std::filesystem::path& stem, const torch::Tensor& pixels)>;
std::string write_png_picture(const std::filesystem::path& stem, const torch::Tensor& pixels);

// Writes the images, images/NUMBER, and generation.json, complete or not at all; stopped by the user, those that are
// painted, and throws Interrupted. RequestError also for a prompt longer
// than the text encoder takes.
void paint_prompt(Checkpoint model, const PromptOptions& options, const std::filesystem::path& output,
                  const PictureWriter& write = write_png_picture);

}  // namespace terragen::pretrained
