#include "terragen/app/refiner_options.h"

#include "terragen/core/error.h"
#include "terragen/synthesis/sam_refiner.h"

namespace terragen::app {

void add_refiner_options(CLI::App& command, RefinerRequest& request) {
  command
      .add_option("--refiner", request.refiner, "What outlines the painted things: sam, efficientsam, grabcut or none")
      ->check(CLI::IsMember({"sam", "efficientsam", "grabcut", "none"}))
      ->capture_default_str();
  command.add_option("--refiner-weights", request.weights,
                     "Published weights of Segment Anything (.pth or safetensors) or EfficientSAM (.pt)");
}

std::unique_ptr<synthesis::MaskRefiner> refiner_of(const RefinerRequest& request,
                                                   const tensor::ComputeOptions& compute) {
  const bool sam = request.refiner.ends_with("sam");
  if (sam == request.weights.empty()) {
    throw RequestError(sam ? request.refiner + " needs its published weights"
                           : "weights are of no use to the refiner " + request.refiner,
                       sam ? "name the file with --refiner-weights; grabcut needs none" : "");
  }
  if (sam) return std::make_unique<synthesis::SamRefiner>(request.weights, request.refiner, compute);
  if (request.refiner == "none") return std::make_unique<synthesis::NoRefiner>();
  return std::make_unique<synthesis::GrabCutRefiner>();
}

}  // namespace terragen::app
