#include "sdk/base/error.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace drover {

Error Error::context(std::string_view step) const {
  Error out = *this;
  out.message_ = fmt::format("{}: {}", step, message_);
  return out;
}

namespace {
Code code_of_errno(int value) {
  switch (value) {
    case ENOENT: case ENOTDIR: case ESRCH: return Code::not_found;
    case EACCES: case EPERM: case EROFS: return Code::permission_denied;
    case EEXIST: return Code::already_exists;
    case EINVAL: case ENAMETOOLONG: case ELOOP: return Code::invalid_argument;
    case ENOSPC: case EDQUOT: case EMFILE: case ENFILE: case ENOMEM: return Code::resource_exhausted;
    case ETIMEDOUT: return Code::deadline_exceeded;
    case ECANCELED: return Code::cancelled;
    case ECONNREFUSED: case ECONNRESET: case EPIPE: case EAGAIN: return Code::unavailable;
    case ENOSYS: case EOPNOTSUPP: return Code::unimplemented;
    default: return Code::internal;
  }
}
}  // namespace

Error errno_error(int value, std::string step) {
  char buffer[128];
  const char* text = strerror_r(value, buffer, sizeof buffer);
  std::string what(text);
  if (!what.empty() && what[0] >= 'A' && what[0] <= 'Z') what[0] = static_cast<char>(what[0] - 'A' + 'a');
  return Error(code_of_errno(value), fmt::format("{}: {}", step, what)).with_errno(value);
}

int to_http_status(const Error& error) {
  if (error.http_status() != 0) return error.http_status();
  switch (error.code()) {
    case Code::invalid_argument: return 400;
    case Code::unauthenticated: return 401;
    case Code::permission_denied: return 403;
    case Code::not_found: return 404;
    case Code::already_exists: case Code::conflict: return 409;
    case Code::too_large: return 413;
    case Code::resource_exhausted: return 429;
    case Code::unimplemented: return 501;
    case Code::unavailable: return 503;
    case Code::deadline_exceeded: return 504;
    case Code::internal: case Code::cancelled: case Code::no_leader: return 500;
  }
  return 500;
}

std::string_view to_string(Code code) {
  switch (code) {
    case Code::internal: return "internal";
    case Code::invalid_argument: return "invalid argument";
    case Code::not_found: return "not found";
    case Code::already_exists: return "already exists";
    case Code::permission_denied: return "permission denied";
    case Code::unauthenticated: return "unauthenticated";
    case Code::conflict: return "conflict";
    case Code::unavailable: return "unavailable";
    case Code::deadline_exceeded: return "deadline exceeded";
    case Code::cancelled: return "cancelled";
    case Code::unimplemented: return "unimplemented";
    case Code::resource_exhausted: return "resource exhausted";
    case Code::too_large: return "too large";
    case Code::no_leader: return "no leader";
  }
  return "unknown";
}

void check_failed(const char* expression, const char* file, int line) {
  std::fprintf(stderr, "drover: internal error: %s does not hold at %s:%d\n", expression, file, line);
  std::abort();
}

}  // namespace drover
