#include "terragen/evaluation/perception_meter.h"

#include <format>
#include <limits>
#include <span>

#include "terragen/core/error.h"
#include "terragen/core/stopwatch.h"
#include "terragen/metrics/box_overlap.h"
#include "terragen/synthesis/painting_condition.h"

namespace terragen::evaluation {
namespace {

constexpr double kDotaOverlap = 0.5;

// COCO's -1 for what could not be found at all.
double present_or_nan(double score) { return score < 0 ? std::numeric_limits<double>::quiet_NaN() : score; }

}  // namespace

double PerceptionReport::score() const { return segmenter ? mean_iou : present_or_nan(coco.figures[1]); }

double PerceptionReport::class_score(std::size_t k) const {
  return segmenter ? iou.at(k) : present_or_nan(coco.category_ap50.at(k));
}

Json to_json(const PerceptionReport& report) {
  Json json{{"split", report.split},   {"architecture", report.architecture}, {"model_sha256", report.model_hash},
            {"images", report.images}, {"seconds", report.seconds},           {"classes", Json::object()}};
  for (std::size_t k = 0; k < report.classes.size(); ++k) {
    Json& entry = json["classes"][report.classes[k]];
    if (report.segmenter) {
      entry["iou"] = number_or_null(report.iou[k]);
      if (k < report.boundary_iou.size()) entry["boundary_iou"] = number_or_null(report.boundary_iou[k]);
    } else {
      entry = {{"AP", report.coco.category_ap[k]}, {"AP50", report.coco.category_ap50[k]}};
      if (k < report.dota_ap50.size()) entry["DOTA_AP50"] = number_or_null(report.dota_ap50[k]);
    }
  }
  if (report.segmenter) {
    json["mean_iou"] = number_or_null(report.mean_iou);
    json["pixel_accuracy"] = number_or_null(report.pixel_accuracy);
    json["mean_boundary_iou"] = number_or_null(metrics::mean_present(report.boundary_iou));
  } else {
    for (std::size_t k = 0; k < report.coco.figures.size(); ++k) {
      json["figures"][metrics::kCocoFigures[k]] = report.coco.figures[k];
    }
    if (!report.dota_ap50.empty()) json["DOTA_mAP50"] = number_or_null(metrics::mean_present(report.dota_ap50));
  }
  return json;
}

PerceptionMeter::PerceptionMeter(const models::PerceptionInference& judge, const layout::Taxonomy& classes)
    : judge_(judge),
      numbers_(synthesis::class_numbers(classes, judge.model().config.taxonomy, "the model")),
      confusion_(judge.model().config.outputs()),
      boundaries_(static_cast<std::size_t>(judge.model().config.taxonomy.size())),
      voc_groups_(static_cast<std::size_t>(judge.model().config.taxonomy.size())) {}

void PerceptionMeter::add(const shards::Sample& sample) {
  const models::PerceptionConfig& config = judge_.model().config;
  if (sample.image.size(0) != std::ssize(config.images.bands)) {
    throw RequestError(std::format("the model is for {} bands, {} has {}", config.images.bands.size(), sample.source,
                                   sample.image.size(0)));
  }
  const Stopwatch watch;
  if (config.is_segmenter()) {
    add_classes(sample, judge_.classes(sample.image));
  } else {
    add_objects(sample, judge_.detections(sample.image, {}));
  }
  seconds_ += watch.seconds();
}

std::vector<std::uint8_t> PerceptionMeter::true_classes(const shards::Sample& sample) const {
  layout::DenseMask mask = judge_.model().config.classes_of(synthesis::renumbered(sample.layout, numbers_));
  const torch::Tensor valid = sample.valid.contiguous();
  const auto* measured = valid.const_data_ptr<float>();
  for (std::size_t i = 0; i < mask.values.size(); ++i) {
    if (measured[i] == 0.0F) mask.values[i] = layout::kUnlabelled;
  }
  return mask.values;
}

void PerceptionMeter::add_classes(const shards::Sample& sample, const torch::Tensor& found) {
  const torch::Tensor dense = found.contiguous();
  const std::span<const std::uint8_t> classes(dense.const_data_ptr<std::uint8_t>(),
                                              static_cast<std::size_t>(dense.numel()));
  const std::vector<std::uint8_t> truth = true_classes(sample);
  confusion_.add(truth, classes);
  add_boundaries(truth, classes, sample.layout.width);
  ++images_;
}

void PerceptionMeter::add_boundaries(const std::vector<std::uint8_t>& truth, std::span<const std::uint8_t> found,
                                     int width) {
  std::vector<std::uint8_t> is(truth.size());
  std::vector<std::uint8_t> said(truth.size());
  for (std::size_t k = 0; k < boundaries_.size(); ++k) {
    bool any = false;
    for (std::size_t i = 0; i < truth.size(); ++i) {
      is[i] = truth[i] == k ? 1 : 0;
      said[i] = found[i] == k && truth[i] != layout::kUnlabelled ? 1 : 0;
      any = any || is[i] != 0 || said[i] != 0;
    }
    if (any) boundaries_[k].add(metrics::boundary_pixels(is, said, width));
  }
}

void PerceptionMeter::add_objects(const shards::Sample& sample, const std::vector<models::Detection>& found) {
  const models::PerceptionConfig& config = judge_.model().config;
  const bool oriented = config.architecture.ends_with("oriented");
  for (int k = 0; k < config.taxonomy.size(); ++k) {
    metrics::DetectionGroup group{.category = k};
    metrics::VocGroup voc;
    std::vector<layout::OrientedBox> truths;
    std::vector<layout::OrientedBox> detections;
    std::vector<metrics::Quadrilateral> labelled;
    for (const layout::Feature& feature : sample.layout.features) {
      if (numbers_[static_cast<std::size_t>(feature.class_index)] != k) continue;
      truths.push_back(models::object_box(feature.geometry, oriented));
      // As it was labelled, as DOTA's kit takes it.
      labelled.push_back(models::corners_of(feature.geometry));
      group.truths.push_back({layout::area_of(feature.geometry), feature.crowd});
      voc.difficult.push_back(feature.difficult || feature.crowd);
    }
    for (const models::Detection& d : found) {
      if (d.class_index != k) continue;
      detections.push_back(d.box);
      group.detections.push_back({d.score, d.box.width * d.box.height});
      voc.scores.push_back(d.score);
    }
    if (group.truths.empty() && group.detections.empty()) continue;
    group.overlap = [oriented, truths, detections, known = group.truths](std::size_t d, std::size_t t) {
      return models::overlap_of(detections[d], truths[t], oriented, known[t].crowd);
    };
    groups_.push_back(std::move(group));
    if (!oriented) continue;
    // Only COCO measures a crowd by the share of the detection that lies in it.
    voc.overlap = [truths, detections, labelled](std::size_t d, std::size_t t) {
      if (!models::may_meet(detections[d], truths[t])) return 0.0;
      return metrics::quadrilateral_iou(models::corners_of(layout::make_oriented_box(detections[d])), labelled[t]);
    };
    voc_groups_[static_cast<std::size_t>(k)].push_back(std::move(voc));
  }
  ++images_;
}

PerceptionReport PerceptionMeter::report() const {
  const models::PerceptionConfig& config = judge_.model().config;
  PerceptionReport report{.architecture = config.architecture, .model_hash = judge_.model().hash};
  report.segmenter = config.is_segmenter();
  report.images = images_;
  for (const layout::ClassInfo& entry : config.taxonomy.classes()) report.classes.push_back(entry.name);
  const Stopwatch watch;
  if (report.segmenter) {
    if (config.background) report.classes.emplace_back("(background)");
    report.iou = confusion_.iou();
    for (const metrics::BoundaryPixels& pixels : boundaries_) report.boundary_iou.push_back(pixels.iou());
    // A class that no tested image has is not measured: whether a stray pixel is called so would decide a whole class.
    for (std::size_t k = 0; k < report.iou.size(); ++k) {
      if (confusion_.row(static_cast<int>(k)) > 0) continue;
      report.iou[k] = std::numeric_limits<double>::quiet_NaN();
      if (k < report.boundary_iou.size()) report.boundary_iou[k] = report.iou[k];
    }
    report.mean_iou =
        metrics::mean_present(std::span(report.iou).first(static_cast<std::size_t>(config.taxonomy.size())));
    report.pixel_accuracy = confusion_.pixel_accuracy();
  } else {
    report.coco = metrics::evaluate_coco(groups_, config.taxonomy.size());
    if (config.architecture.ends_with("oriented")) {
      for (const auto& own : voc_groups_) report.dota_ap50.push_back(metrics::evaluate_voc(own, kDotaOverlap).ap);
    }
  }
  report.seconds = seconds_ + watch.seconds();
  return report;
}

}  // namespace terragen::evaluation
