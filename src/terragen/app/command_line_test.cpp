// What the program says of a command line, and what it leaves where it refuses.
#include <gtest/gtest.h>

#include <filesystem>
#include <format>
#include <string>

#include "terragen/app/output_folders.h"
#include "terragen/app/test_program.h"
#include "terragen/core/atomic_file.h"
#include "terragen/core/png.h"
#include "terragen/core/scratch_folder.h"

namespace terragen::app {
namespace {

bool says(const test::Answer& answer, const std::string& words) { return answer.said.find(words) != std::string::npos; }

TEST(CommandLine, AMistypedCommandIsNamed) {
  for (const auto& [arguments, words] :
       {std::pair{"genrate x", "`terragen` has no command \"genrate\""},
        {"evaluate usefulnes x", "`terragen evaluate` has no command \"usefulnes\""}}) {
    const test::Answer answer = test::run_program(arguments);
    EXPECT_EQ(answer.code, 2) << arguments;
    EXPECT_TRUE(says(answer, words)) << answer.said;
  }
  EXPECT_TRUE(says(test::run_program("evaluate usefulnes"), "few-shot"));  // what there is
}

TEST(CommandLine, OptionsOfOtherModelsAreRefused) {
  const test::Answer segmenter = test::run_program("train segmenter nowhere -o /nowhere/run --unet-channels 32,64");
  EXPECT_EQ(segmenter.code, 2);
  EXPECT_TRUE(says(segmenter, "--unet-channels has no meaning for a segmenter")) << segmenter.said;
  EXPECT_EQ(test::run_program("train classifier nowhere -o /nowhere/run --blur 1").code, 2);
  // What the model does have goes on to the data, which are not there.
  EXPECT_EQ(test::run_program("train generator nowhere -o /nowhere/run --unet-channels 32,64").code, 3);
}

// A dataset of one image with a box.
void import_one(const std::filesystem::path& folder, const std::string& class_name) {
  std::filesystem::create_directories(folder / "images/train");
  std::filesystem::create_directories(folder / "labels/train");
  write_png(folder / "images/train/one.png", Canvas(64, 64, {85, 85, 85}));
  write_file(folder / "labels/train/one.txt", "0 0.5 0.5 0.25 0.25\n");
  write_file(folder / "data.yaml", std::format("train: images/train\nnames: [{}]\n", class_name));
  const test::Answer answer =
      test::run_program(std::format("import '{}' -o '{}'", folder.string(), (folder / "imported").string()));
  ASSERT_EQ(answer.code, 0) << answer.said;
}

TEST(CommandLine, ARefusedTrainingLeavesNothingAndTakesNothing) {
  const ScratchFolder scratch;
  ASSERT_NO_FATAL_FAILURE(import_one(scratch.path() / "cars", "car"));
  ASSERT_NO_FATAL_FAILURE(import_one(scratch.path() / "ships", "ship"));
  const std::filesystem::path run = scratch.path() / "run";
  const auto train = [&](const std::string& options) {
    return test::run_program(std::format("train {} -o '{}'", options, run.string()));
  };
  const std::string cars = (scratch.path() / "cars/imported").string();
  EXPECT_EQ(train("generator " + cars).code, 2);  // no autoencoder
  EXPECT_FALSE(std::filesystem::exists(run));
  EXPECT_EQ(train("segmenter nowhere").code, 3);
  EXPECT_FALSE(std::filesystem::exists(run));

  // Shards of what the data were before they were changed are not what the user asks for.
  ASSERT_EQ(test::run_program(std::format("pack '{}' -o '{}'", cars, (run / "shards").string())).code, 0);
  for (const auto& image : std::filesystem::directory_iterator(scratch.path() / "cars/imported/images")) {
    write_png(image.path(), Canvas(64, 64, {99, 99, 99}));
  }
  const test::Answer changed = train("autoencoder --steps 1 --crop 64 --batch 1 " + cars);
  EXPECT_EQ(changed.code, 2);
  EXPECT_TRUE(says(changed, "before its data were changed")) << changed.said;
  std::filesystem::remove_all(run);

  const std::string ships = (scratch.path() / "ships/imported").string();
  ASSERT_EQ(test::run_program(std::format("pack '{}' -o '{}'", ships, (run / "shards").string())).code, 0);
  const test::Answer others = train("autoencoder --steps 1 --crop 64 --batch 1 " + cars);
  EXPECT_EQ(others.code, 2);
  EXPECT_TRUE(says(others, "was packed of")) << others.said;
  EXPECT_TRUE(std::filesystem::exists(run / "shards/shards.json"));
}

TEST(CommandLine, HelpShowsListsAsTheyAreTyped) {
  const test::Answer help = test::run_program("train --help");
  EXPECT_EQ(help.code, 0);
  EXPECT_TRUE(says(help, "--unet-channels INT,INT,... [96,160,256]")) << help.said;
  EXPECT_FALSE(says(help, "{false}"));
  EXPECT_TRUE(says(help, "--no-vector-branch"));
}

TEST(CommandLine, AnOutputWithASlashIsTheFolderWithout) {
  CLI::App app;
  std::string folder;
  std::string other;
  CLI::App* command = app.add_subcommand("make")->add_subcommand("it");
  command->add_option("-o,--output", folder);
  command->add_option("--other", other);
  take_slashes_off_outputs(app);
  app.parse("make it -o runs/new// --other runs/old/");
  EXPECT_EQ(folder, "runs/new");
  EXPECT_EQ(other, "runs/old/");
  app.parse("make it -o /");
  EXPECT_EQ(folder, "/");
}

}  // namespace
}  // namespace terragen::app
