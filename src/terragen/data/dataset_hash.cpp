#include "terragen/data/dataset_hash.h"

#include "terragen/core/json_file.h"
#include "terragen/core/sha256.h"

namespace terragen::data {

std::string dataset_hash(const Dataset& dataset) {
  Sha256 hash;
  const auto add = [&hash](const std::string& text) { hash.update(std::as_bytes(std::span(text))); };
  Json description = read_json(dataset.folder / "dataset.json");
  for (const char* origin : {"provenance", "problems"}) description.erase(origin);
  add(description.dump());
  add(sha256_hex_of_file(dataset.folder / "annotations.json"));
  for (const ImageRecord& image : dataset.images) {
    add(sha256_hex_of_file(dataset.folder / "images" / image.file_name));
    if (image.mask_name) add(sha256_hex_of_file(dataset.folder / "masks" / *image.mask_name));
  }
  return hash.hex();
}

}  // namespace terragen::data
