#include "terragen/tensor/pickle.h"

#include <bit>
#include <format>
#include <unordered_map>

#include "terragen/core/error.h"

namespace terragen::tensor {
namespace {

using Kind = PickleValue::Kind;

const std::string kOrderedDict = "collections OrderedDict";

// The machine a pickle is written for: a stack, marks in it, and values remembered by number.
class PickleMachine {
 public:
  PickleMachine(std::string_view bytes, const std::set<std::string>& globals, const std::string& place,
                std::deque<PickleValue>& values)
      : bytes_(bytes), globals_(globals), place_(place), values_(values) {}

  const PickleValue* run() {
    while (true) {
      start_ = at_;
      const auto code = static_cast<unsigned char>(take(1)[0]);
      if (code == '.') break;
      if (!simple(code) && !number(code) && !container(code) && !object(code)) {
        refuse(std::format("the instruction 0x{:02x} is not one that tensors are stored with", code));
      }
    }
    if (stack_.size() != 1 || !marks_.empty()) refuse("the program does not end with one value");
    return stack_.back();
  }

 private:
  [[noreturn]] void refuse(const std::string& sentence) const {
    throw DataError(std::format("{}: byte {}", place_, start_), sentence);
  }

  std::string_view take(std::uint64_t size) {
    if (size > bytes_.size() - at_) refuse("the program ends too early");
    const std::string_view part = bytes_.substr(at_, size);
    at_ += size;
    return part;
  }
  std::uint64_t unsigned_number(std::uint64_t size) {
    std::uint64_t value = 0;
    const std::string_view digits = take(size);
    for (std::uint64_t i = 0; i < size; ++i) value |= std::uint64_t{static_cast<unsigned char>(digits[i])} << (8 * i);
    return value;
  }
  std::string line() {
    const std::size_t end = bytes_.find('\n', at_);
    if (end == std::string_view::npos) refuse("the program ends inside a name");
    std::string text(take(end - at_));
    take(1);
    return text;
  }

  PickleValue* make(Kind kind) {
    values_.push_back({.kind = kind});
    return &values_.back();
  }
  void push(PickleValue* value) { stack_.push_back(value); }
  void push_integer(Kind kind, std::int64_t integer) {
    PickleValue* value = make(kind);
    value->integer = integer;
    push(value);
  }
  PickleValue* pop() {
    if (stack_.size() <= (marks_.empty() ? 0 : marks_.back())) refuse("the program takes more values than there are");
    PickleValue* value = stack_.back();
    stack_.pop_back();
    return value;
  }
  PickleValue* top(Kind kind, const char* what) {
    PickleValue* value = pop();
    if (value->kind != kind) refuse(std::format("the program wants a {} where there is none", what));
    push(value);
    return value;
  }
  std::vector<PickleValue*> pop_many(std::size_t count) {
    std::vector<PickleValue*> values(count);
    for (std::size_t i = count; i > 0; --i) values[i - 1] = pop();
    return values;
  }
  std::vector<PickleValue*> pop_to_mark() {
    if (marks_.empty()) refuse("the program wants a mark where there is none");
    std::vector<PickleValue*> values = pop_many(stack_.size() - marks_.back());
    marks_.pop_back();
    return values;
  }
  bool is_passed_over_on_top() {
    PickleValue* value = pop();
    push(value);
    return value->kind == Kind::passed_over;
  }
  static bool is_left_by_training(const std::string& module) {
    return module.starts_with("pytorch_lightning.") || module == "numpy" || module.starts_with("numpy.core.") ||
           module.starts_with("numpy._core.") || module == "_codecs";
  }
  void push_list(const std::vector<PickleValue*>& items) {
    PickleValue* value = make(Kind::list);
    value->items.assign(items.begin(), items.end());
    push(value);
  }

  // They are copied, and a remembered list could be copied time and again: nothing has need of many.
  const PickleValue* arguments() {
    constexpr std::size_t kMost = 8;
    const PickleValue* list = top(Kind::list, "tuple");
    if (list->items.size() > kMost) refuse("the program gives too many arguments");
    pop();
    return list;
  }

  // What stands by itself, and the memory.
  bool simple(unsigned char code) {
    switch (code) {
      case 0x80:  // PROTO
        if (unsigned_number(1) > 2) refuse("the pickle is of a protocol above 2");
        return true;
      case 'N':
        push(make(Kind::none));
        return true;
      case 0x88:  // NEWTRUE
      case 0x89:  // NEWFALSE
        push_integer(Kind::boolean, code == 0x88 ? 1 : 0);
        return true;
      case '(':  // MARK
        marks_.push_back(stack_.size());
        return true;
      case 'q':  // BINPUT
      case 'r':  // LONG_BINPUT
      {
        const std::uint64_t number = unsigned_number(code == 'q' ? 1 : 4);
        PickleValue* value = pop();
        push(value);
        memory_[number] = value;
        return true;
      }
      case 'h':  // BINGET
      case 'j':  // LONG_BINGET
      {
        const auto found = memory_.find(unsigned_number(code == 'h' ? 1 : 4));
        if (found == memory_.end()) refuse("the program asks for a value that it has not remembered");
        push(found->second);
        return true;
      }
      default:
        return false;
    }
  }

  // Numbers and texts.
  bool number(unsigned char code) {
    switch (code) {
      case 'J':  // BININT
        push_integer(Kind::integer, static_cast<std::int32_t>(unsigned_number(4)));
        return true;
      case 'K':  // BININT1
      case 'M':  // BININT2
        push_integer(Kind::integer, static_cast<std::int64_t>(unsigned_number(code == 'K' ? 1 : 2)));
        return true;
      case 0x8a:  // LONG1
      {
        const std::uint64_t size = unsigned_number(1);
        if (size > 8) refuse("a whole number has more than 64 bits");
        std::uint64_t value = unsigned_number(size);
        const bool negative = size > 0 && (value >> (8 * size - 1) & 1U) != 0;
        if (negative && size < 8) value |= ~std::uint64_t{0} << (8 * size);
        push_integer(Kind::integer, std::bit_cast<std::int64_t>(value));
        return true;
      }
      case 'G':  // BINFLOAT, the one number that begins with its highest byte
      {
        std::uint64_t bits = 0;
        for (const char byte : take(8)) bits = bits << 8U | static_cast<unsigned char>(byte);
        PickleValue* value = make(Kind::real);
        value->real = std::bit_cast<double>(bits);
        push(value);
        return true;
      }
      case 'X':  // BINUNICODE
      {
        PickleValue* value = make(Kind::text);
        value->text = take(unsigned_number(4));
        push(value);
        return true;
      }
      default:
        return false;
    }
  }

  bool container(unsigned char code) {
    switch (code) {
      case ']':  // EMPTY_LIST
      case ')':  // EMPTY_TUPLE
        push_list({});
        return true;
      case '}':  // EMPTY_DICT
        push(make(Kind::dictionary));
        return true;
      case 0x85:  // TUPLE1
      case 0x86:
      case 0x87:  // TUPLE3
        push_list(pop_many(code - 0x84U));
        return true;
      case 't':  // TUPLE
        push_list(pop_to_mark());
        return true;
      case 'a':  // APPEND
      case 'e':  // APPENDS
      {
        const std::vector<PickleValue*> items = code == 'a' ? pop_many(1) : pop_to_mark();
        PickleValue* list = top(Kind::list, "list");
        list->items.insert(list->items.end(), items.begin(), items.end());
        return true;
      }
      case 's':  // SETITEM
      case 'u':  // SETITEMS
      {
        const std::vector<PickleValue*> items = code == 's' ? pop_many(2) : pop_to_mark();
        if (items.size() % 2 != 0) refuse("the program gives a dictionary a key without a value");
        PickleValue* dictionary = top(Kind::dictionary, "dictionary");
        for (std::size_t i = 0; i < items.size(); i += 2) dictionary->pairs.emplace_back(items[i], items[i + 1]);
        return true;
      }
      default:
        return false;
    }
  }

  // What a program would look up, call or fetch from outside.
  bool object(unsigned char code) {
    switch (code) {
      case 'c':  // GLOBAL
      {
        PickleValue* value = make(Kind::global);
        const std::string module = line();
        value->text = module + " " + line();
        if (is_left_by_training(module)) {
          value->kind = Kind::passed_over;
        } else if (!globals_.contains(value->text)) {
          refuse(std::format("the program names \"{}\", which is no part of tensors", value->text));
        }
        push(value);
        return true;
      }
      case 'Q':  // BINPERSID
      {
        const PickleValue* id = arguments();
        PickleValue* value = make(Kind::persistent);
        value->items = id->items;
        push(value);
        return true;
      }
      case 'R':  // REDUCE: the call itself
      {
        const PickleValue* given = arguments();
        if (is_passed_over_on_top()) return true;
        const PickleValue* global = top(Kind::global, "name");
        pop();
        const bool empty = global->text == kOrderedDict && given->items.empty();
        PickleValue* value = make(empty ? Kind::dictionary : Kind::call);
        value->text = global->text;
        value->items = given->items;
        push(value);
        return true;
      }
      case 'b':  // BUILD: sets an object's attributes; a module's dictionary has some, which say nothing of its tensors
        pop();
        if (!is_passed_over_on_top()) top(Kind::dictionary, "dictionary");
        return true;
      default:
        return false;
    }
  }

  std::string_view bytes_;
  const std::set<std::string>& globals_;
  const std::string& place_;
  std::deque<PickleValue>& values_;
  std::uint64_t at_ = 0, start_ = 0;  // start_: of the present instruction
  std::vector<PickleValue*> stack_;
  std::vector<std::size_t> marks_;  // sizes of the stack
  std::unordered_map<std::uint64_t, PickleValue*> memory_;
};

}  // namespace

Pickle::Pickle(std::string_view bytes, const std::set<std::string>& globals, const std::string& place)
    : root_(PickleMachine(bytes, globals, place, values_).run()) {}

}  // namespace terragen::tensor
