#include "terragen/evaluation/leak_check.h"

#include <algorithm>
#include <array>
#include <format>
#include <map>
#include <memory>
#include <optional>
#include <set>

#include "terragen/core/error.h"
#include "terragen/data/packed_samples.h"
#include "terragen/data/painters_card.h"
#include "terragen/geo/georeference.h"
#include "terragen/layout/geometry.h"

namespace terragen::evaluation {
namespace {

struct Footprint {
  const data::ImageRecord* image;
  layout::Bounds ground;  // degrees
};

std::set<std::string> places_of(const data::Dataset& dataset, data::Split split) {
  std::set<std::string> places;
  for (const data::ImageRecord& image : dataset.images) {
    if (image.split == split) places.insert(image.place);
  }
  return places;
}

std::vector<Footprint> footprints(const data::Dataset& dataset, data::Split split) {
  std::map<std::string, std::unique_ptr<geo::CrsTransform>> transforms;
  std::vector<Footprint> result;
  for (const data::ImageRecord& image : dataset.images) {
    if (image.split != split || image.crs.empty() || !image.crs_from_pixel) continue;
    if (!transforms.contains(image.crs) && !geo::is_on_earth(image.crs)) continue;  // a site's own grid
    auto& to_degrees = transforms[image.crs];
    if (!to_degrees) to_degrees = std::make_unique<geo::CrsTransform>(image.crs, "EPSG:4326");
    layout::Bounds ground{180, 90, -180, -90};
    for (const auto& [x, y] : std::array<geo::Position, 4>{
             {{0, 0}, {1.0 * image.width, 0}, {0, 1.0 * image.height}, {1.0 * image.width, 1.0 * image.height}}}) {
      const auto corner = to_degrees->apply(geo::crs_from_pixel(*image.crs_from_pixel, {x, y}));
      if (!corner) continue;
      ground = {std::min(ground.x0, corner->x), std::min(ground.y0, corner->y), std::max(ground.x1, corner->x),
                std::max(ground.y1, corner->y)};
    }
    if (ground.x0 < ground.x1 && ground.y0 < ground.y1) result.push_back({&image, ground});
  }
  return result;
}

// More than a touching edge: tiles of one grid share those, and their boxes in degrees reach a little beyond them where
// the grid is turned against north.
bool overlaps(const layout::Bounds& one, const layout::Bounds& two) {
  const double w = std::min(one.x1, two.x1) - std::max(one.x0, two.x0);
  const double h = std::min(one.y1, two.y1) - std::max(one.y0, two.y0);
  constexpr double kShare = 0.05;
  return w > kShare * std::min(one.width(), two.width()) && h > kShare * std::min(one.height(), two.height());
}

// Where one source of a card says that its images lie; whether it says so of all.
struct NamedPlaces {
  std::set<std::string> places;
  bool all = false;
};

NamedPlaces named_places(const Json& source, const std::string& model) {
  NamedPlaces named{json_member_or<std::set<std::string>>(source, "places", {}, model)};
  named.all = !named.places.empty() && !named.places.contains("");
  return named;
}

void check_places(const Json& card, const std::string& model, const std::set<std::string>& tested,
                  const std::string& dataset) {
  if (tested.contains("")) {
    throw RequestError(std::format("{} has test images that name no place", dataset),
                       "nothing shows then that a model has not seen them; name places in the recipe");
  }
  const Json trained = card.is_object() ? card.value("trained_on", Json::array()) : Json::array();
  bool told = !trained.empty();
  for (const Json& source : trained) {
    const NamedPlaces named = named_places(source, model);
    told = told && named.all;
    for (const std::string& place : named.places) {
      if (!tested.contains(place)) continue;
      throw DataError(model, std::format("was trained on {} of {}, a test place of {}", place,
                                         source.value("dataset", "a dataset"), dataset));
    }
  }
  if (!told) {
    throw RequestError(std::format("{} does not say which places it was trained on", model),
                       "without that nothing shows that the test places are new to it; train it again");
  }
}

}  // namespace

void check_splits(const data::Dataset& dataset) {
  const std::set<std::string> tested = places_of(dataset, data::Split::test);
  for (const data::Split split : {data::Split::train, data::Split::val}) {
    for (const std::string& place : places_of(dataset, split)) {
      if (!place.empty() && tested.contains(place)) {
        throw DataError((dataset.folder / "dataset.json").string(),
                        std::format("the place \"{}\" is both in {} and in test", place, data::split_name(split)),
                        "split by place, never by tile");
      }
    }
    const std::vector<Footprint> test_ground = footprints(dataset, data::Split::test);
    for (const Footprint& seen : footprints(dataset, split)) {
      for (const Footprint& test : test_ground) {
        if (!overlaps(seen.ground, test.ground)) continue;
        throw DataError((dataset.folder / "dataset.json").string(),
                        std::format("{} ({}) shows ground of {} (test)", seen.image->file_name, data::split_name(split),
                                    test.image->file_name),
                        "split by place, never by tile");
      }
    }
  }
}

void check_model(const Json& card, const std::string& model, const data::Dataset& dataset) {
  check_places(card, model, places_of(dataset, data::Split::test), dataset.name);
}

bool check_painters(const data::Dataset& made, const data::Dataset& tested) {
  const std::string who = "what painted " + made.name;
  const std::vector<Json> cards = data::painters_cards(made.provenance);
  for (const Json& card : cards) check_model(card, who, tested);
  const std::vector<Json> sources = data::sources_of_painted(made.provenance);
  if (!sources.empty()) check_model({{"trained_on", sources}}, who, tested);
  return !cards.empty();
}

bool was_elsewhere(const Json& sources, const std::string& model, const data::Dataset& dataset) {
  const std::set<std::string> here = places_of(dataset, data::Split::train);
  return !sources.empty() && std::ranges::all_of(sources, [&](const Json& source) {
    const NamedPlaces named = named_places(source, model);
    return named.all &&
           std::ranges::none_of(named.places, [&](const std::string& place) { return here.contains(place); });
  });
}

void check_model(const Json& card, const std::string& model, const shards::ShardReader& tested) {
  std::map<std::string, std::set<std::string>> places;  // by dataset
  for (std::size_t i = 0; i < tested.size(); ++i) {
    places[data::dataset_of(tested.source(i))].insert(tested.layout(i).place);
  }
  for (const auto& [dataset, own] : places) check_places(card, model, own, dataset);
}

}  // namespace terragen::evaluation
