// Errors as values. `Result<T>` is returned by whatever can fail because the world is as it is; CHECK is for our own bugs.
//
// A message names the thing and the step, in lower case, without a full stop: `opening "/x": permission denied`.
// `context()` adds the outer step on the way up: `starting task "web": opening "/x": permission denied`.
// Errors are values: copy, compare and move them freely, from any thread.
#pragma once

#include <fmt/core.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace drover {

// What went wrong, as far as a caller may act on it. `to_http_status` and sdk/rpc's gRPC table map these.
enum class Code : std::uint8_t {
  internal,            // 500, our own or unclassified failure
  invalid_argument,    // 400, the caller's input is wrong
  not_found,           // 404
  already_exists,      // 409
  permission_denied,   // 403
  unauthenticated,     // 401
  conflict,            // 409, failed precondition
  unavailable,         // 503, try again later
  deadline_exceeded,   // 504
  cancelled,           // the operation was given up on purpose
  unimplemented,       // 501
  resource_exhausted,  // 429 or no space
  too_large,           // 413
  no_leader,           // 500 with the reference's text, retried by clients
};

class Error {
 public:
  Error() = default;
  Error(Code code, std::string message) : message_(std::move(message)), code_(code) {}

  [[nodiscard]] Code code() const { return code_; }
  [[nodiscard]] const std::string& message() const { return message_; }
  // errno of the failed system call, 0 when there was none.
  [[nodiscard]] int sys_errno() const { return errno_; }
  // True when trying the same thing again may work (plugin protocol: RecoverableError).
  [[nodiscard]] bool recoverable() const { return recoverable_; }
  // Explicit HTTP status for errors whose status is a wire fact of its own, 0 otherwise.
  [[nodiscard]] int http_status() const { return http_status_; }

  Error&& with_errno(int value) && { errno_ = value; return std::move(*this); }
  Error&& with_recoverable(bool value = true) && { recoverable_ = value; return std::move(*this); }
  Error&& with_http_status(int value) && { http_status_ = value; return std::move(*this); }
  // The same error with "<step>: " before the message.
  [[nodiscard]] Error context(std::string_view step) const;

  friend bool operator==(const Error&, const Error&) = default;

 private:
  std::string message_;
  int errno_ = 0;
  int http_status_ = 0;
  Code code_ = Code::internal;
  bool recoverable_ = false;
};

template <class T = void>
using Result = tl::expected<T, Error>;
using Unexpected = tl::unexpected<Error>;

// `return fail(Code::not_found, "unknown task \"{}\"", name);`
template <class... Args>
[[nodiscard]] Unexpected fail(Code code, fmt::format_string<Args...> format, Args&&... args) {
  return Unexpected(Error(code, fmt::format(format, std::forward<Args>(args)...)));
}
// Passes an error on, with the step that failed put before it.
template <class... Args>
[[nodiscard]] Unexpected fail(const Error& cause, fmt::format_string<Args...> format, Args&&... args) {
  return Unexpected(cause.context(fmt::format(format, std::forward<Args>(args)...)));
}
[[nodiscard]] inline Unexpected fail(Error error) { return Unexpected(std::move(error)); }

// `return fail_errno("opening \"{}\"", path);` takes errno at the call. Its code follows errno (ENOENT: not_found, ...).
[[nodiscard]] Error errno_error(int value, std::string step);
template <class... Args>
[[nodiscard]] Unexpected fail_errno(fmt::format_string<Args...> format, Args&&... args) {
  const int saved = errno;
  return Unexpected(errno_error(saved, fmt::format(format, std::forward<Args>(args)...)));
}

// HTTP status for an error: its explicit one, else by code.
[[nodiscard]] int to_http_status(const Error& error);
[[nodiscard]] std::string_view to_string(Code code);

[[noreturn]] void check_failed(const char* expression, const char* file, int line);

}  // namespace drover

// For our own bugs, on in release as well: crash the process, the supervisor restarts it.
#define DROVER_CHECK(x) \
  do { if (!(x)) [[unlikely]] ::drover::check_failed(#x, __FILE__, __LINE__); } while (false)

// Returns the error of `expr`, else goes on: `DROVER_TRY(write_file(...));`
#define DROVER_TRY(expr) \
  do { if (auto drover_try_result = (expr); !drover_try_result) [[unlikely]] return ::drover::Unexpected(std::move(drover_try_result).error()); } while (false)
// The same inside a coroutine whose operand has already been awaited.
#define DROVER_CO_TRY(expr) \
  do { if (auto drover_try_result = (expr); !drover_try_result) [[unlikely]] co_return ::drover::Unexpected(std::move(drover_try_result).error()); } while (false)
