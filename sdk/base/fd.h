// An owned file descriptor. Every descriptor is O_CLOEXEC at birth. Move-only; the destructor closes.
#pragma once

#include <string>
#include <utility>

#include "sdk/base/error.h"

namespace drover {

class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) { reset(); fd_ = std::exchange(other.fd_, -1); }
    return *this;
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() { reset(); }

  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] explicit operator bool() const { return fd_ >= 0; }
  // Gives the descriptor away; the caller closes it.
  [[nodiscard]] int release() { return std::exchange(fd_, -1); }
  void reset();
  // A second descriptor for the same open file, O_CLOEXEC.
  [[nodiscard]] Result<Fd> duplicate() const;

 private:
  int fd_ = -1;
};

// open(2) and openat(2) with O_CLOEXEC added; the error names the path.
[[nodiscard]] Result<Fd> open_file(const std::string& path, int flags, unsigned mode = 0);
[[nodiscard]] Result<Fd> open_file_at(int dir_fd, const std::string& path, int flags, unsigned mode = 0);

struct Pipe {
  Fd read_end;
  Fd write_end;
};
[[nodiscard]] Result<Pipe> make_pipe();

struct SocketPair {
  Fd first;
  Fd second;
};
// AF_UNIX pair of the given type (SOCK_STREAM, SOCK_SEQPACKET).
[[nodiscard]] Result<SocketPair> make_socket_pair(int type);

}  // namespace drover
