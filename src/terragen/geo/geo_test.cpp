#include <gdal_priv.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cmath>
#include <csignal>
#include <fstream>
#include <limits>

#include "terragen/core/atomic_file.h"
#include "terragen/core/error.h"
#include "terragen/core/memory.h"
#include "terragen/core/test_paths.h"
#include "terragen/geo/raster_io.h"
#include "terragen/geo/strip_writer.h"

namespace terragen::geo {
namespace {

Raster pattern(int width, int height, int bands, DataType type) {
  Raster raster = make_raster(width, height, bands, type);
  for (int b = 0; b < bands; ++b) {
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x)
        raster.set(b, x, y, (x * 7 + y * 13 + b * 31) % 251 - (type == DataType::int16 ? 100 : 0));
    }
  }
  return raster;
}

TEST(RasterIo, EveryTypeSizeAndBandCount) {
  const test::ScratchFolder scratch;
  for (const DataType type : {DataType::uint8, DataType::uint16, DataType::int16, DataType::float32}) {
    for (const auto& [w, h] : {std::pair{1, 1}, {255, 256}, {257, 256}, {1021, 769}}) {
      for (const int bands : {1, 3, 4, 13}) {
        const Raster raster = pattern(w, h, bands, type);
        const auto path = scratch.path() / "a.tif";
        write_raster(path, raster);
        const Raster again = read_raster(path);
        ASSERT_EQ(again.samples, raster.samples) << w << "x" << h << "x" << bands;
        EXPECT_EQ(again.type, type);
        EXPECT_TRUE(again.georeference.crs.empty());
        EXPECT_FALSE(again.georeference.crs_from_pixel.has_value());
      }
    }
  }
}

TEST(RasterIo, ValidityWithoutANodataValueComesBack) {
  const test::ScratchFolder scratch;
  Raster raster = pattern(40, 30, 3, DataType::uint8);
  raster.valid.assign(raster.pixels(), 1);
  raster.valid[17] = raster.valid[900] = 0;
  write_raster(scratch.path() / "a.tif", raster);
  const Raster again = read_raster(scratch.path() / "a.tif");
  EXPECT_EQ(again.valid, raster.valid);
  EXPECT_EQ(again.bands, 3);
  Raster marked = pattern(4, 4, 2, DataType::int16);
  marked.nodata = marked.at(1, 2, 3);
  marked.set(1, 2, 3, *marked.nodata);
  mark_nodata(marked);
  EXPECT_EQ(marked.valid.at(3 * 4 + 2), 0);
  // 0 in one band of bytes is a colour.
  Raster colours = make_raster(2, 1, 3, DataType::uint8);
  colours.nodata = 0;
  colours.set(1, 1, 0, 9);
  mark_nodata(colours);
  EXPECT_EQ(colours.valid, (std::vector<std::uint8_t>{0, 1}));
}

TEST(RasterIo, ValidityThatNoNodataValueTellsComesBackBesideOne) {
  const test::ScratchFolder scratch;
  Raster raster = pattern(40, 30, 1, DataType::float32);
  raster.nodata = -9999.9;  // no float32
  raster.set(0, 3, 2, -9999.9);
  raster.set(0, 4, 2, std::numeric_limits<double>::infinity());
  mark_nodata(raster);
  EXPECT_EQ(raster.valid.at(2 * 40 + 3), 0);
  EXPECT_EQ(raster.valid.at(2 * 40 + 4), 0);
  raster.valid[17] = 0;
  write_raster(scratch.path() / "a.tif", raster);
  EXPECT_EQ(read_raster(scratch.path() / "a.tif").valid, raster.valid);
}

TEST(Raster, AWindowIsWhatTheFilesWindowWouldBe) {
  const test::ScratchFolder scratch;
  for (const DataType type : {DataType::uint8, DataType::float32}) {
    Raster raster = pattern(40, 30, 3, type);
    raster.georeference = {"EPSG:32611", GeoTransform{500000, 0.6, 0, 4000000, 0, -0.6}};
    raster.valid.assign(raster.pixels(), 1);
    raster.valid[12 * 40 + 11] = 0;
    write_raster(scratch.path() / "a.tif", raster);
    const Raster whole = read_raster(scratch.path() / "a.tif");
    for (const PixelWindow& w : {PixelWindow{10, 12, 20, 18}, {0, 0, 40, 30}, {25, 3, 7, 5}}) {
      const Raster part = window_of(whole, w.x, w.y, w.width, w.height);
      const Raster read = read_raster(scratch.path() / "a.tif", {}, w);
      EXPECT_EQ(part.samples, read.samples);
      EXPECT_EQ(part.valid, read.valid);
      EXPECT_EQ(part.georeference.crs_from_pixel, read.georeference.crs_from_pixel);
    }
    EXPECT_THROW(window_of(whole, 30, 0, 11, 5), InternalError);
  }
}

TEST(RasterIo, APaletteIsColoursOrIndexes) {
  const test::ScratchFolder scratch;
  GDALAllRegister();
  GDALDriver* memory = GetGDALDriverManager()->GetDriverByName("MEM");
  GDALDataset* source = memory->Create("", 3, 1, 1, GDT_Byte, nullptr);
  GDALColorTable table;
  for (const auto& [index, color] : {std::pair<int, GDALColorEntry>{0, {10, 20, 30, 255}}, {1, {0, 128, 0, 255}}}) {
    table.SetColorEntry(index, &color);
  }
  std::vector<std::uint8_t> indexes{0, 1, 2};
  GDALRasterBand& band = *source->GetRasterBand(1);
  band.SetColorTable(&table);
  band.SetNoDataValue(2);
  ASSERT_EQ(band.RasterIO(GF_Write, 0, 0, 3, 1, indexes.data(), 3, 1, GDT_Byte, 0, 0, nullptr), CE_None);
  const std::string file = (scratch.path() / "a.tif").string();
  GDALClose(
      GetGDALDriverManager()->GetDriverByName("GTiff")->CreateCopy(file.c_str(), source, 0, nullptr, nullptr, nullptr));
  GDALClose(source);
  const Raster colours = read_raster(file);
  EXPECT_EQ(colours.bands, 3);
  EXPECT_EQ(colours.at(1, 1, 0), 128);
  EXPECT_EQ(colours.valid, (std::vector<std::uint8_t>{1, 1, 0}));
  EXPECT_FALSE(colours.nodata.has_value());
  const Raster stored = read_index_raster(file);
  EXPECT_EQ(stored.bands, 1);
  EXPECT_EQ(stored.at(0, 1, 0), 1);
  EXPECT_EQ(stored.at(0, 2, 0), 2);
}

TEST(RasterIo, GeoreferencesComeBack) {
  const test::ScratchFolder scratch;
  const std::vector<Georeference> references{{"EPSG:32611", GeoTransform{500000, 0.6, 0, 4000000, 0, -0.6}},
                                             {"EPSG:4326", GeoTransform{12.5, 1e-4, 0, 45.5, 0, -1e-4}},
                                             {"EPSG:3857", GeoTransform{100, 3, 1, 200, 1, -3}},  // rotated
                                             {"EPSG:32633", GeoTransform{0, 10, 0, 0, 0, 10}}};   // south up
  for (const Georeference& reference : references) {
    Raster raster = pattern(64, 48, 3, DataType::uint8);
    raster.georeference = reference;
    write_raster(scratch.path() / "a.tif", raster);
    const Raster part = read_raster(scratch.path() / "a.tif", {2}, PixelWindow{8, 4, 16, 16});
    EXPECT_EQ(part.georeference.crs, reference.crs);
    const Position corner = crs_from_pixel(*reference.crs_from_pixel, {8, 4});
    EXPECT_DOUBLE_EQ((*part.georeference.crs_from_pixel)[0], corner.x);
    EXPECT_DOUBLE_EQ((*part.georeference.crs_from_pixel)[3], corner.y);
    EXPECT_EQ(part.at(0, 0, 0), raster.at(2, 8, 4));
    const Position back = pixel_from_crs(*reference.crs_from_pixel, corner);
    EXPECT_NEAR(back.x, 8, 1e-6);
    EXPECT_NEAR(back.y, 4, 1e-6);
  }
}

TEST(RasterIo, NodataAndNanAreNotValid) {
  const test::ScratchFolder scratch;
  Raster raster = pattern(8, 8, 2, DataType::float32);
  raster.nodata = -9999;
  raster.set(1, 3, 2, -9999);
  raster.set(0, 5, 5, std::numeric_limits<double>::quiet_NaN());
  write_raster(scratch.path() / "a.tif", raster);
  const Raster again = read_raster(scratch.path() / "a.tif");
  ASSERT_EQ(again.valid.size(), 64U);
  EXPECT_EQ(again.valid[2 * 8 + 3], 0);
  EXPECT_EQ(again.valid[5 * 8 + 5], 0);
  EXPECT_EQ(again.valid[0], 1);
}

TEST(RasterIo, DamageIsNamed) {
  const test::ScratchFolder scratch;
  const auto path = scratch.path() / "a.tif";
  write_raster(path, pattern(300, 300, 3, DataType::uint8));
  const std::string whole = read_file(path);
  write_file(path, whole.substr(0, whole.size() / 2));
  EXPECT_THROW(read_raster(path), DataError);
  write_file(path, "not an image");
  EXPECT_THROW(read_raster(path), DataError);
  EXPECT_THROW(read_raster(scratch.path() / "none.tif"), DataError);
  // A VRT under an image's name could make us read other files.
  write_file(
      path,
      "<VRTDataset rasterXSize=\"1\" rasterYSize=\"1\"><VRTRasterBand dataType=\"Byte\" band=\"1\"/></VRTDataset>");
  EXPECT_THROW(read_raster(path), DataError);
}

TEST(RasterIo, AFullDiskLeavesTheOldFile) {
  const test::ScratchFolder scratch;
  const auto path = scratch.path() / "a.tif";
  const Raster old = pattern(8, 8, 3, DataType::uint8);
  write_raster(path, old);
  // A limit on file size behaves as a full disk does: writes fail.
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const rlimit small{16384, before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  EXPECT_THROW(write_raster(path, pattern(700, 700, 4, DataType::float32)), DataError);
  setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_EQ(read_raster(path).samples, old.samples);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(scratch.path()), {}), 1);
}

TEST(RasterIo, AHugeSparseImageIsReadByWindows) {
  const test::ScratchFolder scratch;
  const auto path = (scratch.path() / "huge.tif").string();
  {
    GDALAllRegister();
    const char* options[] = {"SPARSE_OK=TRUE", "TILED=YES", "COMPRESS=DEFLATE", nullptr};
    GDALDriver* driver = GetGDALDriverManager()->GetDriverByName("GTiff");
    GDALDataset* huge = driver->Create(path.c_str(), 30000, 30000, 3, GDT_Byte, const_cast<char**>(options));
    ASSERT_NE(huge, nullptr);
    const std::uint8_t value = 200;
    ASSERT_EQ(huge->GetRasterBand(2)->RasterIO(GF_Write, 29999, 29999, 1, 1, const_cast<std::uint8_t*>(&value), 1, 1,
                                               GDT_Byte, 0, 0, nullptr),
              CE_None);
    GDALClose(huge);
  }
  const std::int64_t before = peak_memory_bytes();
  const RasterInfo info = read_raster_info(path);
  const auto windows = tile_grid(info.width, info.height, 1024, 0);
  EXPECT_EQ(windows.size(), 900U);
  const Raster last = read_raster(path, {}, windows.back());
  EXPECT_EQ(last.at(1, 1023, 1023), 200);
  EXPECT_EQ(last.at(0, 0, 0), 0);
  EXPECT_LT(peak_memory_bytes() - before, std::int64_t{128} << 20);
}

TEST(StripWriter, WritesWhatWriteRasterWould) {
  const test::ScratchFolder scratch;
  for (const DataType type : {DataType::uint8, DataType::int16, DataType::float32}) {
    for (const int bands : {1, 3, 4}) {
      Raster raster = pattern(700, 530, bands, type);
      raster.nodata = 7;
      raster.georeference = {"EPSG:32611", GeoTransform{500000, 0.6, 0, 4000000, 0, -0.6}};
      const auto path = scratch.path() / "a.tif";
      write_raster(scratch.path() / "whole.tif", raster);
      StripWriter writer(path, read_raster_info(scratch.path() / "whole.tif"));
      for (int y = 0; y < raster.height; y += 100) {
        const int rows = std::min(100, raster.height - y);
        writer.add(read_raster(scratch.path() / "whole.tif", {}, PixelWindow{0, y, raster.width, rows}));
      }
      EXPECT_FALSE(std::filesystem::exists(path));
      writer.commit();
      const Raster again = read_raster(path);
      EXPECT_EQ(again.bands, bands);
      EXPECT_EQ(again.samples, raster.samples);
      EXPECT_EQ(again.nodata, raster.nodata);
      EXPECT_EQ(again.georeference.crs, raster.georeference.crs);
      EXPECT_EQ(again.georeference.crs_from_pixel, raster.georeference.crs_from_pixel);
      std::filesystem::remove(path);
    }
  }
}

TEST(StripWriter, LeavesNothingHalf) {
  const test::ScratchFolder scratch;
  {
    StripWriter writer(scratch.path() / "a.tif", {.width = 64, .height = 64, .bands = 1});
    writer.add(pattern(64, 32, 1, DataType::uint8));
    EXPECT_THROW(writer.add(pattern(64, 33, 1, DataType::uint8)), InternalError);
    EXPECT_THROW(writer.add(pattern(63, 32, 1, DataType::uint8)), InternalError);
    EXPECT_THROW(writer.commit(), InternalError);
  }
  EXPECT_TRUE(std::filesystem::is_empty(scratch.path()));
  EXPECT_THROW(StripWriter(scratch.path() / "none/a.tif", {.width = 8, .height = 8, .bands = 1}), DataError);
}

TEST(Georeference, TileNames) {
  const auto tile = georeference_from_tile_name("OAM-386695-220247-19", 512, 512);
  ASSERT_TRUE(tile.has_value());
  EXPECT_EQ(tile->crs, "EPSG:3857");
  const auto lonlat = CrsTransform("EPSG:3857", "EPSG:4326").apply(crs_from_pixel(*tile->crs_from_pixel, {256, 256}));
  ASSERT_TRUE(lonlat.has_value());
  EXPECT_NEAR(lonlat->x, 85.52, 0.02);  // Banepa, Nepal
  EXPECT_NEAR(lonlat->y, 27.63, 0.02);
  const auto gsd = ground_sampling_distance(*tile, 512, 512);
  ASSERT_TRUE(gsd.has_value());
  EXPECT_NEAR(*gsd, 0.1322, 0.0005);
  EXPECT_FALSE(georeference_from_tile_name("OAM-386695-19", 512, 512).has_value());
  EXPECT_FALSE(georeference_from_tile_name("OAM-900000-1-19", 512, 512).has_value());
}

TEST(Georeference, MetresOfEveryMercatorMapShrink) {
  const GeoTransform grid{1000000, 1, 0, 6000000, 0, -1};  // 47.3 degrees north
  const double known = *ground_sampling_distance({"EPSG:3857", grid}, 100, 100);
  EXPECT_NEAR(known, 0.677, 0.002);
  EXPECT_NEAR(*ground_sampling_distance({"ESRI:102100", grid}, 100, 100), known, 0.003);
  EXPECT_NEAR(*ground_sampling_distance({"EPSG:3395", grid}, 100, 100), known, 0.005);
  // A survey's pixels keep their size, a site's own grid has no degrees.
  EXPECT_EQ(*ground_sampling_distance({"EPSG:32633", GeoTransform{500000, 2, 0, 5000000, 0, -2}}, 100, 100), 2.0);
  const std::string site = "LOCAL_CS[\"site grid\",UNIT[\"metre\",1],AXIS[\"x\",EAST],AXIS[\"y\",NORTH]]";
  EXPECT_EQ(*ground_sampling_distance({site, GeoTransform{0, 2, 0, 0, 0, -2}}, 100, 100), 2.0);
  EXPECT_FALSE(is_on_earth(site));
  EXPECT_TRUE(is_on_earth("EPSG:32633"));
  EXPECT_FALSE(is_on_earth("EPSG:no"));
}

TEST(TileGrid, CoversEveryPixelWithFullTiles) {
  for (const int width : {1, 255, 256, 257, 1021}) {
    for (const int overlap : {0, 32}) {
      std::vector<int> covered(static_cast<std::size_t>(width), 0);
      for (const PixelWindow& w : tile_grid(width, 100, 256, overlap)) {
        EXPECT_EQ(w.width, std::min(256, width));
        for (int x = w.x; x < w.x + w.width; ++x) ++covered.at(static_cast<std::size_t>(x));
      }
      for (const int times : covered) EXPECT_GE(times, 1);
    }
  }
  EXPECT_THROW(tile_grid(10, 10, 8, 8), RequestError);
}

}  // namespace
}  // namespace terragen::geo
