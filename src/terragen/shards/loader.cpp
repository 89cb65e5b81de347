#include "terragen/shards/loader.h"

#include <algorithm>
#include <cmath>
#include <format>

#include "terragen/core/error.h"
#include "terragen/core/require_share.h"
#include "terragen/layout/class_pixels.h"

namespace terragen::shards {
namespace {

// By class, the inverse root of its pixels' number: rare classes oftener, and none alone.
std::vector<double> rare_class_weights(const ShardReader& reader) {
  const int classes = reader.set().taxonomy.size();
  std::vector<double> weights(static_cast<std::size_t>(classes), 0);
  for (std::size_t i = 0; i < reader.size(); ++i) {
    const layout::ClassPixels pixels = layout::count_class_pixels(reader.layout(i), classes);
    for (std::size_t k = 0; k < weights.size(); ++k) weights[k] += static_cast<double>(pixels.classes[k]);
  }
  for (double& weight : weights) weight = weight > 0 ? 1 / std::sqrt(weight) : 0;
  return weights;
}

}  // namespace

void LoaderOptions::validate() const {
  if (batch < 1) throw RequestError(std::format("the batch is {}, it must be positive", batch));
  if (threads < 0) throw RequestError(std::format("{} loader threads are not possible", threads));
  if (cycle < 0) throw RequestError(std::format("a cycle of {} batches is not possible", cycle));
  require_share("balance", balance);
  require_share("most_synthetic", most_synthetic);
  require_share("class_share", augment.class_share);
  if (cycle > 0 && real_from >= 0) throw RequestError("batches that come again cannot turn to real images alone");
  if (augment.crop < 16) throw RequestError(std::format("crops of {} pixels are too small", augment.crop));
  if (augment.scale_jitter < 1)
    throw RequestError(std::format("the scale jitter is {}, it must be at least 1", augment.scale_jitter));
}

Batch collate(const std::vector<Sample>& samples) {
  Batch batch;
  std::vector<torch::Tensor> images;
  std::vector<torch::Tensor> valid;
  for (const Sample& sample : samples) {
    images.push_back(sample.image);
    valid.push_back(sample.valid.unsqueeze(0));
    batch.layouts.push_back(sample.layout);
    batch.sources.push_back(sample.source);
  }
  batch.images = torch::stack(images);
  batch.valid = torch::stack(valid);
  return batch;
}

std::vector<Batch> split(const Batch& batch, int parts) {
  const std::int64_t whole = batch.images.size(0);
  if (parts < 1 || whole % parts != 0) {
    throw RequestError(std::format("a batch of {} cannot be cut into {} equal parts", whole, parts));
  }
  const std::int64_t size = whole / parts;
  std::vector<Batch> result(static_cast<std::size_t>(parts));
  for (std::int64_t i = 0; i < parts; ++i) {
    Batch& part = result[static_cast<std::size_t>(i)];
    part.images = batch.images.slice(0, i * size, (i + 1) * size);
    part.valid = batch.valid.slice(0, i * size, (i + 1) * size);
    part.layouts.assign(batch.layouts.begin() + i * size, batch.layouts.begin() + (i + 1) * size);
    part.sources.assign(batch.sources.begin() + i * size, batch.sources.begin() + (i + 1) * size);
    if (batch.key >= 0) part.key = batch.key * parts + i;
  }
  return result;
}

Loader::Loader(const ShardReader& reader, LoaderOptions options) : reader_(reader), options_(options) {
  options_.validate();
  if (reader.size() == 0) throw RequestError("the shards hold no samples of this split");
  std::map<std::string, std::vector<std::size_t>> by_dataset;
  for (std::size_t i = 0; i < reader.size(); ++i) {
    const std::string& source = reader.source(i);
    by_dataset[source.substr(0, source.find('/'))].push_back(i);
  }
  const auto synthetic = [&](const std::vector<std::size_t>& group) {
    return is_synthetic(reader.source(group.front()));
  };
  const auto weight = [&](const std::vector<std::size_t>& group) {
    return std::pow(static_cast<double>(group.size()), options_.balance);
  };
  double real = 0;
  double made = 0;
  for (const auto& [name, group] : by_dataset) (synthetic(group) ? made : real) += weight(group);
  const double most = options_.most_synthetic;
  const bool crowded = real > 0 && made > most * (real + made);
  const double factor = crowded ? most * real / ((1 - most) * made) : 1.0;
  for (const auto& [name, group] : by_dataset) {
    all_.add(group, weight(group) * (synthetic(group) ? factor : 1.0));
    if (!synthetic(group)) real_.add(group, weight(group));
  }
  if (options_.augment.class_share > 0) options_.augment.class_weights = rare_class_weights(reader);
  if (options_.real_from >= 0 && real_.groups.empty()) {
    throw RequestError("the last steps should see real images alone, and there are none");
  }
}

void Loader::Choice::add(const std::vector<std::size_t>& group, double weight) {
  groups.push_back(group);
  cumulative.push_back((cumulative.empty() ? 0 : cumulative.back()) + weight);
}

std::size_t Loader::draw(std::int64_t step, Random& random) const {
  const Choice& choice = options_.real_from >= 0 && step >= options_.real_from ? real_ : all_;
  const double u = random.uniform() * choice.cumulative.back();
  const auto group =
      static_cast<std::size_t>(std::ranges::upper_bound(choice.cumulative, u) - choice.cumulative.begin());
  const std::vector<std::size_t>& indexes = choice.groups[std::min(group, choice.groups.size() - 1)];
  return indexes[static_cast<std::size_t>(random.below(std::ssize(indexes)))];
}

Loader::~Loader() { stop(); }

void Loader::stop() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  for (std::thread& worker : workers_) worker.join();
  workers_.clear();
}

void Loader::seek(std::int64_t step) {
  stop();
  position_ = claimed_ = step;
  ready_.clear();
  failure_ = nullptr;
  stopping_ = false;
  for (int i = 0; i < options_.threads; ++i) workers_.emplace_back([this] { work(); });
}

Batch Loader::batch_of(std::int64_t step) const {
  if (options_.cycle > 0 && step >= 0) step %= options_.cycle;
  std::vector<Sample> samples;
  for (int i = 0; i < options_.batch; ++i) {
    Random random(
        derive_seed(derive_seed(options_.seed, static_cast<std::uint64_t>(step)), static_cast<std::uint64_t>(i)));
    const std::size_t index = draw(step, random);
    samples.push_back(augment(reader_.get(index), options_.augment, random));
  }
  Batch batch = collate(samples);
  if (options_.cycle > 0 && step >= 0) batch.key = step;
  return batch;
}

void Loader::work() {
  constexpr std::int64_t kAhead = 4;  // batches
  // Preparing one batch is small work: letting LibTorch spread it would take threads from the training itself.
  at::set_num_threads(1);
  while (true) {
    std::int64_t step = 0;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return stopping_ || claimed_ < position_ + kAhead; });
      if (stopping_) return;
      step = claimed_++;
    }
    try {
      Batch batch = batch_of(step);
      const std::scoped_lock lock(mutex_);
      ready_[step] = std::move(batch);
    } catch (...) {
      const std::scoped_lock lock(mutex_);
      failure_ = std::current_exception();
      stopping_ = true;
    }
    changed_.notify_all();
  }
}

Batch Loader::next() {
  if (workers_.empty()) return batch_of(position_++);
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return failure_ || ready_.contains(position_); });
  if (failure_) std::rethrow_exception(failure_);
  Batch batch = std::move(ready_.at(position_));
  ready_.erase(position_);
  ++position_;
  lock.unlock();
  changed_.notify_all();
  return batch;
}

}  // namespace terragen::shards
