// Writes pictures as PNG (ISO/IEC 15948), 8-bit RGB, without any imaging library.
#pragma once

#include <filesystem>

#include "terragen/core/canvas.h"

namespace terragen {

// Atomic. Compressed where the build found zlib, else stored. DataError when the file cannot be written.
void write_png(const std::filesystem::path& path, const Canvas& canvas);

}  // namespace terragen
