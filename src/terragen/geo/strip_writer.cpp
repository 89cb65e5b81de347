#include "terragen/geo/strip_writer.h"

#include <format>
#include <span>

#include "terragen/core/error.h"
#include "terragen/geo/gdal_dataset.h"
#include "terragen/geo/gdal_scope.h"

namespace terragen::geo {

struct StripWriter::Impl {
  explicit Impl(std::filesystem::path file) : staged(std::move(file)) {}
  ~Impl() {
    const GdalErrorScope unheard;
    dataset.reset();
    remove_staged(staged);
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  // Blocks that no later row belongs to leave the memory; each is written once.
  bool write_blocks_above(int row) {
    int width = 0;
    int height = 0;
    dataset->GetRasterBand(1)->GetBlockSize(&width, &height);
    const int across = (dataset->GetRasterXSize() + width - 1) / width;
    bool good = true;
    for (; (blocks_down + 1) * height <= row; ++blocks_down) {
      for (int b = 1; b <= dataset->GetRasterCount(); ++b) {
        for (int x = 0; x < across; ++x) {
          good = dataset->GetRasterBand(b)->FlushBlock(x, blocks_down, TRUE) == CE_None && good;
        }
      }
    }
    return good;
  }
  const std::filesystem::path staged;
  DatasetHandle dataset;
  int blocks_down = 0;  // rows of blocks that are written
};

// Other files are read and written between two calls, so every call has an error scope of its own: what GDAL writes
// late it writes inside one of them, and the comparison at the end sees the rest.
StripWriter::StripWriter(std::filesystem::path path, RasterInfo shape)
    : path_(std::move(path)), shape_(std::move(shape)), impl_(std::make_unique<Impl>(staged_path(path_))) {
  if (path_.extension() != ".tif" && path_.extension() != ".tiff") {
    throw InternalError(std::format("[StripWriter] {} is not named as a GeoTIFF", path_.string()));
  }
  const GdalErrorScope scope;
  GDALDriver* driver = GetGDALDriverManager()->GetDriverByName("GTiff");
  if (driver == nullptr) throw InternalError("[StripWriter] GDAL lacks a driver");
  CPLStringList options = tiff_options(shape_.width, shape_.height, shape_.type);
  // Three or four bands of bytes would pass for colours, the fourth for opacity.
  options.AddString("PHOTOMETRIC=MINISBLACK");
  options.AddString("INTERLEAVE=BAND");
  impl_->dataset.reset(driver->Create(impl_->staged.c_str(), shape_.width, shape_.height, shape_.bands,
                                      gdal_type(shape_.type), options.List()));
  scope.check(path_.string(), "cannot be written");
  if (!impl_->dataset) throw DataError(path_.string(), "cannot be written");
  set_georeference(*impl_->dataset, shape_.georeference);
  if (shape_.nodata) {
    for (int b = 1; b <= shape_.bands; ++b) impl_->dataset->GetRasterBand(b)->SetNoDataValue(*shape_.nodata);
  }
  scope.check(path_.string(), "cannot be written");
}

StripWriter::~StripWriter() = default;

void StripWriter::add(const Raster& rows) {
  if (!impl_->dataset || rows.width != shape_.width || rows.bands != shape_.bands || rows.type != shape_.type ||
      row_ + rows.height > shape_.height) {
    throw InternalError("[StripWriter] the rows do not fit the file");
  }
  const GdalErrorScope scope;
  const std::size_t plane = rows.pixels() * size_of(rows.type);
  for (int b = 0; b < rows.bands; ++b) {
    // GDAL's interface takes a pointer to non-const also for writing.
    auto* data = const_cast<std::byte*>(rows.samples.data() + static_cast<std::size_t>(b) * plane);
    if (impl_->dataset->GetRasterBand(b + 1)->RasterIO(GF_Write, 0, row_, rows.width, rows.height, data, rows.width,
                                                       rows.height, gdal_type(rows.type), 0, 0, nullptr) != CE_None) {
      scope.check(path_.string(), "cannot be written");
    }
  }
  written_.update(std::span(rows.samples));
  heights_.push_back(rows.height);
  row_ += rows.height;
  // GDAL would keep what is done until a twentieth of the machine's memory is full.
  if (!impl_->write_blocks_above(row_)) scope.check(path_.string(), "cannot be written");
  scope.check(path_.string(), "cannot be written");
}

void StripWriter::commit() {
  if (!impl_->dataset || row_ != shape_.height) throw InternalError("[StripWriter] rows are missing");
  {
    const GdalErrorScope scope;
    impl_->dataset.reset();
    scope.check(path_.string(), "cannot be written");
  }
  Sha256 read;
  int y = 0;
  for (const int height : heights_) {
    const Raster rows = read_raster(impl_->staged, {}, PixelWindow{0, y, shape_.width, height});
    read.update(std::span(rows.samples));
    y += height;
  }
  if (read.hex() != written_.hex()) throw DataError(path_.string(), "reads back otherwise than written");
  std::error_code error;
  std::filesystem::rename(impl_->staged, path_, error);
  if (error) throw DataError(path_.string(), std::format("cannot be put in place ({})", error.message()));
}

}  // namespace terragen::geo
