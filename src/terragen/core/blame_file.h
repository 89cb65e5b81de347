// Where a file asks for what cannot be, the file is to blame and not the request.
#pragma once

#include <string>

#include "terragen/core/error.h"

namespace terragen {

// What `read` gives; a RequestError of its becomes a DataError naming `place`.
template <class Read>
auto blame_file(const std::string& place, const Read& read) {
  try {
    return read();
  } catch (const RequestError& error) {
    throw DataError(place, error.what());
  }
}

}  // namespace terragen
