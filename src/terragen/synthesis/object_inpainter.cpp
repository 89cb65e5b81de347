#include "terragen/synthesis/object_inpainter.h"

#include <algorithm>
#include <cmath>
#include <format>
#include <iterator>
#include <numeric>
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

std::vector<double> painted_strengths(std::vector<double> strengths) {
  std::erase(strengths, 0.0);
  return strengths;
}

}  // namespace

// A thing in its window, with what was painted of it.
struct ObjectInpainter::Attempt {
  InpaintedObject object;
  std::size_t thing = 0;      // which of the scene's it is
  std::int64_t x = 0, y = 0;  // of the window in the scene
  shards::Sample window;      // the real image and label
  torch::Tensor intended;     // [h, w]
  PaintRequest request;
  std::vector<std::uint64_t> seeds;
  std::vector<torch::Tensor> painted;  // by seed
  std::size_t chosen = 0;              // of them
  bool decoy = false;
};

void ObjectInpainterOptions::validate() const {
  placement.validate();
  mask.validate();
  if (window < 16) throw RequestError(std::format("windows of {} pixels are too small", window));
  if (margin < 1) throw RequestError(std::format("a margin of {} pixels is too small", margin));
  if (strengths.empty()) throw RequestError("no strength is named, and nothing would be painted");
  for (const double strength : strengths) require_share("strength", strength);
  const bool paints = !painted_strengths(strengths).empty();
  require_share("match_colours", match_colours);
  if (decoys < 0) throw RequestError(std::format("{} decoys are not possible", decoys));
  if (decoys > 0 && !paints) {
    throw RequestError("where examples are pasted nothing is painted, and decoys have no part", "leave --decoys out");
  }
  if (match_colours > 0 && !paints) {
    throw RequestError("where examples are pasted their colours are as they were", "leave --match-colours out");
  }
  if (variants < 1) throw RequestError(std::format("{} variants of a thing are none", variants));
}

ObjectInpainter::ObjectInpainter(Painter& painter, MaskRefiner& refiner, ThingFilters filters,
                                 const std::vector<Reference>& references, ObjectInpainterOptions options)
    : painter_(painter), refiner_(refiner), filters_(filters), references_(references), options_(std::move(options)) {
  options_.validate();
  for (const Reference& reference : references) {
    footprints_.push_back(reference.footprint);
    if (options_.match_colours > 0) moments_.push_back(colour_moments(reference.image, reference.mask));
  }
}

std::vector<ObjectInpainter::Attempt> ObjectInpainter::thing_attempts(const shards::Sample& scene, PlacementMap& map,
                                                                      const Classes& classes,
                                                                      const std::vector<std::size_t>& things,
                                                                      std::size_t round, Random& random) const {
  PlacementOptions placing = options_.placement;
  placing.most = static_cast<int>(things.size());
  std::vector<Attempt> all;
  for (const Placement& placement : map.place(footprints_, placing, random)) {
    const std::size_t thing = things[all.size()];
    const double strength = options_.strengths[(thing + round) % options_.strengths.size()];
    all.push_back(attempt_at(scene, placement, classes, strength));
    Attempt& attempt = all.back();
    attempt.thing = thing;
    const Reference& reference = references_[placement.footprint];
    const layout::Affine moved{.c = -static_cast<double>(attempt.x), .f = -static_cast<double>(attempt.y)};
    attempt.request.layout.features.push_back(
        {classes.painted, layout::transform(placement.geometry, moved), false, {}});
    if (strength < 1) {
      layout::Affine map_to_window = placement.scene_from_footprint;
      map_to_window.c += moved.c;
      map_to_window.f += moved.f;
      const torch::Tensor laid = warped(reference, map_to_window, static_cast<int>(attempt.intended.size(1)),
                                        static_cast<int>(attempt.intended.size(0)));
      const torch::Tensor share = laid.slice(0, laid.size(0) - 1);
      attempt.request.image = attempt.window.image * (1 - share) + laid.slice(0, 0, laid.size(0) - 1) * share;
    }
    if (painter_.model().reference_encoder) attempt.request.reference = reference.picture;
    for (int v = 0; v < (strength == 0 ? 1 : options_.variants); ++v) {
      attempt.seeds.push_back(static_cast<std::uint64_t>(random.below(std::int64_t{1} << 40)));
    }
    if (strength == 0) attempt.painted = {attempt.request.image};
  }
  return all;
}

std::vector<ObjectInpainter::Attempt> ObjectInpainter::decoy_attempts(const shards::Sample& scene, PlacementMap& map,
                                                                      const Classes& classes, Random& random) const {
  if (options_.decoys == 0) return {};
  PlacementOptions anywhere = options_.placement;
  anywhere.anywhere = true;
  anywhere.most = options_.decoys;
  const std::vector<double> strengths = painted_strengths(options_.strengths);
  std::vector<Attempt> all;
  for (const Placement& placement : map.place(footprints_, anywhere, random)) {
    all.push_back(attempt_at(scene, placement, classes, strengths[all.size() % strengths.size()]));
    all.back().decoy = true;
    all.back().seeds = {static_cast<std::uint64_t>(random.below(std::int64_t{1} << 40))};
  }
  return all;
}

ObjectInpainter::Attempt ObjectInpainter::attempt_at(const shards::Sample& scene, const Placement& placement,
                                                     const Classes& classes, double strength) const {
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
  attempt.object = {.reference = placement.footprint, .placement = placement, .strength = strength};
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

torch::Tensor ObjectInpainter::chosen_mask(Attempt& attempt) {
  std::optional<RefinedMask> mask;
  InpaintedObject& object = attempt.object;
  const bool pasted = object.strength == 0;
  const bool compared = filters_.likeness != nullptr && !pasted;
  const auto picture_size = painter_.model().reference_encoder ? painter_.model().reference_encoder->config().size : 64;
  for (std::size_t v = 0; v < attempt.painted.size(); ++v) {
    RefinedMask refined;
    {
      const StageMeter meter(cost_.refining);
      const torch::Tensor found = pasted ? attempt.intended : refiner_.refine(attempt.painted[v], attempt.intended);
      // What was not painted is not the thing, however much it looks like it.
      refined = tidied(found * attempt.request.repaint, attempt.intended, options_.mask);
    }
    double margin = 0;
    if (compared && refined.kept) {
      const StageMeter meter(cost_.filtering);
      margin = filters_.likeness->margin(shards::reference_picture(attempt.painted[v], refined.mask, picture_size));
    }
    // Any mask that is kept before any that is not, then the margin (without a filter the overlap).
    const auto rank = [&](const RefinedMask& one, double its) {
      return std::pair(one.kept, compared && one.kept ? its : one.overlap);
    };
    if (mask && rank(refined, margin) <= rank(*mask, object.margin)) continue;
    mask = std::move(refined);
    object.margin = margin;
    attempt.chosen = v;
  }
  object.seed = attempt.seeds[attempt.chosen];
  object.overlap = mask->overlap;
  if (!mask->kept) {
    object.rejected = "mask";
  } else if (compared && !filters_.likeness->accepts(object.margin)) {
    object.rejected = "likeness";
  } else if (filters_.judge != nullptr && !pasted) {
    const StageMeter meter(cost_.filtering);
    object.judged = filters_.judge->score(attempt.painted[attempt.chosen], mask->mask);
    if (!filters_.judge->accepts(object.judged)) object.rejected = "judge";
  }
  return mask->mask;
}

void ObjectInpainter::settle(Attempt& attempt, InpaintedScene& result, const Classes& classes, bool keep_trials) {
  const torch::Tensor mask = chosen_mask(attempt);
  if (attempt.object.rejected.empty()) {
    const StageMeter meter(cost_.writing);
    paste(attempt, mask, attempt.painted[attempt.chosen], result);
    shards::label_region(result.sample.layout, mask, classes.label, static_cast<int>(attempt.x),
                         static_cast<int>(attempt.y));
  }
  if (keep_trials) {
    const torch::Tensor after = result.sample.image.slice(1, attempt.y, attempt.y + attempt.intended.size(0))
                                    .slice(2, attempt.x, attempt.x + attempt.intended.size(1));
    result.trials.push_back(
        {attempt.window.image, attempt.intended, attempt.painted, attempt.chosen, mask, after.clone()});
  }
  result.objects.push_back(std::move(attempt.object));
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
  std::vector<std::size_t> missing(static_cast<std::size_t>(options_.placement.most));
  std::iota(missing.begin(), missing.end(), std::size_t{0});
  for (std::size_t round = 0; round < options_.strengths.size() && !missing.empty(); ++round) {
    std::vector<Attempt> all;
    {
      const StageMeter meter(cost_.placing);
      all = thing_attempts(scene, map, classes, missing, round, random);
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
        if (result.objects.back().rejected.empty()) std::erase(missing, attempt.thing);
      }
    }
  }
  result.cost = cost_;
  return result;
}

void ObjectInpainter::paint(std::vector<Attempt>& all) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i].painted.empty()) order.push_back(i);
  }
  if (order.empty()) return;
  const StageMeter meter(cost_.painting);
  // Neighbours of one strength are painted together.
  std::ranges::stable_sort(order, {}, [&](std::size_t i) { return all[i].object.strength; });
  std::vector<PaintRequest> requests;
  std::vector<std::size_t> owners;
  for (const std::size_t i : order) {
    for (const std::uint64_t seed : all[i].seeds) {
      requests.push_back(all[i].request);
      requests.back().layout = painting_condition(std::move(requests.back().layout), painter_.model());
      requests.back().strength = all[i].object.strength;
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
