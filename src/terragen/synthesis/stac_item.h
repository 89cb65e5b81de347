// A STAC item (1.0.0) for every painted image: that it is synthetic, and everything that made it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "terragen/core/json_file.h"

namespace terragen::synthesis {

struct Provenance {
  std::string model_hash;
  std::uint64_t seed = 0;
  std::string layout_source;
  Json settings;  // sampler, steps, guidance, precision
};

// `image`: path of the image relative to the item. An image without georeference has a null geometry, as STAC allows.
Json stac_item(const std::string& id, const std::string& image, int width, int height, const std::string& crs,
               const std::optional<std::array<double, 6>>& crs_from_pixel, const Provenance& provenance);

}  // namespace terragen::synthesis
