#include "terragen/layout/caption.h"

#include <gtest/gtest.h>

namespace terragen::layout {
namespace {

Feature box_of(int class_index) {
  Feature feature;
  feature.class_index = class_index;
  feature.geometry.kind = GeometryKind::box;
  feature.geometry.parts = {{{{0, 0}, {4, 0}, {4, 4}, {0, 4}}, {}}};
  return feature;
}

TEST(Caption, CountsFeaturesTheMostFrequentFirst) {
  const Taxonomy taxonomy({{"pier", {}}, {"ship", {}}, {"oil_tank", {}}, {"ferry", {}}, {"(reference)", {}}});
  Layout layout{.task = "detection", .width = 64, .height = 64, .gsd = 0.3};
  EXPECT_EQ(caption_of(layout, taxonomy), "an aerial image");
  layout.features = {box_of(0), box_of(1), box_of(1), box_of(1), box_of(4)};
  EXPECT_EQ(caption_of(layout, taxonomy), "an aerial image with 3 ships and a pier");
  layout.features = {box_of(3), box_of(3), box_of(2)};
  layout.gsd = 10;
  layout.caption = "in winter";
  EXPECT_EQ(caption_of(layout, taxonomy), "a satellite image with 2 ferries and an oil tank, in winter");
}

TEST(Caption, NamesWhatAMaskCovers) {
  const Taxonomy taxonomy({{"water", {}}, {"grass", {}}, {"road", {}}, {"(reference)", {}}});
  Layout layout{.task = "segmentation", .width = 20, .height = 10};
  layout.mask = DenseMask{20, 10, std::vector<std::uint8_t>(200, 1)};
  for (std::size_t i = 0; i < 60; ++i) layout.mask->values[i] = 0;
  layout.mask->values[199] = 2;  // too little to be told
  layout.mask->values[198] = kUnlabelled;
  for (std::size_t i = 150; i < 190; ++i) layout.mask->values[i] = 3;
  EXPECT_EQ(caption_of(layout, taxonomy), "an aerial image with grass and water");
}

}  // namespace
}  // namespace terragen::layout
