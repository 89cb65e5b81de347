// Batches for training: what step k gets depends on the seed and k alone.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "terragen/shards/augment.h"
#include "terragen/shards/shard_reader.h"

namespace terragen::shards {

struct Batch {
  torch::Tensor images;                 // [N, B, S, S], float32 in [-1, 1]
  torch::Tensor valid;                  // [N, 1, S, S], float32, 1 where measured
  std::vector<layout::Layout> layouts;  // S x S each
  std::vector<std::string> sources;
  std::int64_t key = -1;  // batches of one key are equal; negative: not said
};

struct LoaderOptions {
  int batch = 16;
  std::uint64_t seed = 0;
  int threads = 1;  // that prepare batches ahead; 0: prepared when asked for
  // After so many batches the same crops come again, so that what is computed from them alone may be kept; 0: never.
  std::int64_t cycle = 0;
  // Datasets, and a dataset's real and synthetic images, are drawn in proportion to their number to this power: 1 as
  // they are, 0 equally often.
  double balance = 0.5;
  // Synthetic images are at most this share of what is drawn, where there are real ones: many new images beside a few
  // real ones must not crowd them out.
  double most_synthetic = 1;
  // From this step on real images alone are drawn; negative: never. What was painted teaches first, what was measured
  // has the last word.
  std::int64_t real_from = -1;
  AugmentOptions augment;

  void validate() const;
};

// One thread calls seek() and next().
class Loader {
 public:
  Loader(const ShardReader& reader, LoaderOptions options);
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  const LoaderOptions& options() const { return options_; }
  // The next batch is that of step `step`.
  void seek(std::int64_t step);
  Batch next();
  // The batch of step `step`, computed here and now.
  Batch batch_of(std::int64_t step) const;

 private:
  // A choice of samples: first a group, then one of it.
  struct Choice {
    std::vector<std::vector<std::size_t>> groups;
    std::vector<double> cumulative;  // of the groups' weights
    void add(const std::vector<std::size_t>& group, double weight);
  };

  std::size_t draw(std::int64_t step, Random& random) const;
  void stop();
  void work();

  const ShardReader& reader_;
  LoaderOptions options_;
  Choice all_, real_;
  std::int64_t position_ = 0;  // of next()
  std::int64_t claimed_ = 0;   // of the workers
  bool stopping_ = false;
  std::exception_ptr failure_;
  std::map<std::int64_t, Batch> ready_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::thread> workers_;
};

// Stacks samples of one size.
Batch collate(const std::vector<Sample>& samples);
// Equal consecutive parts, with keys of their own. RequestError unless `parts` divides the batch.
std::vector<Batch> split(const Batch& batch, int parts);

}  // namespace terragen::shards
