// The options that choose what outlines painted things.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "terragen/synthesis/mask_refiner.h"
#include "terragen/tensor/device.h"

namespace terragen::app {

struct RefinerRequest {
  std::string refiner = "grabcut";
  std::string weights;
};

// --refiner, --refiner-weights
void add_refiner_options(CLI::App& command, RefinerRequest& request);
// RequestError where weights are missing, or of no use.
std::unique_ptr<synthesis::MaskRefiner> refiner_of(const RefinerRequest& request,
                                                   const tensor::ComputeOptions& compute);

}  // namespace terragen::app
