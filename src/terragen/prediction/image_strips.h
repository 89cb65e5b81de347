// A raster of any size as a model sees it.
#pragma once

#include <torch/torch.h>

#include <filesystem>
#include <vector>

#include "terragen/geo/raster_io.h"
#include "terragen/models/model_folder.h"

namespace terragen::prediction {

// Holds some rows of the file as stored, and gives windows of them as the model's numbers. Whoever asks from top to
// bottom has every row read once, those of overlaps twice: formats that can only be read in order (PNG, JPEG) are
// decoded once a row of tiles.
class ImageStrips {
 public:
  // `bands`: 0-based numbers in the file, empty: all. RequestError when number type or number of bands are not the
  // model's, DataError when the file cannot be read.
  ImageStrips(std::filesystem::path path, const models::ImageInfo& images, std::vector<int> bands);
  const geo::RasterInfo& info() const { return info_; }

  // [B, H, W] float32 in [-1, 1] by the model's ranges, beyond them clamped; 0 where nothing was measured.
  torch::Tensor pixels(const geo::PixelWindow& window);
  // Whole rows: [rows, width] bool, true where every band was measured.
  torch::Tensor valid(int y, int rows);
  bool is_valid(int x, int y);
  bool any_valid(const geo::PixelWindow& window);

 private:
  void load(int y, int rows);
  // Of a pixel of the image, in the rows at hand.
  bool measured(int x, int y) const;

  std::filesystem::path path_;
  std::vector<models::BandRange> ranges_;
  std::vector<int> bands_;
  geo::RasterInfo info_;
  geo::Raster strip_;
  int top_ = 0;  // the strip's first row in the image
};

}  // namespace terragen::prediction
