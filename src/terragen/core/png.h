// Writes pictures as PNG (ISO/IEC 15948), 8-bit RGB, without any imaging library.
#pragma once

#include <filesystem>
#include <string>

#include "terragen/core/canvas.h"

namespace terragen {

// The content of a PNG file. Compressed where the build found zlib, else stored.
std::string png_bytes(const Canvas& canvas);

// As png_bytes, atomically. DataError when the file cannot be written.
void write_png(const std::filesystem::path& path, const Canvas& canvas);

}  // namespace terragen
