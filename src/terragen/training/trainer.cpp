#include "terragen/training/trainer.h"

#include <chrono>
#include <cmath>
#include <format>
#include <map>
#include <numbers>

#include "terragen/core/comma_list.h"
#include "terragen/core/error.h"
#include "terragen/core/interrupt.h"
#include "terragen/core/memory.h"
#include "terragen/core/progress.h"
#include "terragen/core/seed.h"
#include "terragen/training/checkpoint.h"
#include "terragen/training/data_parallel.h"
#include "terragen/training/ema.h"
#include "terragen/training/train_log.h"
#include "terragen/training/trained_parameters.h"

namespace terragen::training {
namespace {

namespace fs = std::filesystem;

}  // namespace

void TrainerOptions::validate() const {
  if (steps <= 0) throw RequestError(std::format("steps is {}, it must be positive", steps));
  if (!(learning_rate > 0))
    throw RequestError(std::format("the learning rate is {}, it must be positive", learning_rate));
  if (!(ema_decay >= 0 && ema_decay < 1))
    throw RequestError(std::format("the EMA decay is {}, not in [0, 1)", ema_decay));
  if (!(weight_decay >= 0)) throw RequestError(std::format("the weight decay is {}, it is negative", weight_decay));
  if (!(clip_norm > 0)) throw RequestError(std::format("the clip norm is {}, it must be positive", clip_norm));
  if (warmup_steps < 0) throw RequestError(std::format("{} warm-up steps, at least none are possible", warmup_steps));
  if (!(final_rate_share >= 0 && final_rate_share <= 1)) {
    throw RequestError(std::format("the final share of the learning rate is {}, not in [0, 1]", final_rate_share));
  }
  if (preview_every < 0) throw RequestError(std::format("a preview every {} steps is not possible", preview_every));
  if (stop_after < 0 || !(stop_after_seconds >= 0)) throw RequestError("a run cannot end before it begins");
  if (log_every <= 0 || checkpoint_every <= 0) throw RequestError("log and checkpoint intervals must be positive");
}

Trainer::Trainer(Task& task, shards::Loader& loader, fs::path run, TrainerOptions options,
                 tensor::ComputeOptions compute)
    : task_(task), loader_(loader), run_(std::move(run)), options_(options), compute_(std::move(compute)) {
  options_.validate();
}

double Trainer::rate_at(std::int64_t step) const {
  if (step < options_.warmup_steps) {
    return options_.learning_rate * static_cast<double>(step + 1) / static_cast<double>(options_.warmup_steps);
  }
  const double span = static_cast<double>(std::max<std::int64_t>(1, options_.steps - options_.warmup_steps));
  const double done = static_cast<double>(step - options_.warmup_steps) / span;
  const double fall = 0.5 * (1.0 + std::cos(std::numbers::pi * std::min(1.0, done)));
  return options_.learning_rate * (options_.final_rate_share + (1.0 - options_.final_rate_share) * fall);
}

void Trainer::preview(Ema& ema, std::int64_t step) {
  const torch::NoGradGuard no_grad;
  const Ema::Swapped averaged(ema);
  task_.module()->eval();
  try {
    task_.write_preview(run_ / std::format("preview-{:08}.png", step));
  } catch (const Interrupted&) {
    // The training has its own place to stop, where nothing is lost.
  }
  task_.module()->train();
}

TrainingEnd Trainer::train() {
  const torch::Device device = tensor::parse_device(compute_.device);
  const std::shared_ptr<torch::nn::Module> module = task_.module();
  module->to(device);
  module->train();
  const auto trained = trained_parameters(*module);
  std::vector<torch::Tensor> parameters;
  // One group a factor of the learning rate.
  std::map<double, std::vector<torch::Tensor>> by_factor;
  for (const auto& [name, value] : trained) {
    parameters.push_back(value);
    by_factor[task_.rate_factor(name)].push_back(value);
  }
  std::vector<torch::optim::OptimizerParamGroup> groups;
  std::vector<double> factors;
  for (const auto& [factor, members] : by_factor) {
    groups.emplace_back(members);
    factors.push_back(factor);
  }
  torch::optim::AdamW optimiser(
      groups,
      torch::optim::AdamWOptions(options_.learning_rate).weight_decay(options_.weight_decay).betas({0.9, 0.99}));
  Ema ema(module, options_.ema_decay);
  DataParallel gradient(task_, parameters, options_.data_parallel, compute_);

  CheckpointState state{.step = 0, .seed = options_.seed, .settings = task_.settings()};
  state.settings.update(options_.agreed);
  state.settings["steps"] = options_.steps;
  state.settings["learning_rate"] = options_.learning_rate;
  state.settings["seed"] = options_.seed;
  state.settings["batch"] = loader_.options().batch;
  state.settings["cycle"] = loader_.options().cycle;
  state.settings["real_from"] = loader_.options().real_from;
  state.settings["data_parallel"] = options_.data_parallel;
  state.settings["precision"] = compute_.precision;
  const auto newest = newest_checkpoint(run_);
  if (newest && !options_.resume) {
    throw RequestError(std::format("{} holds a training run already", run_.string()),
                       "continue it with --resume, or choose another folder");
  }
  if (newest) state = load_checkpoint(*newest, state.settings, *module, ema, optimiser);
  remove_unfinished_checkpoints(run_);
  fs::create_directories(run_);
  loader_.seek(state.step);

  TrainLog log(run_, state.step);
  Progress progress("training", options_.steps, "steps");
  progress.resume_at(state.step);
  const auto began = std::chrono::steady_clock::now();
  const auto seconds = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count(); };
  const std::int64_t first = state.step;
  std::int64_t logged_step = state.step;
  double logged_at = 0;
  double loss_sum = 0;
  const auto save = [&] { save_checkpoint(run_, state, *module, ema, optimiser); };
  // Running statistics change with every pass forward, also with one that comes to nothing.
  const std::vector<torch::Tensor> buffers = module->buffers();
  std::vector<torch::Tensor> before;

  while (state.step < options_.steps) {
    for (std::size_t g = 0; g < factors.size(); ++g) {
      auto& group = static_cast<torch::optim::AdamWOptions&>(optimiser.param_groups()[g].options());
      group.lr(factors[g] * rate_at(state.step));
    }
    const shards::Batch batch = loader_.next();
    before.clear();
    for (const torch::Tensor& buffer : buffers) before.push_back(buffer.clone());
    Scalars scalars;
    const double value =
        gradient.step(batch, derive_seed(options_.seed, static_cast<std::uint64_t>(state.step)), scalars);
    const double norm = std::isfinite(value) ? torch::nn::utils::clip_grad_norm_(parameters, options_.clip_norm) : 0.0;
    if (!std::isfinite(value) || !std::isfinite(norm)) {
      const torch::NoGradGuard no_grad;
      for (std::size_t i = 0; i < buffers.size(); ++i) torch::Tensor(buffers[i]).copy_(before[i]);
      save();
      throw DataError(comma_list(batch.sources),
                      std::format("step {}: the loss or its gradient is not a number", state.step + 1),
                      std::format("the state before this step is kept in {}", run_.string()));
    }
    optimiser.step();
    ema.update(state.step);
    ++state.step;
    loss_sum += value;
    progress.advance(1, std::format("loss {:.4f}", value));

    if (state.step % options_.log_every == 0 || state.step == options_.steps) {
      const double now = seconds();
      const auto steps = static_cast<double>(state.step - logged_step);
      scalars["loss"] = loss_sum / steps;
      scalars["gradient_norm"] = norm;
      scalars["learning_rate"] = rate_at(state.step - 1);
      scalars["samples_per_second"] =
          steps * static_cast<double>(loader_.options().batch) / std::max(1e-9, now - logged_at);
      scalars["seconds"] = now;
      scalars["peak_memory_mib"] = static_cast<double>(peak_memory_bytes()) / (1 << 20);
      log.append(state.step, scalars);
      logged_step = state.step;
      logged_at = now;
      loss_sum = 0;
    }
    const bool last = state.step == options_.steps;
    if (!last && state.step % options_.checkpoint_every == 0) save();
    if (options_.preview_every > 0 && state.step % options_.preview_every == 0) {
      preview(ema, state.step);
      log.draw_curve();
    }
    if (interrupt_requested()) {
      save();
      throw Interrupted(std::format("stopped at step {}; continue with --resume", state.step));
    }
    const bool enough = (options_.stop_after > 0 && state.step - first >= options_.stop_after) ||
                        (options_.stop_after_seconds > 0 && seconds() >= options_.stop_after_seconds);
    if (enough && !last) {
      save();
      log.draw_curve();
      const torch::NoGradGuard no_grad;
      const Ema::Swapped averaged(ema);
      module->eval();
      task_.save(run_ / "model");
      return TrainingEnd::paused;
    }
  }
  save();
  log.draw_curve();
  if (options_.preview_every > 0) preview(ema, state.step);
  const torch::NoGradGuard no_grad;
  const Ema::Swapped averaged(ema);
  module->eval();
  task_.save(run_ / "model");
  return TrainingEnd::finished;
}

}  // namespace terragen::training
