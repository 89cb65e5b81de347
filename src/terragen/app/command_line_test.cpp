// What the program says of a command line, before any command runs.
#include <gtest/gtest.h>

#include <string>

#include "terragen/app/output_folders.h"
#include "terragen/app/test_program.h"

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
  const test::Answer segmenter = test::run_program("train segmenter nowhere -o nowhere/run --unet-channels 32,64");
  EXPECT_EQ(segmenter.code, 2);
  EXPECT_TRUE(says(segmenter, "--unet-channels has no meaning for a segmenter")) << segmenter.said;
  EXPECT_EQ(test::run_program("train classifier nowhere -o nowhere/run --blur 1").code, 2);
  // What the model does have goes on to the data, which are not there.
  EXPECT_EQ(test::run_program("train generator nowhere -o nowhere/run --unet-channels 32,64").code, 3);
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
