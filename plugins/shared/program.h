// Programs of the host that drivers run for their tasks (java, qemu): where they are, and what they say of themselves.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "sdk/async/asio.h"
#include "sdk/base/error.h"

namespace drover {

// One file at one time: another version installed in its place is not equal.
struct Program {
  std::string path;  // absolute, links followed
  std::uint64_t device = 0, inode = 0;
  std::int64_t modified_ns = 0;
  friend bool operator==(const Program&, const Program&) = default;
};

// The first executable file `name` of a PATH; a name with a slash is taken as it is.
// Error `failed to resolve path to "java" executable: ...`.
[[nodiscard]] Result<Program> find_program(const std::string& name, const std::string& path_variable);
// The PATH of this process, or the usual directories.
[[nodiscard]] std::string own_path();

// Runs a program with our own PATH and nothing else of our environment, and gives what it wrote to both streams, at most
// 64 KiB. One that fails, or outlasts `limit` and is then killed, is an error.
[[nodiscard]] Async<Result<std::string>> program_output(std::string path, std::vector<std::string> arguments, std::chrono::nanoseconds limit);

}  // namespace drover
