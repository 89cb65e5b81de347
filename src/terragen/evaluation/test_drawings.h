// Small drawn datasets and untrained models on disk. For tests only.
#pragma once

#include <torch/torch.h>

#include <filesystem>
#include <format>
#include <string>

#include "terragen/core/seed.h"
#include "terragen/data/dataset.h"
#include "terragen/geo/raster_io.h"
#include "terragen/models/model_folder.h"
#include "terragen/models/perception_model.h"
#include "terragen/synthesis/image_raster.h"
#include "terragen/synthesis/test_model.h"
#include "terragen/tensor/seeded_noise.h"

namespace terragen::test {

inline layout::Taxonomy drawn_classes() { return layout::Taxonomy({{"building", {200, 0, 0}}}); }

inline models::ImageInfo drawn_images() {
  models::ImageInfo images;
  images.bands = {{"red", 0, 255}, {"green", 0, 255}, {"blue", 0, 255}};
  return images;
}

// A card that names one place.
inline Json card_of(const std::string& place) {
  return {{"trained_on", Json::array({{{"dataset", "elsewhere"}, {"places", Json::array({place})}}})}};
}

// A bright square on noise an image, "building"; images of the training split are of "train town", others of "test
// town".
inline data::Dataset write_drawn_dataset(const std::filesystem::path& folder, int train, int test, int size = 64) {
  std::filesystem::create_directories(folder / "images");
  data::Dataset dataset{.name = folder.filename().string(), .task = "building", .data_type = "uint8"};
  dataset.bands = {{"red", 0, 255}, {"green", 0, 255}, {"blue", 0, 255}};
  dataset.taxonomy = drawn_classes();
  dataset.provenance = Json::object();
  for (int i = 0; i < train + test; ++i) {
    Random random(static_cast<std::uint64_t>(i));
    const auto x = random.below(size - 20);
    const auto y = random.below(size - 20);
    torch::Tensor image = 0.2 * tensor::seeded_normal({3, size, size}, static_cast<std::uint64_t>(i)) - 0.3;
    image.slice(1, y, y + 20).slice(2, x, x + 20).fill_(0.8);
    const geo::Raster raster =
        synthesis::raster_from_image(image.clamp(-1, 1), drawn_images().bands, geo::DataType::uint8, {});
    data::ImageRecord record;
    record.file_name = std::format("{:03}{}", i, synthesis::image_extension(raster));
    record.width = record.height = size;
    record.split = i < train ? data::Split::train : data::Split::test;
    record.place = i < train ? "train town" : "test town";
    record.gsd = 0.5;
    const auto left = static_cast<double>(x);
    const auto top = static_cast<double>(y);
    record.features.push_back({0, layout::make_box({left, top, left + 20, top + 20}), false, {}});
    geo::write_raster(folder / "images" / record.file_name, raster);
    dataset.images.push_back(std::move(record));
  }
  data::write_dataset(dataset, folder);
  return dataset;
}

// An untrained model that looks at such images.
inline void write_perception(const std::filesystem::path& folder, const std::string& architecture, const Json& card) {
  torch::manual_seed(1);
  models::PerceptionConfig config{.architecture = architecture,
                                  .images = drawn_images(),
                                  .taxonomy = drawn_classes(),
                                  .background = !architecture.starts_with("fcos"),
                                  .card = card};
  models::save_perception_model(models::new_perception_model(config), folder);
}

// An untrained generator that paints sizes which are multiples of 16; its weights are the seed's.
inline void write_generator(const std::filesystem::path& folder, const Json& card, std::uint64_t seed = 1) {
  models::ModelFolder model = synthesis::small_model(drawn_classes(), {"building"}, seed);
  model.images = drawn_images();
  model.dense_tasks.clear();
  model.card = card;
  models::save_model(model, folder);
}

}  // namespace terragen::test
