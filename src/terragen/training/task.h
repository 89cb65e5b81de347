// What the one trainer asks of a model under training.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "terragen/core/json_file.h"
#include "terragen/shards/loader.h"

namespace terragen::training {

using Scalars = std::map<std::string, double>;

// A model, its loss, its pictures and its form on disk. Not thread-safe.
class Task {
 public:
  Task() = default;
  virtual ~Task() = default;
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;

  // Everything that is trained, and what is frozen in between, which asks for no gradient: parameter names are the
  // checkpoint format.
  virtual std::shared_ptr<torch::nn::Module> module() = 0;
  // The loss of one batch, a scalar with gradient; further figures go to `scalars`. Every random draw comes from
  // `seed` alone, so that a repeated step is the same step. May be called from several threads at once, one part of a
  // batch each.
  virtual torch::Tensor loss(const shards::Batch& batch, std::uint64_t seed, Scalars& scalars) = 0;
  // What the learning rate of a parameter is multiplied with.
  virtual double rate_factor(const std::string& /*parameter*/) const { return 1.0; }
  // Whether the parts of a batch may be computed apart: not where the loss depends on the batch as a whole.
  virtual bool may_be_split() const { return true; }
  // A picture of what the model does now. Called with the averaged weights in place and gradients off.
  virtual void write_preview(const std::filesystem::path& png) = 0;
  // The finished model as a folder (diffusers' layout) with the averaged weights in place.
  virtual void save(const std::filesystem::path& folder) = 0;
  // Settings that must agree for a run to be resumed.
  virtual Json settings() const = 0;
};

}  // namespace terragen::training
