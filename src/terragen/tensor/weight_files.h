// The weights of one network on disk, as published models have them: in one file or in several.
#pragma once

#include <filesystem>

#include "terragen/tensor/safetensors.h"

namespace terragen::tensor {

// `path`: a safetensors file; the index of several (NAME.safetensors.index.json, NAME.bin.index.json), whose
// "weight_map" names the file of every tensor; or PyTorch's archive. Safetensors files are mapped into memory, see
// map_safetensors. DataError naming file and tensor: a damaged file, a tensor that the index and its file do not agree
// on, a file named by a path that leads anywhere but beside the index.
TensorMap map_weights(const std::filesystem::path& path);

// The weights that `folder` holds under the name `stem`, in this order: stem.safetensors, its index, the same in half
// precision (stem.fp16.safetensors, either name of its index), stem.bin and so on. DataError naming the folder where
// there are none.
std::filesystem::path find_weights(const std::filesystem::path& folder, const std::string& stem);
// The same under the names that transformers gives: "model", or "pytorch_model" in the older form.
std::filesystem::path find_transformers_weights(const std::filesystem::path& folder);

}  // namespace terragen::tensor
