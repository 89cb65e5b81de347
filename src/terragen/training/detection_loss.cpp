#include "terragen/training/detection_loss.h"

#include "terragen/models/detections.h"
#include "terragen/nn/box_ops.h"

namespace terragen::training {
namespace {

// A cell answers within so many strides of the centre (Tian et al. 2019, centre sampling).
constexpr double kCentreStrides = 1.5;
// A level is for boxes whose farthest side lies within so many strides.
constexpr double kSizeStrides = 8.0;
constexpr double kFar = 1e9;

torch::Tensor sides(const torch::Tensor& distances, int first, int second) {
  return distances.select(-1, first) + distances.select(-1, second);
}

// Of boxes in one frame, given by their distances from one point: [...].
torch::Tensor generalized_iou(const torch::Tensor& one, const torch::Tensor& two) {
  const auto area = [](const torch::Tensor& d) { return sides(d, 0, 2) * sides(d, 1, 3); };
  const torch::Tensor both = area(torch::minimum(one, two));
  const torch::Tensor either = area(one) + area(two) - both;
  const torch::Tensor around = area(torch::maximum(one, two)).clamp_min(1e-7);
  return both / either.clamp_min(1e-7) - (around - either) / around;
}

// Where cells lie from boxes, in each box's frame: along and across it, [L, M] each.
std::pair<torch::Tensor, torch::Tensor> from_centres(const torch::Tensor& cells, const torch::Tensor& boxes) {
  const torch::Tensor theta = boxes.select(1, 4);
  const torch::Tensor away = cells.unsqueeze(1) - boxes.slice(1, 0, 2).unsqueeze(0);  // [L, M, 2]
  return {away.select(2, 0) * theta.cos() + away.select(2, 1) * theta.sin(),
          away.select(2, 1) * theta.cos() - away.select(2, 0) * theta.sin()};
}

torch::Tensor with_crowds(const torch::Tensor& classes, const torch::Tensor& crowds, const torch::Tensor& centres) {
  if (crowds.size(0) == 0) return classes;
  const auto [along, across] = from_centres(centres, crowds);
  const torch::Tensor inside =
      along.abs().le(crowds.select(1, 2) / 2).logical_and(across.abs().le(crowds.select(1, 3) / 2)).any(1);
  return classes.masked_fill(inside.logical_and(classes.eq(kBackground)), kUnknown);
}

}  // namespace

DetectionTruth detection_truth(const layout::Layout& layout, bool oriented) {
  std::vector<float> boxes;
  std::vector<float> crowds;
  std::vector<std::int64_t> classes;
  for (const layout::Feature& feature : layout.features) {
    const layout::OrientedBox box = models::object_box(feature.geometry, oriented);
    for (const double value : {box.cx, box.cy, box.width, box.height, box.angle}) {
      (feature.crowd ? crowds : boxes).push_back(static_cast<float>(value));
    }
    if (!feature.crowd) classes.push_back(feature.class_index);
  }
  return {torch::tensor(boxes).view({-1, 5}), torch::tensor(classes, torch::kInt64),
          torch::tensor(crowds).view({-1, 5})};
}

DetectionTargets detection_targets(const std::vector<DetectionTruth>& truth, const torch::Tensor& centres,
                                   const torch::Tensor& strides) {
  const std::int64_t cells = centres.size(0);
  const double finest = strides.min().item<double>();
  const double coarsest = strides.max().item<double>();
  const torch::Tensor stride = strides.unsqueeze(1);  // [L, 1]
  std::vector<torch::Tensor> classes, distances, angles, centreness;
  for (const DetectionTruth& image : truth) {
    if (image.boxes.size(0) == 0) {
      classes.push_back(with_crowds(torch::full({cells}, kBackground, torch::kInt64), image.crowds, centres));
      distances.push_back(torch::zeros({cells, 4}));
      angles.push_back(torch::zeros({cells, 2}));
      centreness.push_back(torch::zeros({cells}));
      continue;
    }
    const torch::Tensor size = image.boxes.slice(1, 2, 4).clamp_min(0.1);  // [M, 2]
    const torch::Tensor theta = image.boxes.select(1, 4);
    const auto [along, across] = from_centres(centres, image.boxes);
    const torch::Tensor half = size / 2;
    const torch::Tensor reach = torch::maximum(half.unsqueeze(0), stride.unsqueeze(2) / 2);  // [L, M, 2]
    const torch::Tensor near = torch::minimum(reach, kCentreStrides * stride.unsqueeze(2));
    const torch::Tensor inside = along.abs().le(near.select(2, 0)).logical_and(across.abs().le(near.select(2, 1)));
    // From the cell to the sides; where a small box was taken larger, a side may lie behind the cell.
    const torch::Tensor d = torch::stack(
        {half.select(1, 0) + along, half.select(1, 1) + across, half.select(1, 0) - along, half.select(1, 1) - across},
        2);
    const torch::Tensor farthest = d.amax(2);
    const torch::Tensor least = torch::where(stride.eq(finest), torch::zeros_like(stride), kSizeStrides / 2 * stride);
    const torch::Tensor most = torch::where(stride.eq(coarsest), torch::full_like(stride, kFar), kSizeStrides * stride);
    const torch::Tensor fits = inside.logical_and(farthest.gt(least)).logical_and(farthest.le(most));
    const torch::Tensor area = size.prod(1).unsqueeze(0).expand_as(fits).masked_fill(fits.logical_not(), kFar * kFar);
    const auto [smallest, which] = area.min(1);
    const torch::Tensor answers = fits.any(1);
    classes.push_back(with_crowds(image.classes.index_select(0, which).masked_fill(answers.logical_not(), kBackground),
                                  image.crowds, centres));
    const torch::Tensor own = d.gather(1, which.view({-1, 1, 1}).expand({-1, 1, 4})).squeeze(1).clamp_min(0.01);
    distances.push_back(own);
    const torch::Tensor turned = theta.index_select(0, which) * 2;
    angles.push_back(torch::stack({turned.cos(), turned.sin()}, 1));
    // Of an object smaller than two cells the nearest cell may be no nearer to its middle than to its side: how near it
    // is counts by the cell's size then, or no cell could ever say that it is sure.
    const auto ratio = [&](const torch::Tensor& offset, const torch::Tensor& half_side) {
      const torch::Tensor r = torch::maximum(half_side, stride.squeeze(1));
      const torch::Tensor o = torch::minimum(offset, r);
      return (r - o) / (r + o);
    };
    const auto of_own = [&](const torch::Tensor& all) { return all.gather(1, which.unsqueeze(1)).squeeze(1); };
    const torch::Tensor half_own = half.index_select(0, which);
    centreness.push_back(
        (ratio(of_own(along.abs()), half_own.select(1, 0)) * ratio(of_own(across.abs()), half_own.select(1, 1)))
            .sqrt());
  }
  return {torch::stack(classes), torch::stack(distances), torch::stack(angles), torch::stack(centreness)};
}

torch::Tensor detection_loss(const models::DetectorOutput& output, const DetectionTargets& targets, Scalars& scalars) {
  const torch::Tensor answers = targets.classes.ge(0);
  const double count = std::max<double>(1.0, answers.sum().item<double>());
  const torch::Tensor one_hot =
      torch::one_hot(targets.classes.clamp_min(0), output.logits.size(2)).to(torch::kFloat32) *
      answers.unsqueeze(2).to(torch::kFloat32);
  const torch::Tensor known = targets.classes.ne(kUnknown).unsqueeze(2).to(torch::kFloat32);
  const torch::Tensor of_class = (nn::sigmoid_focal_loss(output.logits, one_hot) * known).sum() / count;
  scalars["loss_class"] = of_class.item<double>();
  if (!answers.any().item<bool>()) return of_class + 0.0 * (output.distances.sum() + output.centreness.sum());
  const torch::Tensor weight = targets.centreness.masked_select(answers).clamp_min(0.05);
  const torch::Tensor at = answers.unsqueeze(2);
  const auto chosen = [&](const torch::Tensor& value) {
    return value.masked_select(at.expand_as(value)).view({-1, value.size(2)});
  };
  const torch::Tensor of_box =
      ((1 - generalized_iou(chosen(output.distances), chosen(targets.distances))) * weight).sum() / weight.sum();
  const torch::Tensor of_centre =
      torch::binary_cross_entropy_with_logits(output.centreness.masked_select(answers),
                                              targets.centreness.masked_select(answers), {}, {}, at::Reduction::Sum) /
      count;
  torch::Tensor loss = of_class + of_box + of_centre;
  scalars["loss_box"] = of_box.item<double>();
  scalars["loss_centreness"] = of_centre.item<double>();
  if (output.angle.defined()) {
    const torch::Tensor said = chosen(output.angle);
    const torch::Tensor unit = said / said.norm(2, 1, true).clamp_min(1e-6);
    // Of a square no angle is wrong: what is longer than wide counts.
    const torch::Tensor d = chosen(targets.distances);
    const torch::Tensor longness = (sides(d, 0, 2) - sides(d, 1, 3)).abs() / (sides(d, 0, 2) + sides(d, 1, 3));
    const torch::Tensor of_angle =
        ((1 - (unit * chosen(targets.angle)).sum(1)) * longness).sum() / longness.sum().clamp_min(1e-6);
    scalars["loss_angle"] = of_angle.item<double>();
    loss = loss + of_angle;
  }
  return loss;
}

}  // namespace terragen::training
