// GDAL set up once, and its errors turned into ours.
#pragma once

#include <string>

namespace terragen::geo {

// While alive, GDAL's errors on this thread are collected instead of printed. GDAL reports a full disk only here, not
// in what its functions return, so writers keep a scope open from creating a file to closing it.
class GdalErrorScope {
 public:
  GdalErrorScope();
  ~GdalErrorScope();
  GdalErrorScope(const GdalErrorScope&) = delete;
  GdalErrorScope& operator=(const GdalErrorScope&) = delete;
  // The first error so far, or empty.
  const std::string& first_error() const { return first_error_; }
  // DataError naming `place` when there was an error.
  void check(const std::string& place, const std::string& sentence) const;

 private:
  static void handle(int severity, int number, const char* message);
  std::string first_error_;
};

}  // namespace terragen::geo
