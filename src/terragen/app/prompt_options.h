// `terragen generate --prompt`: images from a text alone, with a published model.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

#include "terragen/synthesis/painter.h"

namespace terragen::app {

struct PromptRequest {
  std::string prompt;
  std::string negative;
  std::optional<int> width;   // left open: the image's, the model's, else 512
  std::optional<int> height;  // likewise
  std::string image;          // painting begins at it
  std::string mask;           // what of the image is painted anew
  std::optional<double> strength;
  std::string tokenizer;                    // of a single file
  std::string prediction_type = "epsilon";  // of a single file
  std::vector<std::string> boxes;           // PHRASE@LEFT,TOP,RIGHT,BOTTOM
  double boxes_until = 0.3;
  std::string control_net;
  std::string control_image;
  double control_scale = 1.0;
  std::vector<std::string> loras;
  double lora_scale = 1.0;
};

void add_prompt_options(CLI::App& command, PromptRequest& request);
// RequestError for an option given that has no meaning with a prompt, or none without.
void check_prompt_options(const CLI::App& command, bool has_prompt);

// Paints `count` images into `output`; of `paint`, steps, guidance, sampler, device, precision and threads are used.
void generate_from_prompt(const PromptRequest& request, const synthesis::PaintOptions& paint, const std::string& model,
                          int count, std::uint64_t seed, const std::string& output);

}  // namespace terragen::app
