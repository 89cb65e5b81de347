// Copy-paste (Ghiasi et al. 2021, arXiv 2012.07177): labelled things of one real image laid over another; of dense
// masks whole classes (ClassMix, Olsson et al. 2021, arXiv 2007.07936).
#pragma once

#include "terragen/core/seed.h"
#include "terragen/shards/sample.h"

namespace terragen::synthesis {

// About half of the source's features, or of the classes in its dense mask, over `target`. Both of one size. Features
// of the target of which less than a third stays in sight are dropped. Deterministic in `random`.
shards::Sample copy_paste(const shards::Sample& target, const shards::Sample& source, Random& random);

}  // namespace terragen::synthesis
