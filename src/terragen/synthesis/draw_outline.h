// Outlines of shapes on a canvas.
#pragma once

#include "terragen/core/canvas.h"
#include "terragen/layout/geometry.h"

namespace terragen::synthesis {

// The exterior rings of the shape, in an image of width x height pixels whose corner lies at (left, top); what lies
// beyond the image is drawn along its edge.
void draw_outline(Canvas& canvas, const layout::Geometry& geometry, Rgb color, int left, int top, int width,
                  int height);

}  // namespace terragen::synthesis
