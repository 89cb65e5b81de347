// Geographic rules learned from labelled examples of a class.
#pragma once

#include <vector>

#include "terragen/layout/placement_rule.h"
#include "terragen/shards/sample.h"

namespace terragen::synthesis {

// How much of the scenes each class of a dense mask covers, and how much none does.
struct GroundShares {
  std::vector<double> classes;
  double unlabelled = 1;
};
// Of all scenes together; those without a dense mask are unlabelled.
GroundShares ground_shares(const std::vector<const layout::Layout*>& scenes, int classes);

// From the things of the class in the examples:
//   ground      what a tenth of the things and more stand on: it makes up at least a tenth of the ring of 8 pixels
//               about them. What none stands on is ground as well unless it is so frequent in the scenes that that many
//               things would hardly (10 %) all have missed it: five examples say little of what is rare. Unlabelled
//               ground like any other, and always where no mask names any
//   sizes       from 0.8 of the 5 % quantile to 1.25 of the 95 % quantile of their longer sides
//   spacing     half the 5 % quantile of their distances to other features
//   neighbours  classes within twice the median size of nine things in ten, up to the 95 % quantile of the distances,
//               or that; the ground itself is none, fewer than five things tell of none, and so does a class that is
//               as near to half of all places where such a thing could lie
//   direction   along the image's lines, where longish things (3 : 2 and more) agree with them: a mean of
//               cos 2 (direction - lines) coherence of 0.3 and more
//   likeness    0.05 where no example has a dense mask: the ground is known by its looks alone
// RequestError when the examples show nothing of the class.
layout::PlacementRule learned_rule(const std::vector<shards::Sample>& examples, int class_index,
                                   const GroundShares& shares);

}  // namespace terragen::synthesis
