#include "terragen/core/scratch_folder.h"

#include <cstdlib>
#include <string>

#include "terragen/core/error.h"

namespace terragen {

ScratchFolder::ScratchFolder() {
  // mkdtemp replaces the six X.
  std::string name = (std::filesystem::temp_directory_path() / "terragen-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw RequestError("no temporary folder can be made", "set TMPDIR");
  path_ = name;
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace terragen
