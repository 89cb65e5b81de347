// Bytes as text (RFC 4648, section 4), for pictures inside a page.
#pragma once

#include <string>
#include <string_view>

namespace terragen {

// Padded with '=' to a multiple of four characters, without line breaks.
std::string base64(std::string_view bytes);

}  // namespace terragen
