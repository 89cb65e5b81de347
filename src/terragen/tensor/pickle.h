// Pickles, Python's form of stored objects (protocol 2), read as data. A pickle is a small program that builds a value;
// here it builds nothing but the tree below. No name in it is looked up and nothing is ever called: what a program
// would call stays a node of the tree, for the reader to understand or refuse.
//
// Only the instructions that dictionaries of tensors, numbers and texts are made of are known.
#pragma once

#include <cstdint>
#include <deque>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace terragen::tensor {

struct PickleValue {
  enum class Kind {
    none,
    boolean,     // integer
    integer,     // integer
    real,        // real
    text,        // text
    list,        // items; tuples too
    dictionary,  // pairs; a repeated key is kept
    global,      // text: "module name"
    call,        // text: the global's; items: its arguments
    persistent,  // items: what identifies an object that is kept outside the pickle
    passed_over  // something a training left beside its tensors: nothing is known of it
  };
  Kind kind = Kind::none;
  std::int64_t integer = 0;
  double real = 0;
  std::string text;
  std::vector<const PickleValue*> items;
  std::vector<std::pair<const PickleValue*, const PickleValue*>> pairs;
};

// Values may be shared and, in a malicious file, contain themselves: who walks the tree must count.
class Pickle {
 public:
  // globals: the names that may occur; besides, those of NumPy and of PyTorch Lightning, whose callbacks and scores lie
  // beside the tensors of many files, may occur and are passed over with all that is done to them. DataError naming
  // `place` and the byte for any other name, an unknown instruction, and everything else that is no such pickle.
  Pickle(std::string_view bytes, const std::set<std::string>& globals, const std::string& place);
  Pickle(const Pickle&) = delete;
  Pickle& operator=(const Pickle&) = delete;

  const PickleValue& root() const { return *root_; }

 private:
  std::deque<PickleValue> values_;
  const PickleValue* root_ = nullptr;
};

}  // namespace terragen::tensor
