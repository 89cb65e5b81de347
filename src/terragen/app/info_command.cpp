#include "terragen/app/info_command.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <format>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "terragen/core/comma_list.h"
#include "terragen/core/error.h"
#include "terragen/core/json_file.h"
#include "terragen/data/dataset.h"
#include "terragen/layout/class_pixels.h"
#include "terragen/models/model_folder.h"
#include "terragen/models/perception_model.h"
#include "terragen/shards/shard_set.h"

namespace terragen::app {
namespace {

namespace fs = std::filesystem;

void say(const std::string& line) { std::printf("%s\n", line.c_str()); }

// Labels by class and split: objects, and for dense data pixels.
Json dataset_info(const fs::path& path) {
  const data::Dataset dataset = data::read_dataset(path);
  Json info = {{"kind", "dataset"},
               {"name", dataset.name},
               {"task", dataset.task},
               {"licence", dataset.licence},
               {"attribution", dataset.attribution},
               {"data_type", dataset.data_type},
               {"dense", dataset.dense},
               {"images", Json::object()},
               {"classes", Json::array()},
               {"bands", Json::array()},
               {"problems", Json::array()}};
  std::map<std::string, std::array<std::int64_t, 3>> objects;
  std::map<std::string, std::array<std::size_t, 3>> pixels;
  std::array<std::size_t, 3> unlabelled{};
  std::array<std::int64_t, 3> images{};
  std::set<std::string> crs;
  std::map<std::string, std::set<std::string>> places;
  double least = 0;
  double most = 0;
  for (const data::ImageRecord& image : dataset.images) {
    const auto split = static_cast<std::size_t>(image.split);
    ++images[split];
    crs.insert(image.crs.empty() ? "none" : image.crs);
    places[data::split_name(image.split)].insert(image.place);
    if (image.gsd) {
      least = least == 0 ? *image.gsd : std::min(least, *image.gsd);
      most = std::max(most, *image.gsd);
    }
    for (const layout::Feature& feature : image.features) {
      ++objects[dataset.taxonomy.at(feature.class_index).name][split];
    }
    if (!image.mask_name) continue;
    const layout::ClassPixels covered =
        layout::count_class_pixels(data::layout_of(dataset, image), dataset.taxonomy.size());
    unlabelled[split] += covered.unlabelled;
    for (std::size_t k = 0; k < covered.classes.size(); ++k) {
      pixels[dataset.taxonomy.at(static_cast<int>(k)).name][split] += covered.classes[k];
    }
  }
  for (std::size_t s = 0; s < 3; ++s) info["images"][data::split_name(static_cast<data::Split>(s))] = images[s];
  for (const layout::ClassInfo& entry : dataset.taxonomy.classes()) {
    info["classes"].push_back({{"name", entry.name}, {"objects", objects[entry.name]}, {"pixels", pixels[entry.name]}});
  }
  if (dataset.dense) info["unlabelled_pixels"] = unlabelled;
  for (const data::BandInfo& band : dataset.bands) {
    info["bands"].push_back({{"name", band.name}, {"low", band.low}, {"high", band.high}});
  }
  info["crs"] = crs;
  info["places"] = places;
  if (most > 0) info["gsd"] = {least, most};
  for (const formats::LabelProblem& problem : dataset.problems) {
    info["problems"].push_back({{"place", problem.place}, {"sentence", problem.sentence}});
  }
  return info;
}

// Problems of one kind in one line, those first that come first.
void print_problems(const Json& problems) {
  constexpr std::size_t kMostKinds = 10;
  say(std::format("label problems: {}", problems.size()));
  std::vector<std::pair<std::string, std::vector<std::string>>> kinds;
  for (const Json& problem : problems) {
    const auto sentence = problem["sentence"].get<std::string>();
    auto kind = std::ranges::find(kinds, sentence, [](const auto& entry) { return entry.first; });
    if (kind == kinds.end()) kind = kinds.insert(kind, {sentence, {}});
    kind->second.push_back(problem["place"].get<std::string>());
  }
  for (std::size_t i = 0; i < std::min(kMostKinds, kinds.size()); ++i) {
    const auto& [sentence, places] = kinds[i];
    const std::string more = places.size() == 1 ? "" : std::format(" (and {} more of these)", places.size() - 1);
    say(std::format("  {}: {}{}", places.front(), sentence, more));
  }
  if (kinds.size() > kMostKinds) say("  ... (all of them with --json)");
}

// "licence; attribution", of what is stated.
std::string terms(const std::string& licence, const std::string& attribution) {
  const std::string stated = licence.empty() ? "no licence stated" : licence;
  return attribution.empty() ? stated : stated + "; " + attribution;
}

void print_shards(const shards::ShardSet& set) {
  std::map<std::string, std::int64_t> samples;
  for (const shards::ShardSet::File& file : set.files) samples[file.split] += file.count;
  say(std::format("packed shards: {} files, samples: train {}, val {}, test {}", set.files.size(), samples["train"],
                  samples["val"], samples["test"]));
  say(std::format("bands: {} x {}: {}", set.bands.size(), set.data_type,
                  comma_list(set.bands, [](const shards::ShardBand& band) {
                    return std::format("{} [{:g}, {:g}]", band.name, band.low, band.high);
                  })));
  say("tasks: " + comma_list(set.tasks));
  say("classes: " + comma_list(set.taxonomy.classes(), &layout::ClassInfo::name));
  for (const shards::ShardSource& source : set.sources) {
    say(std::format("from {} ({}): {} training samples of {} places; {}", source.dataset, source.task, source.samples,
                    source.places.size(), terms(source.licence, source.attribution)));
  }
}

void print_dataset(const Json& info) {
  say(std::format(
      "{}: task {}, {} images (train {}, val {}, test {})", info["name"].get<std::string>(),
      info["task"].get<std::string>(),
      info["images"]["train"].get<int>() + info["images"]["val"].get<int>() + info["images"]["test"].get<int>(),
      info["images"]["train"].get<int>(), info["images"]["val"].get<int>(), info["images"]["test"].get<int>()));
  std::string bands;
  for (const Json& band : info["bands"]) {
    bands += std::format("{}{} [{:g}, {:g}]", bands.empty() ? "" : ", ", band["name"].get<std::string>(),
                         band["low"].get<double>(), band["high"].get<double>());
  }
  say(std::format("bands: {} x {}: {}", info["bands"].size(), info["data_type"].get<std::string>(), bands));
  say(info.contains("gsd")
          ? std::format("GSD: {:.3g} to {:.3g} m", info["gsd"][0].get<double>(), info["gsd"][1].get<double>())
          : std::string("GSD: not known"));
  say(std::format("CRS: {}", info["crs"].dump()));
  for (const auto& [split, places] : info["places"].items()) say(std::format("places, {}: {}", split, places.dump()));
  if (info["classes"].empty()) {
    say("no classes");
  } else {
    say(std::format("{:<16}{:>12}{:>12}{:>12}", info["dense"].get<bool>() ? "pixels of" : "objects of", "train", "val",
                    "test"));
  }
  const char* what = info["dense"].get<bool>() ? "pixels" : "objects";
  for (const Json& entry : info["classes"]) {
    say(std::format("{:<16}{:>12}{:>12}{:>12}", entry["name"].get<std::string>(), entry[what][0].get<std::int64_t>(),
                    entry[what][1].get<std::int64_t>(), entry[what][2].get<std::int64_t>()));
  }
  if (info.contains("unlabelled_pixels")) {
    const Json& u = info["unlabelled_pixels"];
    say(std::format("{:<16}{:>12}{:>12}{:>12}", "(unlabelled)", u[0].get<std::int64_t>(), u[1].get<std::int64_t>(),
                    u[2].get<std::int64_t>()));
  }
  print_problems(info["problems"]);
}

Json model_info(const fs::path& path) {
  const models::ModelFolder model = models::load_model(path);
  Json info = {{"kind", "model"},
               {"sha256", model.hash},
               {"parameters", Json::object()},
               {"card", model.card},
               {"data_type", model.images.data_type},
               {"bands", Json::array()}};
  for (const models::BandRange& band : model.images.bands) info["bands"].push_back(band.name);
  const auto count = [](const torch::nn::Module& module) {
    std::int64_t total = 0;
    for (const torch::Tensor& parameter : module.parameters()) total += parameter.numel();
    return total;
  };
  if (model.autoencoder) info["parameters"]["vae"] = count(*model.autoencoder);
  if (model.unet) info["parameters"]["unet"] = count(*model.unet);
  if (model.layout_encoder) {
    info["parameters"]["layout_encoder"] = count(*model.layout_encoder);
    info["tasks"] = model.layout_encoder->config().tasks;
    for (const layout::ClassInfo& entry : model.layout_encoder->config().taxonomy.classes()) {
      info["classes"].push_back(entry.name);
    }
  }
  if (model.reference_encoder) info["parameters"]["reference_encoder"] = count(*model.reference_encoder);
  if (model.captions) info["parameters"]["text_encoder"] = count(*model.captions->model());
  return info;
}

Json perception_info(const fs::path& path) {
  const models::PerceptionModel model = models::load_perception_model(path);
  Json info{{"kind", "model"},
            {"sha256", model.hash},
            {"architecture", model.config.architecture},
            {"background", model.config.background},
            {"bands", Json::array()},
            {"classes", Json::array()},
            {"card", model.config.card}};
  for (const models::BandRange& band : model.config.images.bands) info["bands"].push_back(band.name);
  for (const layout::ClassInfo& entry : model.config.taxonomy.classes()) info["classes"].push_back(entry.name);
  return info;
}

void print_model(const Json& info) {
  say(std::format("model {}", info["sha256"].get<std::string>()));
  for (const char* key : {"architecture", "parameters", "tasks", "classes", "bands"}) {
    if (info.contains(key)) say(std::format("{}: {}", key, info[key].dump()));
  }
  if (info["card"].contains("started_from")) {
    say(std::format("started from {}", json_member<std::string>(info["card"], "started_from", "the card")));
  }
  // What must be said when the model or its images are passed on.
  for (const Json& source : info["card"].value("trained_on", Json::array())) {
    say(std::format("trained on {} ({}): {}", source.value("dataset", ""), source.value("task", ""),
                    terms(source.value("licence", ""), source.value("attribution", ""))));
  }
}

}  // namespace

void print_info(const fs::path& path, bool json) {
  if (fs::exists(path / "dataset.json")) {
    const Json info = dataset_info(path);
    json ? say(info.dump(1)) : print_dataset(info);
  } else if (fs::exists(path / "model_index.json")) {
    const Json info = model_info(path);
    json ? say(info.dump(1)) : print_model(info);
  } else if (fs::exists(path / "perception.json")) {
    const Json info = perception_info(path);
    json ? say(info.dump(1)) : print_model(info);
  } else if (fs::exists(path / "shards.json")) {
    json ? say(read_json(path / "shards.json").dump(1)) : print_shards(shards::read_shard_set(path));
  } else {
    const bool run = fs::exists(path / "model");
    throw DataError(path.string(), "is neither a dataset nor packed shards nor a model",
                    run ? "a run's model is in " + (path / "model").string() : "");
  }
}

void add_info_command(CLI::App& app, std::function<void()>& run) {
  struct Options {
    std::string path;
    bool json = false;
  };
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("info", "Show what a dataset, packed shards or a model holds");
  command->add_option("path", options->path, "Folder")->required();
  command->add_flag("--json", options->json, "As JSON");
  command->callback([options, &run] { run = [options] { print_info(options->path, options->json); }; });
}

}  // namespace terragen::app
