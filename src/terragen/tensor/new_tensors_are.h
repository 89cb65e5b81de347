// The floating-point type of tensors that are made without saying one.
#pragma once

#include <torch/torch.h>

namespace terragen::tensor {

// While alive, new tensors are of that floating-point type: a network that is made so takes no more memory than its
// weights will, which come later.
class NewTensorsAre {
 public:
  explicit NewTensorsAre(torch::ScalarType type) : before_(torch::get_default_dtype()) {
    torch::set_default_dtype(torch::scalarTypeToTypeMeta(type));
  }
  ~NewTensorsAre() { torch::set_default_dtype(before_); }
  NewTensorsAre(const NewTensorsAre&) = delete;
  NewTensorsAre& operator=(const NewTensorsAre&) = delete;

 private:
  caffe2::TypeMeta before_;
};

}  // namespace terragen::tensor
