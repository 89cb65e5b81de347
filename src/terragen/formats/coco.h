// COCO object annotations, read and written.
//
// Our extra key "terragen" in an annotation holds the shape as layout::geometry_to_json has it, so that oriented boxes,
// lines, points, holes and parts come back without loss; every COCO reader can ignore it.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "terragen/core/json_file.h"
#include "terragen/formats/annotation_set.h"

namespace terragen::formats {

// Run lengths of a mask in COCO's column order, beginning with zeros. DataError naming `place` when they do not sum to
// height * width.
std::vector<std::uint8_t> mask_from_rle(const std::vector<std::uint32_t>& counts, int width, int height,
                                        const std::string& place);
std::vector<std::uint32_t> rle_from_mask(const std::vector<std::uint8_t>& mask, int width, int height);
// COCO's text form of run lengths.
std::vector<std::uint32_t> rle_from_text(const std::string& text, const std::string& place);

// Boxes, polygons, run lengths (both forms). Structural damage (missing image, unknown category, odd polygon, run
// lengths of a wrong sum) is a DataError naming file and annotation; empty shapes are dropped and reported as problems.
AnnotationSet read_coco(const std::filesystem::path& path);
// Also the form of a dataset's annotations.json. `cut`: "bbox", "segmentation" and "area" end at the image's edge, as
// most readers ask for; the exact shape stays beside them.
Json coco_json(const AnnotationSet& set, bool cut = false);
AnnotationSet coco_from_json(const Json& json, const std::string& place);
void write_coco(const AnnotationSet& set, const std::filesystem::path& path, bool cut = false);

}  // namespace terragen::formats
