#include "terragen/geo/gdal_scope.h"

#include <cpl_error.h>
#include <gdal_priv.h>

#include <format>
#include <mutex>

#include "terragen/core/error.h"

namespace terragen::geo {

GdalErrorScope::GdalErrorScope() {
  static std::once_flag once;
  std::call_once(once, [] { GDALAllRegister(); });
  CPLPushErrorHandlerEx(
      [](CPLErr severity, CPLErrorNum number, const char* message) { handle(severity, number, message); }, this);
}

GdalErrorScope::~GdalErrorScope() { CPLPopErrorHandler(); }

void GdalErrorScope::handle(int severity, int, const char* message) {
  auto* scope = static_cast<GdalErrorScope*>(CPLGetErrorHandlerUserData());
  if (severity >= CE_Failure && scope->first_error_.empty()) scope->first_error_ = message;
}

void GdalErrorScope::check(const std::string& place, const std::string& sentence) const {
  if (!first_error_.empty()) throw DataError(place, std::format("{} ({})", sentence, first_error_));
}

}  // namespace terragen::geo
