// The published weights of Segment Anything and EfficientSAM.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "terragen/models/promptable_segmenter.h"
#include "terragen/tensor/safetensors.h"

namespace terragen::models {

enum class SamVariant { vit_b, vit_l, vit_h, efficient_ti, efficient_s };

// Told by the names and shapes of a checkpoint's tensors. DataError naming `place` where they are of none of these.
SamVariant sam_variant_of(const tensor::TensorMap& tensors, const std::string& place);
// Untrained.
std::shared_ptr<PromptableSegmenter> new_promptable_segmenter(SamVariant variant);
// A .pth or .pt file as it was published, or a safetensors file with the same names; ready for use, on the CPU.
// DataError naming the file and what in it is wrong.
std::shared_ptr<PromptableSegmenter> load_promptable_segmenter(const std::filesystem::path& path);

}  // namespace terragen::models
