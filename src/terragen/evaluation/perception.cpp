#include "terragen/evaluation/perception.h"

#include <chrono>
#include <cmath>
#include <format>

#include "terragen/core/error.h"
#include "terragen/core/interrupt.h"
#include "terragen/core/progress.h"
#include "terragen/layout/rasterise.h"
#include "terragen/metrics/box_overlap.h"
#include "terragen/models/detections.h"

namespace terragen::evaluation {
namespace {

constexpr std::int64_t kMultiple = 32;

// The model's number of every class of the data.
std::vector<int> class_map(const layout::Taxonomy& model, const layout::Taxonomy& data) {
  std::vector<int> map;
  for (const layout::ClassInfo& entry : data.classes()) {
    map.push_back(model.find(entry.name));
    if (map.back() < 0) throw RequestError(std::format("the model does not know the class \"{}\"", entry.name));
  }
  return map;
}

// [1, B, H', W'] with sides that are multiples of 32.
torch::Tensor padded(const torch::Tensor& image) {
  const auto missing = [](std::int64_t size) { return (kMultiple - size % kMultiple) % kMultiple; };
  const std::int64_t right = missing(image.size(2));
  const std::int64_t bottom = missing(image.size(1));
  if (right == 0 && bottom == 0) return image.unsqueeze(0);
  // Mirroring needs more image than it adds.
  const bool mirror = right < image.size(2) && bottom < image.size(1);
  const std::vector<std::int64_t> sides{0, right, 0, bottom};
  return mirror ? at::reflection_pad2d(image.unsqueeze(0), sides) : at::replication_pad2d(image.unsqueeze(0), sides);
}

std::vector<std::uint8_t> true_classes(const shards::Sample& sample, const std::vector<int>& map, int background) {
  const bool fill = background >= 0 && !sample.layout.mask;
  layout::DenseMask mask = layout::rasterise_classes(sample.layout);
  const auto valid = sample.valid.accessor<float, 2>();
  for (int y = 0; y < mask.height; ++y) {
    for (int x = 0; x < mask.width; ++x) {
      std::uint8_t& value =
          mask.values[static_cast<std::size_t>(y) * static_cast<std::size_t>(mask.width) + static_cast<std::size_t>(x)];
      if (valid[y][x] == 0.0F) {
        value = layout::kUnlabelled;
      } else if (value != layout::kUnlabelled) {
        value = static_cast<std::uint8_t>(map[value]);
      } else if (fill) {
        value = static_cast<std::uint8_t>(background);
      }
    }
  }
  return mask.values;
}

std::vector<std::uint8_t> said_classes(const torch::Tensor& logits, std::int64_t height, std::int64_t width) {
  const torch::Tensor classes =
      logits[0].argmax(0).slice(0, 0, height).slice(1, 0, width).to(torch::kCPU, torch::kUInt8).contiguous();
  const auto* first = classes.const_data_ptr<std::uint8_t>();
  return {first, first + classes.numel()};
}

metrics::Quadrilateral corners_of(const layout::OrientedBox& box) {
  const layout::Geometry shape = layout::make_oriented_box(box);
  metrics::Quadrilateral corners;
  for (std::size_t k = 0; k < 4; ++k) {
    corners[2 * k] = shape.parts[0].exterior[k].x;
    corners[2 * k + 1] = shape.parts[0].exterior[k].y;
  }
  return corners;
}

// One group a class.
void add_groups(const shards::Sample& sample, const std::vector<models::Detection>& found, const std::vector<int>& map,
                bool oriented, int classes, std::vector<metrics::DetectionGroup>& groups) {
  for (int k = 0; k < classes; ++k) {
    metrics::DetectionGroup group{.category = k};
    std::vector<metrics::Quadrilateral> truths;
    std::vector<metrics::Quadrilateral> detections;
    std::vector<bool> crowd;
    for (const layout::Feature& feature : sample.layout.features) {
      if (map[static_cast<std::size_t>(feature.class_index)] != k) continue;
      const layout::Bounds b = layout::bounds_of(feature.geometry);
      const layout::OrientedBox box =
          oriented ? layout::minimum_oriented_box(feature.geometry)
                   : layout::OrientedBox{(b.x0 + b.x1) / 2, (b.y0 + b.y1) / 2, b.width(), b.height(), 0};
      group.truths.push_back({box.width * box.height, feature.crowd});
      truths.push_back(corners_of(box));
      crowd.push_back(feature.crowd);
    }
    for (const models::Detection& d : found) {
      if (d.class_index != k) continue;
      group.detections.push_back({d.score, d.width * d.height});
      detections.push_back(corners_of({d.cx, d.cy, d.width, d.height, d.angle}));
    }
    if (group.truths.empty() && group.detections.empty()) continue;
    group.overlap = [oriented, truths, detections, crowd](std::size_t d, std::size_t t) {
      if (oriented) return metrics::quadrilateral_iou(detections[d], truths[t]);
      const auto box = [](const metrics::Quadrilateral& q) {
        return metrics::Box{std::min(q[0], q[4]), std::min(q[1], q[5]), std::max(q[0], q[4]), std::max(q[1], q[5])};
      };
      return metrics::box_iou(box(detections[d]), box(truths[t]), crowd[t]);
    };
    groups.push_back(std::move(group));
  }
}

}  // namespace

PerceptionReport evaluate_perception(const models::PerceptionModel& model, const shards::ShardReader& reader,
                                     const std::string& split, const tensor::ComputeOptions& compute) {
  compute.validate();
  tensor::set_threads(compute.threads);
  const torch::Device device = tensor::parse_device(compute.device);
  const models::PerceptionConfig& config = model.config;
  if (reader.set().bands.size() != config.images.bands.size()) {
    throw RequestError(std::format("the model is for {} bands, the data have {}", config.images.bands.size(),
                                   reader.set().bands.size()));
  }
  const std::vector<int> map = class_map(config.taxonomy, reader.set().taxonomy);
  const torch::NoGradGuard no_grad;
  model.network()->to(device);
  model.network()->eval();
  PerceptionReport report{.split = split, .architecture = config.architecture, .model_hash = model.hash};
  report.segmenter = config.is_segmenter();
  report.images = reader.size();
  for (const layout::ClassInfo& entry : config.taxonomy.classes()) report.classes.push_back(entry.name);
  if (config.background) report.classes.emplace_back("(background)");
  metrics::ConfusionMatrix confusion(config.outputs());
  std::vector<metrics::DetectionGroup> groups;
  Progress progress("looking", static_cast<std::int64_t>(reader.size()));
  const auto began = std::chrono::steady_clock::now();
  models::Detector detector = model.detector;
  for (std::size_t i = 0; i < reader.size(); ++i) {
    if (interrupt_requested()) throw Interrupted("stopped; nothing was written");
    const shards::Sample sample = reader.get(i);
    const torch::Tensor image = padded(sample.image).to(device).contiguous(at::MemoryFormat::ChannelsLast);
    const tensor::AutocastGuard autocast(device.type(), compute.precision == "bf16");
    if (report.segmenter) {
      const int background = config.background ? config.taxonomy.size() : -1;
      confusion.add(true_classes(sample, map, background),
                    said_classes(model.segmenter->forward(image), sample.image.size(1), sample.image.size(2)));
    } else {
      const auto found = models::detections_of(detector->forward(image), {});
      add_groups(sample, found.front(), map, detector->config().oriented, config.taxonomy.size(), groups);
    }
    progress.advance();
  }
  if (report.segmenter) {
    report.iou = confusion.iou();
    report.mean_iou =
        metrics::mean_present(std::span(report.iou).first(static_cast<std::size_t>(config.taxonomy.size())));
    report.pixel_accuracy = confusion.pixel_accuracy();
  } else {
    report.coco = metrics::evaluate_coco(groups, config.taxonomy.size());
  }
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  return report;
}

Json to_json(const PerceptionReport& report) {
  Json json{{"split", report.split},   {"architecture", report.architecture}, {"model_sha256", report.model_hash},
            {"images", report.images}, {"seconds", report.seconds},           {"classes", Json::object()}};
  for (std::size_t k = 0; k < report.classes.size(); ++k) {
    Json& entry = json["classes"][report.classes[k]];
    if (report.segmenter) {
      entry["iou"] = std::isnan(report.iou[k]) ? Json() : Json(report.iou[k]);
    } else {
      entry = {{"AP", report.coco.category_ap[k]}, {"AP50", report.coco.category_ap50[k]}};
    }
  }
  if (report.segmenter) {
    json["mean_iou"] = report.mean_iou;
    json["pixel_accuracy"] = report.pixel_accuracy;
  } else {
    for (std::size_t k = 0; k < report.coco.figures.size(); ++k) {
      json["figures"][metrics::kCocoFigures[k]] = report.coco.figures[k];
    }
  }
  return json;
}

}  // namespace terragen::evaluation
