#include "terragen/app/inpaint_options.h"

namespace terragen::app {

void add_inpaint_options(CLI::App& command, synthesis::InpaintOptions& options) {
  synthesis::ObjectInpainterOptions& objects = options.objects;
  command
      .add_option("--scenes", options.scenes,
                  "Training images that are painted into, others for those that have no room; 0: all")
      ->capture_default_str();
  command.add_option("--per-scene", options.per_scene, "New images of each")->capture_default_str();
  command.add_option("--things", objects.placement.most, "Most things in a new image")->capture_default_str();
  command.add_option("--variants", objects.variants, "Painted of every thing; the one most like the examples stays")
      ->capture_default_str();
  command
      .add_option("--decoys", objects.decoys,
                  "Patches of a new image that are painted as what they are, so that painting does not tell the class")
      ->capture_default_str();
  command
      .add_option("--strength", objects.strengths,
                  "1: painted from nothing; less: over the example laid there; 0: the example itself pasted. Several, "
                  "as 0.5,0.3,0: things take them in turn, and what is dropped is tried elsewhere with the next")
      ->delimiter(',')
      ->capture_default_str();
  command
      .add_option("--match-colours", objects.match_colours,
                  "Share by which mean and contrast of what was painted are brought to the example's")
      ->capture_default_str();
  command.add_option("--window", objects.window, "Pixels a side of what is painted at once, at least")
      ->capture_default_str();
  command.add_option("--paintings", objects.paintings,
                     "Folder that keeps what is painted, for runs with another outline, filter or judge to find");
  command
      .add_option("--least-overlap", objects.mask.least_overlap,
                  "Of outline and intention; below it a thing is dropped")
      ->capture_default_str();
  command
      .add_option("--reject-share", options.reject_share,
                  "Share of real examples that the filter would reject; it drops what is less alike")
      ->capture_default_str();
}

}  // namespace terragen::app
