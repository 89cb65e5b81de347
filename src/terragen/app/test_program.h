// The program, run by tests as from a shell.
#pragma once

#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <format>
#include <string>

namespace terragen::app::test {

struct Answer {
  int code = -1;
  std::string said;  // on both streams
};

inline Answer run_program(const std::string& arguments) {
  const std::string command = std::format("'{}' {} 2>&1", TERRAGEN_PROGRAM, arguments);
  Answer answer;
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return answer;
  std::array<char, 256> line{};
  while (std::fgets(line.data(), line.size(), pipe) != nullptr) answer.said += line.data();
  const int status = pclose(pipe);
  answer.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return answer;
}

}  // namespace terragen::app::test
