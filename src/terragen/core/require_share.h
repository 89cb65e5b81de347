// The check of every setting that is a share of something.
#pragma once

#include <string_view>

namespace terragen {

// RequestError naming the setting where `value` is not in [0, 1].
void require_share(std::string_view name, double value);

}  // namespace terragen
