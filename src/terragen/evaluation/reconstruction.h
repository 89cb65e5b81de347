// How much of real images an autoencoder keeps, by dataset.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "terragen/core/json_file.h"
#include "terragen/tensor/device.h"

namespace terragen::evaluation {

struct ReconstructionScore {
  std::string dataset;
  std::size_t images = 0;
  double psnr = 0;  // decibels, mean over images; the peak is the bands' range
  double worst_psnr = 0;
};

struct ReconstructionReport {
  std::string split;
  std::string model_hash;
  std::vector<ReconstructionScore> scores;  // in the order of the data
  double mean_psnr = 0;                     // over the datasets
  double seconds = 0;
};

// data: datasets, or one folder of packed shards. Images are cut at the right and bottom to whole latent cells.
// RequestError when the model has no autoencoder, its bands are not the data's, or the split is empty.
ReconstructionReport evaluate_reconstruction(const std::filesystem::path& model,
                                             const std::vector<std::filesystem::path>& data, const std::string& split,
                                             const tensor::ComputeOptions& compute);
Json to_json(const ReconstructionReport& report);

}  // namespace terragen::evaluation
