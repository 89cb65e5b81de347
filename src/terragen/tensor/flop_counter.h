// Counts the multiplications and additions of networks: what a computation costs whatever the machine.
#pragma once

#include <cstdint>

namespace terragen::tensor {

// While alive, counts the products of convolutions and matrices that any thread computes, forwards and backwards; a
// multiplication and an addition are two. Everything else is left out: it is a few per cent. One at a time.
class FlopCounter {
 public:
  FlopCounter();
  ~FlopCounter();
  FlopCounter(const FlopCounter&) = delete;
  FlopCounter& operator=(const FlopCounter&) = delete;
  // Operations so far.
  double count() const;

 private:
  std::uint64_t callback_ = 0;
};

}  // namespace terragen::tensor
