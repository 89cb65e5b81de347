#include "terragen/evaluation/adopted_cells.h"

#include <gtest/gtest.h>

#include "terragen/core/error.h"
#include "terragen/core/run_settings.h"
#include "terragen/core/scratch_folder.h"

namespace terragen::evaluation {
namespace {

std::optional<std::string> name_of(const Json& cell, bool painted_alike, const std::string& place) {
  if (cell.contains("of another generator") || (cell.contains("painted") && !painted_alike)) return {};
  return json_member<std::string>(cell, "name", place);
}

class AdoptedCells : public testing::Test {
 protected:
  void SetUp() override {
    claim_run_folder(output_, {{"train", {{"steps", 250}}}, {"variation", {{"size", 192}}}});
    report_ = {{"settings", {{"train", {{"steps", 250}}}, {"variation", {{"size", 192}}}}},
               {"cells", {{{"name", "a"}, {"score", 1}}, {{"name", "b"}, {"score", 2}}}}};
  }
  void adopt() {
    write_json(file_, report_);
    adopt_cells({file_}, output_, {"variation"}, name_of);
  }

  const ScratchFolder scratch_;
  const std::filesystem::path output_ = scratch_.path() / "run";
  const std::filesystem::path file_ = scratch_.path() / "report.json";
  Json report_;
};

TEST_F(AdoptedCells, LieAsIfTheRunHadFinishedThem) {
  adopt();
  EXPECT_EQ(read_json(output_ / "cells/a.json")["score"], 1);
  EXPECT_EQ(read_json(output_ / "cells/b.json")["score"], 2);
}

TEST_F(AdoptedCells, LeaveTheRunsOwn) {
  std::filesystem::create_directories(output_ / "cells");
  write_json(output_ / "cells/a.json", {{"score", 7}});
  adopt();
  EXPECT_EQ(read_json(output_ / "cells/a.json")["score"], 7);
}

TEST_F(AdoptedCells, OfAnotherGeneratorAreLeftOut) {
  report_["cells"][0]["of another generator"] = true;
  adopt();
  EXPECT_FALSE(std::filesystem::exists(output_ / "cells/a.json"));
  EXPECT_TRUE(std::filesystem::exists(output_ / "cells/b.json"));
}

TEST_F(AdoptedCells, PaintedOtherwiseAreLeftOut) {
  report_["cells"][0]["painted"] = true;
  report_["settings"]["variation"]["size"] = 256;
  adopt();
  EXPECT_FALSE(std::filesystem::exists(output_ / "cells/a.json"));
  EXPECT_TRUE(std::filesystem::exists(output_ / "cells/b.json"));
}

TEST_F(AdoptedCells, OfOtherSettingsAreRefused) {
  report_["settings"]["train"]["steps"] = 400;
  try {
    adopt();
    FAIL() << "cells of other settings were taken";
  } catch (const RequestError& error) {
    EXPECT_NE(std::string(error.what()).find("train/steps is 400 there, 250 here"), std::string::npos) << error.what();
  }
  EXPECT_FALSE(std::filesystem::exists(output_ / "cells"));
}

TEST_F(AdoptedCells, ADamagedReportIsNamed) {
  report_["cells"][1].erase("name");
  try {
    adopt();
    FAIL() << "a cell without a name was taken";
  } catch (const DataError& error) {
    EXPECT_NE(std::string(error.what()).find("report.json, cell 1"), std::string::npos) << error.what();
  }
  report_.erase("cells");
  EXPECT_THROW(adopt(), DataError);
}

}  // namespace
}  // namespace terragen::evaluation
