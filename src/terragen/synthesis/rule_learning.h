// Geographic rules learned from labelled examples of a class.
#pragma once

#include <vector>

#include "terragen/layout/placement_rule.h"
#include "terragen/shards/sample.h"

namespace terragen::synthesis {

// From the things of the class in the examples:
//   ground      the classes that make up at least a tenth of the ring of 8 pixels about them; unlabelled ground where
//               there is none, or no mask: beside an example it may be more of the class that nobody marked
//   sizes       from 0.8 of the 5 % quantile to 1.25 of the 95 % quantile of their longer sides
//   spacing     half the 5 % quantile of their distances to other features
//   neighbours  classes within twice the median size of nine things in ten, up to the 95 % quantile of the distances,
//               or that; the ground itself is none, fewer than five things tell of none, and so does a class that is
//               as near to half of all places where such a thing could lie
//   direction   along the image's lines, where longish things (3 : 2 and more) agree with them: a mean of
//               cos 2 (direction - lines) coherence of 0.3 and more
//   likeness    0.05 where no example has a dense mask: the ground is known by its looks alone
// RequestError when the examples show nothing of the class.
layout::PlacementRule learned_rule(const std::vector<shards::Sample>& examples, int class_index, int classes);

}  // namespace terragen::synthesis
