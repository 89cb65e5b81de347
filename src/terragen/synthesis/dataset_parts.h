// Finished parts of a dataset under construction, each a dataset of its own, so that a run that was stopped goes on.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "terragen/core/json_file.h"

namespace terragen::synthesis {

class DatasetParts {
 public:
  // Parts lie in OUTPUT.partial, which may be left over from a run of the same settings. RequestError: a run of others
  // was begun there, or there is an output.
  DatasetParts(const std::filesystem::path& output, const Json& settings);
  // The folder of the part of this name, which `make` writes, all or nothing, where no earlier run did. Interrupted, by
  // this or out of `make`, tells the user that the same command goes on.
  std::filesystem::path part(const std::string& name,
                             const std::function<void(const std::filesystem::path& folder)>& make) const;
  // Once the dataset is whole.
  void remove() const;

 private:
  std::filesystem::path folder_;
};

}  // namespace terragen::synthesis
