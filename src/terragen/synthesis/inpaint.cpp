#include "terragen/synthesis/inpaint.h"

#include <algorithm>
#include <format>
#include <iterator>
#include <memory>
#include <numeric>
#include <set>

#include "terragen/core/error.h"
#include "terragen/core/progress.h"
#include "terragen/data/dataset_hash.h"
#include "terragen/data/packed_samples.h"
#include "terragen/data/packing.h"
#include "terragen/synthesis/augmented_dataset.h"
#include "terragen/synthesis/dataset_parts.h"
#include "terragen/synthesis/painting_condition.h"
#include "terragen/synthesis/placement_picture.h"
#include "terragen/synthesis/rule_learning.h"
#include "terragen/synthesis/thing_picture.h"

namespace terragen::synthesis {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostOthers = 64;  // things of other classes that the filter compares with

layout::Taxonomy with_class(const layout::Taxonomy& taxonomy, const std::string& name,
                            const layout::Taxonomy& examples) {
  std::vector<layout::ClassInfo> classes = taxonomy.classes();
  if (taxonomy.find(name) < 0) classes.push_back(examples.at(examples.find(name)));
  return layout::Taxonomy(std::move(classes));
}

// Examples are pasted and learned from: what shows a test place must not be among them.
void require_places_apart(const data::Dataset& examples, const data::Dataset& dataset) {
  std::set<std::string> tested;
  for (const data::ImageRecord& image : dataset.images) {
    if (image.split == data::Split::test && !image.place.empty()) tested.insert(image.place);
  }
  for (const data::ImageRecord& image : examples.images) {
    if (image.split == data::Split::test || !tested.contains(image.place)) continue;
    throw DataError((examples.folder / "dataset.json").string(),
                    std::format("{} shows {}, a test place of {}", image.file_name, image.place, dataset.name),
                    "take examples of other places, or give them the split test: they are left out then");
  }
}

Json source_of_examples(const data::Dataset& examples) {
  std::set<std::string> places;
  int samples = 0;
  for (const data::ImageRecord& image : examples.images) {
    if (image.split == data::Split::test) continue;
    places.insert(image.place);
    ++samples;
  }
  return {{"dataset", examples.name},    {"task", examples.task},
          {"licence", examples.licence}, {"attribution", examples.attribution},
          {"samples", samples},          {"places", places}};
}

// The examples' samples in the classes of the result.
std::vector<shards::Sample> example_samples(const data::Dataset& examples, const layout::Taxonomy& taxonomy) {
  data::Dataset shown = examples;
  std::erase_if(shown.images, [](const data::ImageRecord& image) { return image.split == data::Split::test; });
  for (data::ImageRecord& image : shown.images) image.split = data::Split::train;
  if (shown.images.empty()) throw RequestError(std::format("{} has no images but test images", examples.name));
  const data::PackedSamples packed({shown}, "train");
  const std::vector<int> numbers = class_numbers(packed.reader().set().taxonomy, taxonomy, "the dataset");
  std::vector<shards::Sample> samples;
  for (std::size_t i = 0; i < packed.reader().size(); ++i) {
    samples.push_back(packed.reader().get(i));
    samples.back().layout = renumbered(std::move(samples.back().layout), numbers);
  }
  return samples;
}

Json settings_of(const data::Dataset& dataset, const data::Dataset& examples, const Painter& painter,
                 const MaskRefiner& refiner, const InpaintOptions& options, const Json& rule) {
  Json settings = to_json(options);
  settings.update({{"dataset", dataset.name},
                   {"dataset_sha256", data::dataset_hash(dataset)},
                   {"examples", examples.name},
                   {"examples_sha256", data::dataset_hash(examples)},
                   {"model_sha256", painter.model().hash},
                   {"model_card", painter.model().card},
                   {"painting", to_json(painter.options())},
                   {"refiner", refiner.name()},
                   {"refiner_sha256", refiner.hash()},
                   {"rule", rule}});
  return settings;
}

Json to_json(const InpaintedObject& object, const std::vector<Reference>& references) {
  return {{"reference", references[object.reference].source},
          {"geometry", layout::geometry_to_json(object.placement.geometry)},
          {"score", object.placement.score},
          {"strength", object.strength},
          {"seed", object.seed},
          {"overlap", object.overlap},
          {"margin", object.margin},
          {"judged", object.judged},
          {"rejected", object.rejected}};
}

// Everything that scenes share, and the folder in which finished ones lie until all are.
class DatasetInpainter {
  // What was made of one scene.
  struct Part {
    fs::path folder;
    data::Dataset dataset;
  };

 public:
  DatasetInpainter(const data::Dataset& dataset, const data::Dataset& examples, Painter& painter, MaskRefiner& refiner,
                   const models::PerceptionInference* judge, const InpaintOptions& options)
      : options_(options), stems_(dataset), result_(dataset) {
    if (examples.taxonomy.find(options.class_name) < 0) {
      throw RequestError(std::format("the examples do not have the class \"{}\"", options.class_name));
    }
    data::require_same_bands(examples, dataset);
    require_places_apart(examples, dataset);
    example_source_ = source_of_examples(examples);
    result_.taxonomy = with_class(dataset.taxonomy, options.class_name, examples.taxonomy);
    empty_ = result_;
    empty_.images.clear();
    empty_.problems.clear();
    empty_.provenance = {};
    classes_.label = result_.taxonomy.find(options.class_name);
    const models::ModelFolder& model = painter.model();
    const layout::Taxonomy& known = model.layout_encoder->config().taxonomy;
    classes_.painted = known.find(options.class_name);
    if (classes_.painted < 0 && model.reference_encoder) classes_.painted = known.find(models::kReferenceClass);
    if (classes_.painted < 0) {
      throw RequestError(std::format("the model can paint no \"{}\"", options.class_name),
                         "`terragen train generator --reference-share 0.3` teaches it to paint after examples");
    }
    training_ = data::training_images(dataset);
    packed_ = std::make_unique<data::PackedSamples>(std::vector<data::Dataset>{training_}, "train");
    // The class may be new to the model, and to the dataset.
    for (const layout::ClassInfo& entry : dataset.taxonomy.classes()) {
      const int index = entry.name == options.class_name ? classes_.painted : known.find(entry.name);
      if (index < 0) throw RequestError(std::format("the model does not know the class \"{}\"", entry.name));
      classes_.numbers.push_back(index);
    }
    check_bands_and_tasks(painter.model(), packed_->reader().set());
    const std::vector<shards::Sample> samples = example_samples(examples, result_.taxonomy);
    const int picture = model.reference_encoder ? static_cast<int>(model.reference_encoder->config().size) : 64;
    check_resolution(samples);
    references_ = references_of(samples, classes_.label, picture);
    outline_boxes(references_, refiner, options.objects.mask, picture);
    if (references_.empty()) {
      throw RequestError(std::format("the examples show no {} that could be placed", options.class_name),
                         "things must be at least 6 pixels wide and high and cover at most half of their image");
    }
    rule_ = options.rule ? *options.rule : learned_rule(samples, classes_.label, shares_of_scenes());
    rule_.validate(result_.taxonomy.size());
    if (rule_.least_likeness > 0) likeness_.emplace(samples, classes_.label);
    if (options.filter && model.reference_encoder) {
      filter_.emplace(model.reference_encoder, references_, other_things(picture), options.reject_share);
    }
    if (judge != nullptr) {
      const int known_as = judge->model().config.taxonomy.find(options.class_name);
      if (known_as < 0) throw RequestError(std::format("the judge does not know the class \"{}\"", options.class_name));
      judge_.emplace(*judge, known_as, references_, options.reject_share);
    }
    inpainter_ = std::make_unique<ObjectInpainter>(
        painter, refiner, ThingFilters{filter_ ? &*filter_ : nullptr, judge_ ? &*judge_ : nullptr}, references_,
        options.objects);
    settings_ = settings_of(dataset, examples, painter, refiner, options,
                            layout::placement_rule_to_json(rule_, result_.taxonomy));
    if (judge != nullptr) settings_["judge_sha256"] = judge->model().hash;
  }

  InpaintSummary run(const fs::path& output) {
    const DatasetParts kept(output, settings_);
    std::vector<std::size_t> scenes(training_.images.size());
    std::iota(scenes.begin(), scenes.end(), std::size_t{0});
    std::size_t wanted = scenes.size();
    if (options_.scenes > 0) {
      Random random(derive_seed(options_.seed, 0));
      shuffle(scenes, random);
      wanted = std::min(wanted, static_cast<std::size_t>(options_.scenes));
    }
    Progress progress("inpainting", static_cast<std::int64_t>(wanted));
    std::vector<Part> parts;
    std::size_t holding = 0;
    for (const std::size_t scene : scenes) {
      if (holding == wanted) break;
      bool holds = false;
      for (int copy = 0; copy < options_.per_scene; ++copy) {
        const fs::path folder = kept.part(std::format("{:05}_{}", scene, copy),
                                          [&](const fs::path& part) { inpaint_scene(scene, copy, part); });
        parts.push_back({folder, data::read_dataset(folder)});
        holds = holds || !parts.back().dataset.images.empty();
      }
      // Another scene stands in for one that has no room.
      if (!holds && options_.scenes > 0) continue;
      ++holding;
      progress.advance();
    }
    InpaintSummary summary{.references = references_.size(), .scenes = parts.size()};
    if (filter_) summary.threshold = filter_->threshold();
    if (judge_) summary.judge_threshold = judge_->threshold();
    finish(parts, output, summary);
    kept.remove();
    return summary;
  }

 private:
  std::vector<Reference> other_things(int picture) const {
    std::vector<Reference> others;
    for (std::size_t i = 0; i < packed_->reader().size() && others.size() < kMostOthers; ++i) {
      const shards::Sample sample = packed_->reader().get(i);
      for (int k = 0; k < static_cast<int>(classes_.numbers.size()); ++k) {
        if (k == classes_.label) continue;
        std::ranges::move(references_of({sample}, k, picture, 1), std::back_inserter(others));
      }
    }
    return others;
  }

  GroundShares shares_of_scenes() const {
    std::vector<const layout::Layout*> layouts;
    for (std::size_t i = 0; i < packed_->reader().size(); ++i) layouts.push_back(&packed_->reader().layout(i));
    return ground_shares(layouts, result_.taxonomy.size());
  }

  // Sizes and distances are metres where the ground sampling distance is known, else pixels: not some of either.
  void check_resolution(const std::vector<shards::Sample>& examples) const {
    const bool known = examples.front().layout.gsd.has_value();
    const auto differs = [known](const auto& image) { return image.gsd.has_value() != known; };
    const bool mixed = std::ranges::any_of(examples, [&](const shards::Sample& one) { return differs(one.layout); }) ||
                       std::ranges::any_of(training_.images, differs);
    if (!mixed) return;
    throw RequestError("some of the scenes and examples say their ground sampling distance and others do not",
                       "sizes cannot be compared then; set gsd in the recipe of those that lack it");
  }

  void inpaint_scene(std::size_t scene, int copy, const fs::path& part) {
    const shards::Sample sample = packed_->reader().get(scene);
    Random random(derive_seed(derive_seed(options_.seed, scene + 1), static_cast<std::uint64_t>(copy)));
    InpaintCost cost;
    std::optional<PlacementMap> map;
    {
      const StageMeter meter(cost.placing);
      map.emplace(sample, rule_, likeness_ ? &*likeness_ : nullptr);
    }
    const InpaintedScene made = inpainter_->inpaint(sample, *map, classes_, random, !options_.explain.empty());
    cost.add(made.cost);
    if (!options_.explain.empty()) explain(sample, made, part.filename().string());
    {
      const StageMeter meter(cost.writing);
      write_part(scene, sample, made, part);
    }
    write_json(cost_of(part), to_json(cost));
  }

  static fs::path cost_of(const fs::path& part) { return part.string() + ".cost.json"; }

  void write_part(std::size_t scene, const shards::Sample& sample, const InpaintedScene& made,
                  const fs::path& part) const {
    AugmentedDataset one(empty_, false, part);
    Json objects = Json::array();
    for (const InpaintedObject& object : made.objects) objects.push_back(to_json(object, references_));
    Json decoys = Json::array();
    for (const layout::Geometry& decoy : made.decoys) decoys.push_back(layout::geometry_to_json(decoy));
    if (std::ranges::any_of(made.objects, [](const InpaintedObject& o) { return o.rejected.empty(); })) {
      const data::ImageRecord& real = training_.images[scene];
      shards::Sample told = made.sample;
      told.source = std::format("inpainted into {}", sample.source);
      const std::string stem =
          std::format("inpainted_{}_{}", part.filename().string(), fs::path(real.file_name).stem().string());
      one.add_over(stems_.free(stem), real, told, made.changed);
    }
    one.finish({{"objects", objects}, {"decoy_outlines", decoys}});
  }

  void explain(const shards::Sample& sample, const InpaintedScene& made, const std::string& name) const {
    const PlacementMap fresh(sample, rule_, likeness_ ? &*likeness_ : nullptr);
    std::vector<Placement> placed;
    double width = layout::minimum_oriented_box(references_.front().footprint.geometry).height;
    for (const InpaintedObject& object : made.objects) placed.push_back(object.placement);
    if (!placed.empty()) width = layout::minimum_oriented_box(placed.front().geometry).height;
    fs::create_directories(options_.explain);
    write_placement_picture(options_.explain / (name + ".png"), sample, fresh, width, placed);
    write_thing_picture(options_.explain / (name + "_things.png"), made, references_);
  }

  void finish(const std::vector<Part>& parts, const fs::path& output, InpaintSummary& summary) {
    AugmentedDataset all(result_, options_.keep_real, output);
    Json objects = Json::object();
    Json decoys = Json::object();
    for (const auto& [folder, part] : parts) {
      // A run that was killed between the two has a part without its cost.
      const fs::path cost = cost_of(folder);
      if (fs::exists(cost)) summary.cost.add(inpaint_cost_from_json(read_json(cost), cost.string()));
      const Json& told = part.provenance.at("augmented");
      for (const Json& object : told.at("objects")) {
        ++summary.placed;
        const auto rejected = object.at("rejected").get<std::string>();
        summary.accepted += rejected.empty();
        summary.pasted += rejected.empty() && object.at("strength") == 0;
        summary.wrong_mask += rejected == "mask";
        summary.unlike += rejected == "likeness";
        summary.unseen += rejected == "judge";
      }
      // Scenes in which nothing stayed have no image to name them by.
      objects[part.images.empty() ? folder.filename().string() : part.images.front().file_name] = told.at("objects");
      if (part.images.empty()) continue;
      ++summary.images;
      decoys[part.images.front().file_name] = told.at("decoy_outlines");
      all.adopt(part);
    }
    Json provenance = settings_;
    provenance["method"] = "inpaint";
    provenance["example_source"] = example_source_;
    provenance["objects"] = objects;
    if (options_.objects.decoys > 0) provenance["decoy_outlines"] = decoys;
    all.finish(provenance);
  }

  const InpaintOptions& options_;
  ImageStems stems_;
  data::Dataset result_;    // with the new class
  data::Dataset empty_;     // the same without images and what is told of them
  data::Dataset training_;  // the scenes
  std::unique_ptr<data::PackedSamples> packed_;
  ObjectInpainter::Classes classes_;
  std::vector<Reference> references_;
  layout::PlacementRule rule_;
  std::optional<GroundLikeness> likeness_;
  std::optional<CropFilter> filter_;
  std::optional<ThingJudge> judge_;
  std::unique_ptr<ObjectInpainter> inpainter_;
  Json settings_;
  Json example_source_;  // as a model's card names what it learned from
};

}  // namespace

void InpaintOptions::validate() const {
  if (class_name.empty()) throw RequestError("no class is named");
  if (scenes < 0) throw RequestError(std::format("{} scenes are not possible", scenes));
  if (per_scene < 1) throw RequestError(std::format("{} new images of a scene are none", per_scene));
  if (!(reject_share >= 0 && reject_share < 1)) {
    throw RequestError(std::format("reject_share is {}, not in [0, 1)", reject_share));
  }
  objects.validate();
}

Json to_json(const InpaintOptions& options) {
  return {{"class", options.class_name},
          {"seed", options.seed},
          {"scenes", options.scenes},
          {"per_scene", options.per_scene},
          {"filter", options.filter},
          {"reject_share", options.reject_share},
          {"most_things", options.objects.placement.most},
          {"least_score", options.objects.placement.least_score},
          {"anywhere", options.objects.placement.anywhere},
          {"size_jitter", options.objects.placement.size_jitter},
          {"window", options.objects.window},
          {"margin", options.objects.margin},
          {"strengths", options.objects.strengths},
          {"match_colours", options.objects.match_colours},
          {"variants", options.objects.variants},
          {"decoys", options.objects.decoys},
          {"fill_share", options.objects.mask.fill_share},
          {"part_share", options.objects.mask.part_share},
          {"least_overlap", options.objects.mask.least_overlap}};
}

Json to_json(const InpaintSummary& summary) {
  Json json = {{"references", summary.references},
               {"scenes", summary.scenes},
               {"images", summary.images},
               {"placed", summary.placed},
               {"accepted", summary.accepted},
               {"pasted", summary.pasted},
               {"wrong_mask", summary.wrong_mask},
               {"unlike", summary.unlike},
               {"unseen", summary.unseen},
               {"threshold", number_or_null(summary.threshold)},
               {"judge_threshold", number_or_null(summary.judge_threshold)},
               {"seconds", summary.cost.seconds()}};
  json.update(to_json(summary.cost));
  return json;
}

InpaintSummary inpaint_dataset(const data::Dataset& dataset, const data::Dataset& examples, Painter& painter,
                               MaskRefiner& refiner, const models::PerceptionInference* judge,
                               const InpaintOptions& options, const fs::path& output) {
  options.validate();
  return DatasetInpainter(dataset, examples, painter, refiner, judge, options).run(output);
}

}  // namespace terragen::synthesis
