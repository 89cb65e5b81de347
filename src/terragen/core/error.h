// The three ways TerraGen fails: the request is wrong, the data are wrong, we are wrong.
#pragma once

#include <stdexcept>
#include <string>

namespace terragen {

// Exit codes of the program; a contract.
enum class ExitCode : int { done = 0, request = 2, data = 3, internal = 70, interrupted = 130 };

// Base of every error TerraGen throws on purpose. `what()` is one sentence; `hint()` says what to do, or is empty.
class Error : public std::runtime_error {
 public:
  Error(ExitCode code, const std::string& sentence, std::string hint)
      : std::runtime_error(sentence), code_(code), hint_(std::move(hint)) {}
  ExitCode code() const { return code_; }
  const std::string& hint() const { return hint_; }

 private:
  ExitCode code_;
  std::string hint_;
};

// The request is wrong: an option, a combination of settings, a name that does not exist.
class RequestError : public Error {
 public:
  explicit RequestError(const std::string& sentence, std::string hint = {})
      : Error(ExitCode::request, sentence, std::move(hint)) {}
};

// The data are wrong. `place` names the file and, where there is one, the place in it ("a.json: annotation 17").
class DataError : public Error {
 public:
  DataError(const std::string& place, const std::string& sentence, std::string hint = {})
      : Error(ExitCode::data, place + ": " + sentence, std::move(hint)), place_(place) {}
  const std::string& place() const { return place_; }

 private:
  std::string place_;
};

// We are wrong: a broken invariant of ours. User input must never lead here.
class InternalError : public Error {
 public:
  explicit InternalError(const std::string& sentence)
      : Error(ExitCode::internal, sentence, "this is a bug of TerraGen: please report it with the command") {}
};

// The user asked to stop; what was done so far is kept.
class Interrupted : public Error {
 public:
  explicit Interrupted(const std::string& sentence) : Error(ExitCode::interrupted, sentence, {}) {}
};

}  // namespace terragen
