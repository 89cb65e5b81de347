#include "terragen/synthesis/object_inpainter.h"

#include <algorithm>
#include <cmath>
#include <format>
#include <iterator>
#include <optional>

#include "terragen/core/error.h"
#include "terragen/core/require_share.h"
#include "terragen/shards/drawn_mask.h"
#include "terragen/shards/reference_picture.h"
#include "terragen/synthesis/kept_paintings.h"
#include "terragen/synthesis/painting_condition.h"
#include "terragen/synthesis/pixel_distance.h"

namespace terragen::synthesis {
namespace {

torch::Tensor grown_by(const torch::Tensor& mask, std::int64_t pixels) {
  return at::max_pool2d(mask.unsqueeze(0), {2 * pixels + 1, 2 * pixels + 1}, {1, 1}, {pixels, pixels})[0];
}

// 1 on the mask, falling to 0 across `margin` pixels about it.
torch::Tensor blend_of(const torch::Tensor& mask, int margin) {
  const layout::Plane away =
      pixel_distance(shards::pixels_from_mask(mask), static_cast<int>(mask.size(1)), static_cast<int>(mask.size(0)));
  const torch::Tensor distance = torch::tensor(at::ArrayRef<float>(away.values), torch::kFloat32).view(mask.sizes());
  return (1 - distance / (margin + 1.0)).clamp(0.0, 1.0);
}

}  // namespace

// A thing in its window, with what was painted of it.
struct ObjectInpainter::Attempt {
  InpaintedObject object;
  std::int64_t x = 0, y = 0;  // of the window in the scene
  shards::Sample window;      // the real image and label
  torch::Tensor intended;     // [h, w]
  PaintRequest request;
  std::vector<std::uint64_t> seeds;
  std::vector<torch::Tensor> painted;  // by seed
  bool decoy = false;
};

void ObjectInpainterOptions::validate() const {
  placement.validate();
  mask.validate();
  if (window < 16) throw RequestError(std::format("windows of {} pixels are too small", window));
  if (margin < 1) throw RequestError(std::format("a margin of {} pixels is too small", margin));
  require_share("strength", strength);
  require_share("match_colours", match_colours);
  if (decoys < 0) throw RequestError(std::format("{} decoys are not possible", decoys));
  if (decoys > 0 && strength == 0) {
    throw RequestError("where examples are pasted nothing is painted, and decoys have no part", "leave --decoys out");
  }
  if (match_colours > 0 && strength == 0) {
    throw RequestError("where examples are pasted their colours are as they were", "leave --match-colours out");
  }
  if (variants < 1) throw RequestError(std::format("{} variants of a thing are none", variants));
  if (rounds < 1) throw RequestError(std::format("{} rounds of painting are none", rounds));
}

ObjectInpainter::ObjectInpainter(Painter& painter, MaskRefiner& refiner, ThingFilters filters,
                                 const std::vector<Reference>& references, ObjectInpainterOptions options)
    : painter_(painter), refiner_(refiner), filters_(filters), references_(references), options_(options) {
  options_.validate();
  for (const Reference& reference : references) {
    footprints_.push_back(reference.footprint);
    moments_.push_back(colour_moments(reference.image, reference.mask));
  }
}

std::vector<ObjectInpainter::Attempt> ObjectInpainter::thing_attempts(const shards::Sample& scene, PlacementMap& map,
                                                                      const Classes& classes, int most,
                                                                      Random& random) const {
  PlacementOptions placing = options_.placement;
  placing.most = most;
  std::vector<Attempt> all;
  for (const Placement& placement : map.place(footprints_, placing, random)) {
    all.push_back(attempt_at(scene, placement, classes));
    Attempt& attempt = all.back();
    const Reference& reference = references_[placement.footprint];
    const layout::Affine moved{.c = -static_cast<double>(attempt.x), .f = -static_cast<double>(attempt.y)};
    attempt.request.layout.features.push_back(
        {classes.painted, layout::transform(placement.geometry, moved), false, {}});
    if (options_.strength < 1) {
      layout::Affine map_to_window = placement.scene_from_footprint;
      map_to_window.c += moved.c;
      map_to_window.f += moved.f;
      const torch::Tensor laid = warped(reference, map_to_window, static_cast<int>(attempt.intended.size(1)),
                                        static_cast<int>(attempt.intended.size(0)));
      const torch::Tensor share = laid.slice(0, laid.size(0) - 1);
      attempt.request.image = attempt.window.image * (1 - share) + laid.slice(0, 0, laid.size(0) - 1) * share;
    }
    if (painter_.model().reference_encoder) attempt.request.reference = reference.picture;
    for (int v = 0; v < options_.variants; ++v) {
      attempt.seeds.push_back(static_cast<std::uint64_t>(random.below(std::int64_t{1} << 40)));
    }
  }
  return all;
}

std::vector<ObjectInpainter::Attempt> ObjectInpainter::decoy_attempts(const shards::Sample& scene, PlacementMap& map,
                                                                      const Classes& classes, Random& random) const {
  if (options_.decoys == 0) return {};
  PlacementOptions anywhere = options_.placement;
  anywhere.anywhere = true;
  anywhere.most = options_.decoys;
  std::vector<Attempt> all;
  for (const Placement& placement : map.place(footprints_, anywhere, random)) {
    all.push_back(attempt_at(scene, placement, classes));
    all.back().decoy = true;
    all.back().seeds = {static_cast<std::uint64_t>(random.below(std::int64_t{1} << 40))};
  }
  return all;
}

ObjectInpainter::Attempt ObjectInpainter::attempt_at(const shards::Sample& scene, const Placement& placement,
                                                     const Classes& classes) const {
  const std::int64_t step = painter_.size_step();
  const std::int64_t width = scene.layout.width;
  const std::int64_t height = scene.layout.height;
  const layout::Bounds bounds = layout::bounds_of(placement.geometry);
  const auto larger = static_cast<std::int64_t>(std::ceil(std::max(bounds.width(), bounds.height())));
  const std::int64_t wanted = std::max<std::int64_t>(options_.window, 2 * larger);
  const auto side = [&](std::int64_t most) { return std::min((wanted + step - 1) / step * step, most / step * step); };
  const std::int64_t w = side(width);
  const std::int64_t h = side(height);
  Attempt attempt;
  attempt.object = {.reference = placement.footprint, .placement = placement};
  attempt.x = std::clamp<std::int64_t>(std::llround((bounds.x0 + bounds.x1) / 2) - w / 2, 0, width - w);
  attempt.y = std::clamp<std::int64_t>(std::llround((bounds.y0 + bounds.y1) / 2) - h / 2, 0, height - h);
  attempt.window.image = scene.image.slice(1, attempt.y, attempt.y + h).slice(2, attempt.x, attempt.x + w);
  attempt.window.layout = layout::crop(scene.layout, static_cast<int>(attempt.x), static_cast<int>(attempt.y),
                                       static_cast<int>(w), static_cast<int>(h));
  const layout::Affine moved{.c = -static_cast<double>(attempt.x), .f = -static_cast<double>(attempt.y)};
  attempt.intended =
      shards::drawn_mask(layout::transform(placement.geometry, moved), static_cast<int>(w), static_cast<int>(h));
  attempt.request.layout = renumbered(attempt.window.layout, classes.numbers);
  attempt.request.repaint = grown_by(attempt.intended, options_.margin);
  attempt.request.strength = options_.strength;
  attempt.request.image = attempt.window.image.contiguous();
  return attempt;
}

void ObjectInpainter::paste(const Attempt& attempt, const torch::Tensor& mask, const torch::Tensor& painted,
                            InpaintedScene& result) const {
  const torch::Tensor blend = blend_of(mask, options_.margin);
  const auto there = [&](const torch::Tensor& whole) {
    return whole.slice(-2, attempt.y, attempt.y + mask.size(0)).slice(-1, attempt.x, attempt.x + mask.size(1));
  };
  torch::Tensor image = there(result.sample.image);
  image.copy_(image + blend * (painted - image));
  torch::Tensor changed = there(result.changed);
  changed.copy_(torch::maximum(changed, blend.gt(0).to(torch::kFloat32)));
}

void ObjectInpainter::settle(Attempt& attempt, InpaintedScene& result, const Classes& classes, bool keep_trials) {
  std::optional<RefinedMask> mask;
  std::size_t best = 0;
  const auto picture_size = painter_.model().reference_encoder ? painter_.model().reference_encoder->config().size : 64;
  for (std::size_t v = 0; v < attempt.painted.size(); ++v) {
    RefinedMask refined;
    {
      const StageMeter meter(cost_.refining);
      // What was not painted is not the thing, however much it looks like it.
      const torch::Tensor found = refiner_.refine(attempt.painted[v], attempt.intended) * attempt.request.repaint;
      refined = tidied(found, attempt.intended, options_.mask);
    }
    double margin = 0;
    if (filters_.likeness != nullptr && refined.kept) {
      const StageMeter meter(cost_.filtering);
      margin = filters_.likeness->margin(shards::reference_picture(attempt.painted[v], refined.mask, picture_size));
    }
    // Any mask that is kept before any that is not, then the margin (without a filter the overlap).
    const auto rank = [&](const RefinedMask& one, double its) {
      return std::pair(one.kept, filters_.likeness != nullptr && one.kept ? its : one.overlap);
    };
    if (mask && rank(refined, margin) <= rank(*mask, attempt.object.margin)) continue;
    mask = std::move(refined);
    attempt.object.margin = margin;
    best = v;
  }
  InpaintedObject& object = attempt.object;
  object.seed = attempt.seeds[best];
  object.overlap = mask->overlap;
  if (!mask->kept) {
    object.rejected = "mask";
  } else if (filters_.likeness != nullptr && !filters_.likeness->accepts(object.margin)) {
    object.rejected = "likeness";
  } else if (filters_.judge != nullptr) {
    const StageMeter meter(cost_.filtering);
    object.judged = filters_.judge->score(attempt.painted[best], mask->mask);
    if (!filters_.judge->accepts(object.judged)) object.rejected = "judge";
  }
  if (object.rejected.empty()) {
    const StageMeter meter(cost_.writing);
    const std::int64_t h = attempt.intended.size(0);
    const std::int64_t w = attempt.intended.size(1);
    paste(attempt, mask->mask, attempt.painted[best], result);
    layout::Layout& layout = result.sample.layout;
    if (layout.mask) {
      const std::vector<std::uint8_t> pixels = shards::pixels_from_mask(mask->mask);
      for (std::int64_t y = 0; y < h; ++y) {
        for (std::int64_t x = 0; x < w; ++x) {
          if (pixels[static_cast<std::size_t>(y * w + x)] == 0) continue;
          layout.mask->values[static_cast<std::size_t>((y + attempt.y) * layout.width + x + attempt.x)] =
              static_cast<std::uint8_t>(classes.label);
        }
      }
    } else {
      const layout::Affine moved{.c = static_cast<double>(attempt.x), .f = static_cast<double>(attempt.y)};
      layout.features.push_back({classes.label, layout::transform(shards::outline_of(mask->mask), moved), false, {}});
    }
  }
  if (keep_trials) {
    const torch::Tensor after = result.sample.image.slice(1, attempt.y, attempt.y + attempt.intended.size(0))
                                    .slice(2, attempt.x, attempt.x + attempt.intended.size(1));
    result.trials.push_back({attempt.window.image, attempt.intended, attempt.painted, best, mask->mask, after.clone()});
  }
  result.objects.push_back(std::move(object));
}

InpaintedScene ObjectInpainter::inpaint(const shards::Sample& scene, PlacementMap& map, const Classes& classes,
                                        Random& random, bool keep_trials) {
  const std::int64_t step = painter_.size_step();
  if (scene.layout.width < step || scene.layout.height < step) {
    throw RequestError(std::format("{} is smaller than the {} pixels the model paints at least", scene.source, step));
  }
  InpaintedScene result{.sample = scene, .changed = torch::zeros({scene.layout.height, scene.layout.width})};
  result.sample.image = scene.image.clone();
  cost_ = {};
  int missing = options_.placement.most;
  for (int round = 0; round < options_.rounds && missing > 0; ++round) {
    std::vector<Attempt> all;
    {
      const StageMeter meter(cost_.placing);
      all = thing_attempts(scene, map, classes, missing, random);
      if (round == 0) std::ranges::move(decoy_attempts(scene, map, classes, random), std::back_inserter(all));
    }
    if (all.empty()) break;
    paint(all);
    for (Attempt& attempt : all) {
      if (attempt.decoy) {
        const StageMeter meter(cost_.writing);
        paste(attempt, attempt.intended, attempt.painted.front(), result);
        result.decoys.push_back(attempt.object.placement.geometry);
      } else {
        settle(attempt, result, classes, keep_trials);
        missing -= result.objects.back().rejected.empty();
      }
    }
  }
  result.cost = cost_;
  return result;
}

void ObjectInpainter::paint(std::vector<Attempt>& all) {
  if (options_.strength == 0) {
    for (Attempt& attempt : all) attempt.painted.assign(attempt.seeds.size(), attempt.request.image);
    return;
  }
  const StageMeter meter(cost_.painting);
  std::vector<PaintRequest> requests;
  std::vector<std::size_t> owners;
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (const std::uint64_t seed : all[i].seeds) {
      requests.push_back(all[i].request);
      requests.back().layout = painting_condition(std::move(requests.back().layout), painter_.model());
      requests.back().seed = seed;
      owners.push_back(i);
    }
  }
  const std::vector<torch::Tensor> painted = paint_or_find(painter_, requests, options_.paintings);
  for (std::size_t i = 0; i < painted.size(); ++i) {
    Attempt& attempt = all[owners[i]];
    const bool match = options_.match_colours > 0 && !attempt.decoy;
    attempt.painted.push_back(
        match ? colour_matched(painted[i], attempt.intended, moments_[attempt.object.reference], options_.match_colours)
              : painted[i]);
  }
}

}  // namespace terragen::synthesis
