// Figures over the seeds of an experiment.
#pragma once

#include <map>
#include <vector>

namespace terragen::evaluation {

// NaN of none.
double mean_of(const std::vector<double>& values);
// Sample deviation; 0 of fewer than two.
double deviation_of(const std::vector<double>& values);

// One measure of one method, in points (hundredths), by seed.
using SeedValues = std::map<int, double>;

struct SeedFigure {
  std::vector<double> values;  // by seed
  double mean = 0;
  double deviation = 0;       // sample deviation; 0 of one seed
  double gain = 0;            // over "real", seed by seed; NaN where that was not run
  double gain_deviation = 0;  // of these differences
  double gain_over_copy_paste = 0;
};

// Gains are taken over the seeds that both have. Null: was not run.
SeedFigure seed_figure(const SeedValues& own, const SeedValues* real, const SeedValues* copy_paste);

}  // namespace terragen::evaluation
