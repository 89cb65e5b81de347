#include "terragen/models/sam_checkpoint.h"

#include <format>

#include "terragen/core/error.h"
#include "terragen/models/efficient_sam.h"
#include "terragen/models/model_io.h"
#include "terragen/models/segment_anything.h"
#include "terragen/tensor/pytorch_archive.h"

namespace terragen::models {
namespace {

const std::string kPatches = "image_encoder.patch_embed.proj.weight";
// EfficientSAM's checkpoints keep the state dictionary under this key.
const std::string kStatePrefix = "model.";

tensor::TensorMap without_prefix(tensor::TensorMap tensors) {
  if (!tensors.contains(kStatePrefix + kPatches)) return tensors;
  tensor::TensorMap state;
  for (const auto& [name, value] : tensors) {
    if (name.starts_with(kStatePrefix)) state[name.substr(kStatePrefix.size())] = value;
  }
  return state;
}

}  // namespace

SamVariant sam_variant_of(const tensor::TensorMap& tensors, const std::string& place) {
  const auto patches = tensors.find(kPatches);
  if (patches == tensors.end() || patches->second.dim() != 4) {
    throw DataError(place, "holds no weights of Segment Anything or EfficientSAM");
  }
  const std::int64_t width = patches->second.size(0);
  if (tensors.contains("image_encoder.blocks.0.mlp.fc1.weight")) {
    if (width == efficient_sam_ti().encoder.width) return SamVariant::efficient_ti;
    if (width == efficient_sam_s().encoder.width) return SamVariant::efficient_s;
  } else if (tensors.contains("image_encoder.blocks.0.mlp.lin1.weight")) {
    if (width == sam_vit_b().encoder.width) return SamVariant::vit_b;
    if (width == sam_vit_l().encoder.width) return SamVariant::vit_l;
    if (width == sam_vit_h().encoder.width) return SamVariant::vit_h;
  }
  throw DataError(place, std::format("holds an image encoder of width {}, which is none of the published ones", width),
                  "known are Segment Anything with ViT-B, ViT-L and ViT-H, and EfficientSAM Ti and S");
}

std::shared_ptr<PromptableSegmenter> new_promptable_segmenter(SamVariant variant) {
  switch (variant) {
    case SamVariant::vit_b:
      return std::make_shared<SegmentAnythingImpl>(sam_vit_b());
    case SamVariant::vit_l:
      return std::make_shared<SegmentAnythingImpl>(sam_vit_l());
    case SamVariant::vit_h:
      return std::make_shared<SegmentAnythingImpl>(sam_vit_h());
    case SamVariant::efficient_ti:
      return std::make_shared<EfficientSamImpl>(efficient_sam_ti());
    case SamVariant::efficient_s:
      return std::make_shared<EfficientSamImpl>(efficient_sam_s());
  }
  throw InternalError("unknown variant of Segment Anything");
}

std::shared_ptr<PromptableSegmenter> load_promptable_segmenter(const std::filesystem::path& path) {
  const tensor::TensorMap tensors = without_prefix(tensor::load_tensor_file(path));
  const auto segmenter = new_promptable_segmenter(sam_variant_of(tensors, path.string()));
  load_parameters(*segmenter, tensors, path.string());
  segmenter->eval();
  return segmenter;
}

}  // namespace terragen::models
