#include "terragen/geo/georeference.h"

#include <ogr_spatialref.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <format>
#include <numbers>
#include <vector>

#include "terragen/core/error.h"
#include "terragen/geo/gdal_scope.h"

namespace terragen::geo {
namespace {

constexpr double kMercatorHalf = 20037508.342789244;  // metres, half the width of Web Mercator
constexpr double kMetresPerDegree = 111319.490793;    // on the equator of WGS 84

double determinant(const GeoTransform& g) { return g[1] * g[5] - g[2] * g[4]; }

OGRSpatialReference reference_of(const std::string& crs) {
  OGRSpatialReference reference;
  // Nothing that a name could point to (files, addresses) is followed.
  if (reference.SetFromUserInput(crs.c_str(), OGRSpatialReference::SET_FROM_USER_INPUT_LIMITATIONS_get()) !=
      OGRERR_NONE) {
    throw RequestError(std::format("the coordinate reference system \"{}\" is not known", crs));
  }
  reference.SetAxisMappingStrategy(OAMS_TRADITIONAL_GIS_ORDER);
  return reference;
}

// Metres on the ground between two points in degrees that lie close together.
double ground_metres(Position a, Position b) {
  const double shrink = std::cos((a.y + b.y) / 2 * std::numbers::pi / 180);
  return std::hypot((b.x - a.x) * shrink, b.y - a.y) * kMetresPerDegree;
}

// Metres on the ground across and down one pixel about `centre`, in the mean, by way of the CRS's own degrees. Nothing
// where the CRS has none, as a site's own grid.
std::optional<double> measured_on_ground(const OGRSpatialReference& crs, const GeoTransform& g, Position centre) {
  const GdalErrorScope quiet;
  const std::unique_ptr<OGRSpatialReference> degrees(crs.CloneGeogCS());
  if (!degrees) return std::nullopt;
  degrees->SetAxisMappingStrategy(OAMS_TRADITIONAL_GIS_ORDER);
  const std::unique_ptr<OGRCoordinateTransformation> transform(OGRCreateCoordinateTransformation(&crs, degrees.get()));
  if (!transform) return std::nullopt;
  std::array<Position, 4> around{
      {{centre.x - 0.5, centre.y}, {centre.x + 0.5, centre.y}, {centre.x, centre.y - 0.5}, {centre.x, centre.y + 0.5}}};
  for (Position& p : around) {
    p = crs_from_pixel(g, p);
    if (transform->Transform(1, &p.x, &p.y) == 0 || !std::isfinite(p.x) || !std::isfinite(p.y)) return std::nullopt;
  }
  return (ground_metres(around[0], around[1]) + ground_metres(around[2], around[3])) / 2;
}

}  // namespace

struct CrsTransform::Impl {
  std::unique_ptr<OGRCoordinateTransformation> transform;
};

CrsTransform::CrsTransform(const std::string& from, const std::string& to) : impl_(std::make_unique<Impl>()) {
  const GdalErrorScope quiet;
  const OGRSpatialReference source = reference_of(from);
  const OGRSpatialReference target = reference_of(to);
  impl_->transform.reset(OGRCreateCoordinateTransformation(&source, &target));
  if (!impl_->transform) throw RequestError(std::format("there is no way from {} to {}", from, to));
}

CrsTransform::~CrsTransform() = default;

bool is_on_earth(const std::string& crs) {
  try {
    const CrsTransform transform(crs, "EPSG:4326");
    return true;
  } catch (const RequestError&) {
    return false;
  }
}

std::optional<Position> CrsTransform::apply(Position p) const {
  if (impl_->transform->Transform(1, &p.x, &p.y) == 0 || !std::isfinite(p.x) || !std::isfinite(p.y))
    return std::nullopt;
  return p;
}

Position crs_from_pixel(const GeoTransform& g, Position p) {
  return {g[0] + g[1] * p.x + g[2] * p.y, g[3] + g[4] * p.x + g[5] * p.y};
}

bool is_invertible(const GeoTransform& g) { return std::isfinite(determinant(g)) && determinant(g) != 0; }

Position pixel_from_crs(const GeoTransform& g, Position p) {
  if (!is_invertible(g)) throw InternalError("[pixel_from_crs] the geotransform cannot be inverted");
  const double x = p.x - g[0];
  const double y = p.y - g[3];
  return {(g[5] * x - g[2] * y) / determinant(g), (g[1] * y - g[4] * x) / determinant(g)};
}

Georeference window_of(const Georeference& whole, double x, double y) {
  Georeference result = whole;
  if (result.crs_from_pixel) {
    const Position corner = crs_from_pixel(*whole.crs_from_pixel, {x, y});
    (*result.crs_from_pixel)[0] = corner.x;
    (*result.crs_from_pixel)[3] = corner.y;
  }
  return result;
}

std::optional<double> ground_sampling_distance(const Georeference& reference, int width, int height) {
  if (reference.crs.empty() || !reference.crs_from_pixel) return std::nullopt;
  const GeoTransform& g = *reference.crs_from_pixel;
  const OGRSpatialReference crs = reference_of(reference.crs);
  const double across = std::hypot(g[1], g[4]);
  const double down = std::hypot(g[2], g[5]);
  const Position centre = crs_from_pixel(g, {width / 2.0, height / 2.0});
  if (crs.IsGeographic() != 0) {
    const double shrink = std::cos(centre.y * std::numbers::pi / 180);
    return (across * shrink + down) / 2 * kMetresPerDegree;
  }
  const double on_map = (across + down) / 2 * crs.GetLinearUnits();
  const char* code = crs.GetAuthorityCode(nullptr);
  if (code != nullptr && std::string(code) == "3857") {
    return on_map / std::cosh(centre.y / kMercatorHalf * std::numbers::pi);
  }
  // A survey's projection keeps lengths within a few thousandths and its pixels their round numbers; other Mercator
  // maps, whatever their code, do not.
  constexpr double kSurvey = 0.01;
  const auto on_ground = measured_on_ground(crs, g, {width / 2.0, height / 2.0});
  return on_ground && std::abs(*on_ground / on_map - 1) > kSurvey ? *on_ground : on_map;
}

std::optional<Georeference> georeference_from_tile_name(const std::string& stem, int width, int height) {
  std::vector<long long> numbers;
  std::size_t end = stem.size();
  while (numbers.size() < 3 && end > 0) {
    const std::size_t dash = stem.rfind('-', end - 1);
    const std::size_t begin = dash == std::string::npos ? 0 : dash + 1;
    long long value = 0;
    const auto result = std::from_chars(stem.data() + begin, stem.data() + end, value);
    if (begin == end || result.ec != std::errc() || result.ptr != stem.data() + end || value < 0) return std::nullopt;
    numbers.push_back(value);
    if (dash == std::string::npos) break;
    end = dash;
  }
  if (numbers.size() < 3) return std::nullopt;
  const long long zoom = numbers[0];
  const long long y = numbers[1];
  const long long x = numbers[2];
  if (zoom > 30 || x >= (1LL << zoom) || y >= (1LL << zoom)) return std::nullopt;
  const double tile = 2 * kMercatorHalf / static_cast<double>(1LL << zoom);
  return Georeference{"EPSG:3857", GeoTransform{-kMercatorHalf + tile * static_cast<double>(x), tile / width, 0,
                                                kMercatorHalf - tile * static_cast<double>(y), 0, -tile / height}};
}

std::string utm_crs(double longitude, double latitude) {
  const int zone = std::clamp(static_cast<int>(std::floor((longitude + 180) / 6)) + 1, 1, 60);
  return std::format("EPSG:{}", (latitude < 0 ? 32700 : 32600) + zone);
}

}  // namespace terragen::geo
