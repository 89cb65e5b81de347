// terragen: the program. Each subcommand lives in a file of its own and registers itself here.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <functional>
#include <memory>

#include "terragen/app/augment_command.h"
#include "terragen/app/evaluate_command.h"
#include "terragen/app/export_command.h"
#include "terragen/app/generate_command.h"
#include "terragen/app/help_formatter.h"
#include "terragen/app/import_command.h"
#include "terragen/app/info_command.h"
#include "terragen/app/inpaint_command.h"
#include "terragen/app/output_folders.h"
#include "terragen/app/pack_command.h"
#include "terragen/app/predict_command.h"
#include "terragen/app/train_command.h"
#include "terragen/app/unknown_command.h"
#include "terragen/core/error.h"
#include "terragen/core/interrupt.h"
#include "terragen/core/memory.h"
#include "terragen/core/progress.h"
#include "terragen/tensor/torch_error.h"

namespace {

using terragen::ExitCode;

int run(int argc, char** argv) {
  CLI::App app{"TerraGen: turns a small labelled remote-sensing dataset into a larger one."};
  app.set_version_flag("--version", TERRAGEN_VERSION);
  app.formatter(std::make_shared<terragen::app::HelpFormatter>());
  app.require_subcommand(1);
  app.fallthrough();
  bool progress = false;
  bool quiet = false;
  app.add_flag("--progress", progress, "Show progress on stderr even where it is no terminal");
  app.add_flag("--quiet", quiet, "Show no progress");
  std::function<void()> command;
  terragen::app::add_import_command(app, command);
  terragen::app::add_info_command(app, command);
  terragen::app::add_pack_command(app, command);
  terragen::app::add_train_command(app, command);
  terragen::app::add_generate_command(app, command);
  terragen::app::add_augment_command(app, command);
  terragen::app::add_inpaint_command(app, command);
  terragen::app::add_export_command(app, command);
  terragen::app::add_evaluate_command(app, command);
  terragen::app::add_predict_command(app, command);
  terragen::app::take_slashes_off_outputs(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() != 0) terragen::app::check_command_names(app);
    const int code = app.exit(error);
    return code == 0 ? 0 : static_cast<int>(ExitCode::request);
  }
  if (progress) terragen::set_progress_mode(terragen::ProgressMode::always);
  if (quiet) terragen::set_progress_mode(terragen::ProgressMode::never);
  // The same large tensors come again with every step of a network.
  terragen::keep_freed_memory();
  terragen::watch_for_interrupt();
  command();
  return 0;
}

void report(const char* sentence, const std::string& hint) {
  std::fprintf(stderr, "terragen: %s\n", sentence);
  if (!hint.empty()) std::fprintf(stderr, "hint: %s\n", hint.c_str());
}

int report_full_memory() {
  report("the machine's memory is used up", "use a smaller batch or smaller tiles");
  return static_cast<int>(ExitCode::request);
}

int report_own_error(const char* sentence) {
  report(sentence, "this is a bug of TerraGen: please report it with the command");
  return static_cast<int>(ExitCode::internal);
}

}  // namespace

int main(int argc, char** argv) try { return run(argc, argv); } catch (const terragen::Error& error) {
  report(error.what(), error.hint());
  return static_cast<int>(error.code());
} catch (const std::bad_alloc&) {
  return report_full_memory();
} catch (const c10::Error& error) {
  if (terragen::tensor::is_out_of_memory(error)) return report_full_memory();
  return report_own_error(error.what_without_backtrace());
} catch (const std::filesystem::filesystem_error& error) {
  report(error.what(), "a file or folder is missing, in the way, or may not be used");
  return static_cast<int>(ExitCode::data);
} catch (const std::exception& error) {
  return report_own_error(error.what());
}
