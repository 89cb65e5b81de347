// What PyTorch's torch.save writes of a state dictionary ("model.pth"): a zip file that holds a pickle and every
// tensor's bytes. The pickle is read as data, so that a file from a stranger can do nothing.
//
// Known are dictionaries, lists and plain values around tensors of the types that safetensors has; every name in the
// pickle other than torch._utils._rebuild_tensor_v2, torch.*Storage and collections.OrderedDict is refused.
#pragma once

#include <filesystem>

#include "terragen/tensor/safetensors.h"

namespace terragen::tensor {

// Every tensor in the archive, by the keys of the dictionaries and the numbers of the lists that lead to it, joined by
// dots: a checkpoint {"model": state_dict} gives "model.conv.weight". Other values are left out. Tensors may share
// memory, as they do in the file, and need not be contiguous.
// DataError naming the file and the place in it for everything that is not as above, for damaged files, and for the
// form that PyTorch wrote before release 1.6.
TensorMap load_pytorch_archive(const std::filesystem::path& path);

// A safetensors file or an archive as above, told apart by the first bytes.
TensorMap load_tensor_file(const std::filesystem::path& path);

}  // namespace terragen::tensor
