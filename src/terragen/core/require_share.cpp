#include "terragen/core/require_share.h"

#include <format>

#include "terragen/core/error.h"

namespace terragen {

void require_share(std::string_view name, double value) {
  if (!(value >= 0 && value <= 1)) throw RequestError(std::format("{} is {}, not in [0, 1]", name, value));
}

}  // namespace terragen
