// What a layout shows in words, for networks that were taught with texts.
#pragma once

#include <string>
#include <vector>

#include "terragen/layout/layout.h"

namespace terragen::layout {

// "an aerial image with 3 ships, a pier and water": features counted by class, the most frequent first, then what a
// dense mask covers at least a hundredth of, the largest first; at most eight classes, since a text encoder holds few
// words. From one metre a pixel on it is a satellite image. Words of a class are told apart by blanks; a name in
// brackets is no word and left out. The layout's own caption follows after a comma.
std::string caption_of(const Layout& layout, const Taxonomy& taxonomy);
std::vector<std::string> captions_of(const std::vector<Layout>& layouts, const Taxonomy& taxonomy);

}  // namespace terragen::layout
