// What a file of low-rank adaptations says, in whatever words it says it.
#pragma once

#include <torch/torch.h>

#include <filesystem>
#include <map>
#include <string>

namespace terragen::pretrained {

// The change of one weight: scale * up * down.
struct LoraPair {
  torch::Tensor down;  // [rank, in, ...]
  torch::Tensor up;    // [out, rank, ...]
  double scale = 1;    // alpha / rank, or 1 where the file gives no alpha
};

// By the weight's module, "unet.PATH" or "text_encoder.PATH" with dots, or as the kohya scripts write it,
// "lora_unet_PATH" or "lora_te_PATH" with underscores. Read are the names of diffusers of all ages
// ("PATH.lora_A.weight", "PATH.lora.down.weight", "PATH.lora_linear_layer.down.weight",
// "attn1.processor.to_q_lora.down.weight", with "unet." before them or nothing), of PEFT ("base_model.model.PATH...")
// and of the kohya scripts. Alpha is a tensor of its own or stands in the metadata of diffusers
// ("lora_adapter_metadata") or in PEFT's adapter_config.json beside the file. DataError naming the file and the tensor
// that is no part of an adaptation or lacks its partner, and for kinds of adaptation that are not this one (DoRA, ranks
// that differ by pattern).
std::map<std::string, LoraPair> read_lora_file(const std::filesystem::path& path);

}  // namespace terragen::pretrained
