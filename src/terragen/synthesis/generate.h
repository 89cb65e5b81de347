// Layouts to a labelled, georeferenced dataset of painted images.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "terragen/synthesis/layout_source.h"
#include "terragen/synthesis/painter.h"

namespace terragen::synthesis {

struct GenerateOptions {
  int count = 1;           // images a layout
  std::uint64_t seed = 0;  // image i of layout l has a seed derived from this one, l and i
  int sheet_rows = 24;     // most layouts on the contact sheet
};

struct GenerateSummary {
  std::size_t images = 0;
  double seconds = 0;
};

// Writes `output`: dataset.json, images/, masks/ where dense, annotations.json, stac/, contact_sheet.png; complete or
// not at all. What conditions the painter and what is written as label are the same layout::Layout.
// Stopped by the user, it writes what is painted and throws Interrupted.
GenerateSummary generate(Painter& painter, const std::vector<PlacedLayout>& layouts, const GenerateOptions& options,
                         const std::filesystem::path& output);

}  // namespace terragen::synthesis
