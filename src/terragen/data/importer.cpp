#include "terragen/data/importer.h"

#include <algorithm>
#include <cmath>
#include <format>
#include <iterator>
#include <map>
#include <set>

#include "terragen/core/atomic_file.h"
#include "terragen/core/error.h"
#include "terragen/core/interrupt.h"
#include "terragen/core/progress.h"
#include "terragen/core/sha256.h"
#include "terragen/data/caption_file.h"
#include "terragen/data/label_source.h"
#include "terragen/data/labelled_image.h"
#include "terragen/data/path_match.h"
#include "terragen/data/split_rule.h"
#include "terragen/geo/raster_io.h"

namespace terragen::data {
namespace {

namespace fs = std::filesystem;

layout::Taxonomy taxonomy_of(const Recipe& recipe) {
  std::vector<layout::ClassInfo> classes;
  for (std::size_t k = 0; k < recipe.classes.size(); ++k) {
    const Recipe::Class& entry = recipe.classes[k];
    classes.push_back(
        {entry.name, entry.colors.empty() ? layout::default_color(static_cast<int>(k)) : entry.colors.front()});
  }
  return layout::Taxonomy(std::move(classes));
}

// Where nothing says it: the folder, or every image is a place of its own.
std::string place_of(const Recipe& recipe, const fs::path& root, const std::string& path) {
  if (!recipe.place.empty()) {
    std::string found = captured(recipe.place, path, "images.place");
    // Another name for it would hide that a place is in two splits.
    if (found.empty()) {
      throw DataError((root / path).string(),
                      std::format("images.place (\"{}\") finds no place in \"{}\"", recipe.place, path),
                      "make the expression match every image below the root");
    }
    return found;
  }
  const std::string folder = fs::path(path).parent_path().generic_string();
  return folder.empty() ? fs::path(path).stem().generic_string() : folder;
}

SourceImage source_image(const Recipe& recipe, const fs::path& root, const std::string& path,
                         const geo::RasterInfo& info) {
  SourceImage image{path, info.width, info.height, {}, {}};
  if (recipe.georeference == "file") image.georeference = info.georeference;
  if (recipe.georeference == "xyz-tile-name") {
    const auto found = geo::georeference_from_tile_name(fs::path(path).stem().string(), info.width, info.height);
    if (!found) throw DataError((root / path).string(), "has a name that does not end in an XYZ tile (-x-y-z)");
    image.georeference = *found;
  }
  image.gsd = geo::ground_sampling_distance(image.georeference, info.width, info.height);
  if (!image.gsd) image.gsd = recipe.gsd;
  return image;
}

// File names: the path with its folders joined, made of harmless characters and letters of any script.
std::string flat_name(const std::string& path) {
  std::string name = fs::path(path).replace_extension().generic_string();
  for (char& c : name) {
    const auto code = static_cast<unsigned char>(c);
    if (code < 0x80 && std::isalnum(code) == 0 && c != '-' && c != '.' && c != '_') c = '_';
  }
  return name;
}

// Low and high of every band over the training images' valid pixels: the 0.5 and 99.5 percentiles of a sample.
class RangeFinder {
 public:
  void add(const geo::Raster& raster) {
    values_.resize(static_cast<std::size_t>(raster.bands));
    while (values_.front().size() > kMostSamples) thin_out();
    const std::size_t stride = sparseness_ * std::max<std::size_t>(1, raster.pixels() / 20000);
    for (std::size_t i = 0; i < raster.pixels(); i += stride) {
      if (!raster.valid.empty() && raster.valid[i] == 0) continue;
      const int x = static_cast<int>(i % static_cast<std::size_t>(raster.width));
      const int y = static_cast<int>(i / static_cast<std::size_t>(raster.width));
      for (int b = 0; b < raster.bands; ++b) values_[static_cast<std::size_t>(b)].push_back(raster.at(b, x, y));
    }
  }
  std::pair<double, double> range(std::size_t band) {
    if (band >= values_.size() || values_[band].empty()) {
      throw DataError("recipe", "images.range is to be percentiles of the training images, which show nothing",
                      "give images.range in numbers, those of the dataset that models are trained on");
    }
    std::ranges::sort(values_[band]);
    const auto at = [&](double share) {
      return values_[band][static_cast<std::size_t>(share * static_cast<double>(values_[band].size() - 1))];
    };
    const double low = at(0.005);
    return {low, std::max(at(0.995), low + 1e-6)};
  }

 private:
  static constexpr std::size_t kMostSamples = std::size_t{1} << 21;  // of a band

  void thin_out() {
    for (std::vector<double>& values : values_) {
      for (std::size_t i = 0; 2 * i < values.size(); ++i) values[i] = values[2 * i];
      values.resize((values.size() + 1) / 2);
    }
    sparseness_ *= 2;
  }

  std::vector<std::vector<double>> values_;
  std::size_t sparseness_ = 1;
};

// Bytes of an image's pixels that are read in one piece.
constexpr std::size_t kMostAtOnce = std::size_t{256} << 20;

class Importer {
 public:
  Importer(const Recipe& recipe, const ImportRoots& roots, const fs::path& output)
      : recipe_(recipe),
        root_(roots.images),
        folder_(output),
        labels_(recipe_, root_, roots.labels, taxonomy_ = taxonomy_of(recipe)),
        splits_(recipe_, root_) {}

  Dataset run(const fs::path& output) {
    const std::vector<std::string> paths = glob_files(root_, recipe_.images_path);
    if (paths.empty()) {
      throw DataError(root_.string(), std::format("holds no images: nothing matches \"{}\"", recipe_.images_path),
                      "images.path is a glob relative to the root, which --root names; else it is the recipe's folder");
    }
    dataset_.name = recipe_.name;
    dataset_.task = recipe_.task;
    dataset_.licence = recipe_.licence;
    dataset_.attribution = recipe_.attribution;
    dataset_.sensor = recipe_.sensor;
    dataset_.taxonomy = taxonomy_;
    dataset_.dense = labels_.is_dense();
    dataset_.nodata = recipe_.nodata;
    if (!recipe_.captions.empty()) captions_ = read_captions(root_ / recipe_.captions);
    fs::create_directory(folder_.path() / "images");
    if (dataset_.dense) fs::create_directory(folder_.path() / "masks");
    Progress progress("importing", std::ssize(paths));
    for (const std::string& path : paths) {
      if (interrupt_requested()) throw Interrupted("stopped while importing");
      add_image(path);
      progress.advance();
    }
    labels_.finish();
    std::ranges::move(splits_.finish(), std::back_inserter(labels_.problems()));
    check_captions();
    check_places();
    set_ranges();
    dataset_.problems = labels_.problems();
    dataset_.provenance = {{"synthetic", false},
                           {"recipe", recipe_.text},
                           {"recipe_sha256", sha256_hex(std::as_bytes(std::span(recipe_.text)))}};
    write_dataset(dataset_, folder_.path());
    folder_.commit();
    dataset_.folder = output;
    return dataset_;
  }

 private:
  void add_image(const std::string& path) {
    const geo::RasterInfo info = geo::read_raster_info(root_ / path);
    const SourceImage source = source_image(recipe_, root_, path, info);
    const Split split = splits_.split_of(path);
    const int bands = recipe_.bands.empty() ? info.bands : static_cast<int>(recipe_.bands.size());
    if (dataset_.images.empty()) {
      dataset_.data_type = std::string(geo::data_type_name(info.type));
      bands_ = bands;
      if (!dataset_.nodata) dataset_.nodata = info.nodata;
    } else if (dataset_.data_type != geo::data_type_name(info.type) || bands_ != bands) {
      throw DataError((root_ / path).string(), std::format("has {} bands of {}, the images before it {} of {}", bands,
                                                           geo::data_type_name(info.type), bands_, dataset_.data_type));
    }
    captioned_ += captions_.count(path);
    std::optional<ImageLabels> labels = labels_.labels_of(source);
    if (!labels) return;
    layout::Layout whole;
    whole.width = info.width;
    whole.height = info.height;
    whole.features = std::move(labels->features);
    whole.mask = std::move(labels->mask);
    const int size = recipe_.tile_size > 0 ? recipe_.tile_size : std::max(info.width, info.height);
    const auto windows =
        geo::tile_grid(info.width, info.height, size, recipe_.tile_size > 0 ? recipe_.tile_overlap : 0);
    // PNG and JPEG are decoded from their first row on, whatever is read: all at once, or a row of tiles at a time.
    const std::size_t stored = geo::size_of(info.type) * static_cast<std::size_t>(info.width) *
                               static_cast<std::size_t>(info.height) * static_cast<std::size_t>(bands);
    geo::PixelWindow strip;
    geo::Raster pixels;
    for (const geo::PixelWindow& window : windows) {
      if (window.y < strip.y || window.y + window.height > strip.y + strip.height) {
        strip = {0, 0, info.width, info.height};
        if (stored > kMostAtOnce) strip.y = window.y, strip.height = window.height;
        pixels = geo::read_raster(root_ / path, recipe_.bands, strip);
        pixels.georeference = geo::window_of(source.georeference, 0, strip.y);
      }
      geo::Raster tile = geo::window_of(pixels, window.x, window.y - strip.y, window.width, window.height);
      add_tile(source, whole, window, split, windows.size() > 1, std::move(tile));
    }
  }

  void add_tile(const SourceImage& source, const layout::Layout& whole, const geo::PixelWindow& window, Split split,
                bool many, geo::Raster raster) {
    if (recipe_.nodata) {
      raster.nodata = recipe_.nodata;
      geo::mark_nodata(raster);
    }
    const layout::Layout part = layout::crop(whole, window.x, window.y, window.width, window.height, 0.1);
    const bool png = raster.georeference.crs.empty() && !raster.georeference.crs_from_pixel && !raster.nodata &&
                     raster.valid.empty() && raster.type == geo::DataType::uint8 &&
                     (raster.bands == 1 || raster.bands == 3 || raster.bands == 4);
    std::string stem = flat_name(source.path);
    if (many) stem += std::format("_x{}_y{}", window.x, window.y);
    if (!names_.insert(stem).second)
      throw DataError((root_ / source.path).string(), "has the same name as another image");
    ImageRecord image;
    image.file_name = stem + (png ? ".png" : ".tif");
    image.split = split;
    image.place = place_of(recipe_, root_, source.path);
    image.crs = raster.georeference.crs;
    image.crs_from_pixel = raster.georeference.crs_from_pixel;
    image.gsd = source.gsd;
    if (const auto found = captions_.find(source.path); found != captions_.end()) image.caption = found->second;
    image.source = std::format("{} [{}, {}, {}, {}]", source.path, window.x, window.y, window.width, window.height);
    image.features = part.features;
    write_labelled_image(folder_.path(), raster, part.mask, image);
    if (split == Split::train && takes_percentiles()) ranges_.add(raster);
    dataset_.images.push_back(std::move(image));
  }

  // Captions that name no image are a typing error somewhere.
  void check_captions() const {
    if (captioned_ == captions_.size()) return;
    throw DataError((root_ / recipe_.captions).string(),
                    std::format("tells of {} images that are not there", captions_.size() - captioned_),
                    "file_name is the image's path below the root");
  }

  // Splits are by place: one place in two splits would let a model see what it is tested on.
  void check_places() const {
    std::map<std::string, Split> seen;
    for (const ImageRecord& image : dataset_.images) {
      const auto [entry, fresh] = seen.emplace(image.place, image.split);
      const bool leak =
          !fresh && entry->second != image.split && (entry->second == Split::test || image.split == Split::test);
      if (leak) {
        throw DataError(image.source,
                        std::format("the place \"{}\" is in the {} and the {} split", image.place,
                                    split_name(entry->second), split_name(image.split)),
                        "splits are by place: see [splits] and images.place in the recipe");
      }
    }
  }

  bool takes_percentiles() const {
    if (!recipe_.range_values.empty()) return false;
    return recipe_.range == "percentile" ||
           (recipe_.range == "auto" && dataset_.data_type != geo::data_type_name(geo::DataType::uint8));
  }

  void set_ranges() {
    const geo::DataType type = geo::data_type_from_name(dataset_.data_type, "dataset");
    if (recipe_.range_values.size() > 1 && std::ssize(recipe_.range_values) != bands_) {
      throw DataError("recipe", std::format("images.range has {} entries, the images {} bands",
                                            recipe_.range_values.size(), bands_));
    }
    if (!recipe_.band_names.empty() && std::ssize(recipe_.band_names) != bands_) {
      throw DataError("recipe", std::format("images.band_names has {} entries, the images {} bands",
                                            recipe_.band_names.size(), bands_));
    }
    for (int b = 0; b < bands_; ++b) {
      const auto i = static_cast<std::size_t>(b);
      std::pair<double, double> range = takes_percentiles() ? ranges_.range(i) : geo::natural_range(type);
      if (!recipe_.range_values.empty()) {
        const auto& given = recipe_.range_values[recipe_.range_values.size() == 1 ? 0 : i];
        range = {given[0], given[1]};
      }
      static const std::vector<std::string> kRgb{"red", "green", "blue"};
      const int number = recipe_.bands.empty() ? b : recipe_.bands[i];
      // Three bands in their order are taken for colours, others for what they are in the file.
      const bool rgb = bands_ == 3 && (recipe_.bands.empty() || recipe_.bands == std::vector<int>{0, 1, 2});
      const std::string fallback = rgb ? kRgb[i] : std::format("band{}", number + 1);
      dataset_.bands.push_back(
          {recipe_.band_names.empty() ? fallback : recipe_.band_names[i], range.first, range.second});
    }
  }

  const Recipe& recipe_;
  fs::path root_;
  AtomicFolder folder_;
  layout::Taxonomy taxonomy_;
  LabelSource labels_;
  SplitRule splits_;
  Dataset dataset_;
  RangeFinder ranges_;
  std::set<std::string> names_;
  std::map<std::string, std::string> captions_;  // by path
  std::size_t captioned_ = 0;                    // of them, images met
  int bands_ = 0;
};

}  // namespace

Dataset import_dataset(const Recipe& recipe, const ImportRoots& roots, const fs::path& output) {
  return Importer(recipe, roots, output).run(output);
}

}  // namespace terragen::data
