// A published model that is to learn layouts: the same networks with TerraGen's layout encoder beside them.
#pragma once

#include "terragen/models/model_folder.h"
#include "terragen/pretrained/checkpoint.h"

namespace terragen::pretrained {

// Whether `path` holds a published model rather than one of TerraGen's own.
bool is_published(const std::filesystem::path& path);

// The published U-Net with layout injection and decoupled attention that start at zero, and with inputs for a masked
// image and its mask, as TerraGen's own generators have them ([noisy, masked, mask]): at first it says what it said
// before, whatever the layout. A new layout encoder of `layout`, one level of channels a level of the U-Net, whose
// time_dim, latent_cell are the published model's. Text encoder and tokenizer become the caption encoder. The image
// description is left for the data to say. RequestError for channels that do not fit the levels, DataError naming
// `place` for a U-Net of other inputs than 4 or (inpainting) 9 channels of latents.
models::ModelFolder with_layouts(Checkpoint published, models::LayoutEncoderConfig layout, const std::string& place);

}  // namespace terragen::pretrained
