#include "terragen/pretrained/prompt_painting.h"

#include <gtest/gtest.h>

#include <cmath>

#include "terragen/core/atomic_file.h"
#include "terragen/core/error.h"
#include "terragen/core/interrupt.h"
#include "terragen/core/test_paths.h"
#include "terragen/pretrained/small_model.h"

namespace terragen::pretrained {
namespace {

PromptOptions small_options() {
  PromptOptions options;
  options.prompt = "a field";
  options.width = 16;
  options.height = 24;
  options.steps = 2;
  options.sampler = "euler-a";
  options.compute.precision = "fp32";
  return options;
}

TEST(PromptPainting, TheSameSeedGivesTheSameImages) {
  const test::ScratchFolder scratch;
  test::SmallModel().write_folder(scratch.path() / "sd");
  const auto paint = [&](const PromptOptions& options, const char* name) {
    paint_prompt(load_checkpoint(scratch.path() / "sd"), options, scratch.path() / name);
    return read_file(scratch.path() / name / "images" / "00000.png");
  };
  PromptOptions options = small_options();
  options.count = 2;
  options.sources = {{"model", "sd"}};
  const std::string first = paint(options, "a");
  EXPECT_EQ(paint(small_options(), "b"), first);
  EXPECT_NE(read_file(scratch.path() / "a" / "images" / "00001.png"), first);
  options.seed = 1;
  EXPECT_NE(paint(options, "c"), first);
  EXPECT_EQ(read_json(scratch.path() / "a" / "generation.json").at("images").size(), 2U);
  EXPECT_EQ(read_json(scratch.path() / "a" / "generation.json").at("sources").at("model"), "sd");
  EXPECT_THROW(paint(options, "c"), RequestError);
}

TEST(PromptPainting, WhatIsPaintedWhenTheUserStopsIsKept) {
  const test::ScratchFolder scratch;
  test::SmallModel().write_folder(scratch.path() / "sd");
  PromptOptions options = small_options();
  options.count = 9;
  int painted = 0;
  const PictureWriter write = [&](const std::filesystem::path& stem, const torch::Tensor& pixels) {
    if (++painted == 2) request_interrupt();
    return write_png_picture(stem, pixels);
  };
  EXPECT_THROW(paint_prompt(load_checkpoint(scratch.path() / "sd"), options, scratch.path() / "out", write),
               Interrupted);
  EXPECT_EQ(read_json(scratch.path() / "out" / "generation.json").at("images").size(), 2U);
  EXPECT_TRUE(std::filesystem::exists(scratch.path() / "out" / "images" / "00001.png"));
  // Before the first image there is nothing to keep.
  EXPECT_THROW(paint_prompt(load_checkpoint(scratch.path() / "sd"), options, scratch.path() / "none"), Interrupted);
  EXPECT_FALSE(std::filesystem::exists(scratch.path() / "none"));
  request_interrupt(false);
}

TEST(PromptPainting, RefusesWhatItCannotPaint) {
  const test::ScratchFolder scratch;
  test::SmallModel().write_folder(scratch.path() / "sd");
  const auto refused = [&](const std::function<void(PromptOptions&)>& change) {
    PromptOptions options = small_options();
    change(options);
    EXPECT_THROW(paint_prompt(load_checkpoint(scratch.path() / "sd"), options, scratch.path() / "out"), RequestError);
    EXPECT_FALSE(std::filesystem::exists(scratch.path() / "out"));
  };
  refused([](auto& o) { o.prompt = ""; });
  refused([](auto& o) { o.prompt = std::string(80, 'x'); });
  refused([](auto& o) { o.width = 17; });
  refused([](auto& o) { o.count = 0; });
  refused([](auto& o) { o.sampler = "fast"; });
  refused([](auto& o) { o.guidance = 0.5; });  // a weak prompt would be none: 1 says so
  refused([](auto& o) { o.guidance = INFINITY; });
  refused([](auto& o) { o.control_scale = NAN; });
  refused([](auto& o) { o.boxes = {parse_phrase_box("a ship@0.1,0.1,0.5,0.5")}; });
}

TEST(PhraseBox, EmptyPlacesFollowTheBoxes) {
  const models::BoxCondition two = {torch::rand({1, 2, 4}), torch::ones({1, 2}), torch::rand({1, 2, 8})};
  const models::BoxCondition padded = models::with_empty_places(two, 30);
  EXPECT_EQ(padded.boxes.sizes(), (torch::IntArrayRef{1, 30, 4}));
  EXPECT_EQ(padded.embeddings.sizes(), (torch::IntArrayRef{1, 30, 8}));
  EXPECT_EQ(padded.mask.sum().item<double>(), 2);
  EXPECT_TRUE(torch::equal(padded.boxes.narrow(1, 0, 2), two.boxes));
  EXPECT_THROW(models::with_empty_places(two, 1), RequestError);
}

TEST(PhraseBox, IsReadOrRefused) {
  const PhraseBox box = parse_phrase_box("a ship @ sea@0.1,0.25,0.5,1");
  EXPECT_EQ(box.phrase, "a ship @ sea");
  EXPECT_EQ(box.top, 0.25);
  EXPECT_EQ(box.bottom, 1.0);
  for (const char* text : {"", "ship", "@0,0,1,1", "ship@0,0,1", "ship@0,0,1,1,1", "ship@0,0,1,x", "ship@0.5,0,0.2,1",
                           "ship@0,0,1,1.5", "ship@nan,0,1,1"}) {
    EXPECT_THROW(parse_phrase_box(text), RequestError) << text;
  }
}

}  // namespace
}  // namespace terragen::pretrained
