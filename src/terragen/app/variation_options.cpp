#include "terragen/app/variation_options.h"

namespace terragen::app {

void add_variation_options(CLI::App& command, synthesis::VariationOptions& options) {
  command.add_option("--scale-jitter", options.scale_jitter, "Layouts are resized by up to this factor either way")
      ->capture_default_str();
  command.add_option("--mix-share", options.mix_share, "Share of new images made of two known ones")
      ->capture_default_str();
  command.add_option("--whole-share", options.whole_share, "Share of new images painted from nothing but a layout")
      ->capture_default_str();
  command
      .add_option("--scene-share", options.scene_share,
                  "Share painted over a real image as a whole; in the rest objects are painted into real images")
      ->capture_default_str();
  command
      .add_option("--paste-share", options.paste_share,
                  "Share made of parts of real images over others, with nothing painted")
      ->capture_default_str();
  command
      .add_option("--least-strength", options.least_strength,
                  "Least strength of what is painted over an image, 1: nothing shines through")
      ->capture_default_str();
  command.add_option("--most-strength", options.most_strength, "Most")->capture_default_str();
}

}  // namespace terragen::app
