// Figures over the seeds of an experiment.
#pragma once

#include <vector>

namespace terragen::evaluation {

// NaN of none.
double mean_of(const std::vector<double>& values);
// Sample deviation; 0 of fewer than two.
double deviation_of(const std::vector<double>& values);

}  // namespace terragen::evaluation
