// System calls that glibc has no wrapper for, an owned descriptor and a failure value: what every stage uses. No heap, no
// exceptions; safe after clone.
#pragma once

#include <linux/openat2.h>
#include <linux/sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <utility>

namespace drover::executor {

// A failed step: errno and what it was about (borrowed; outlives the report). Converts to true when something failed.
struct [[nodiscard]] Failure {
  int error = 0;
  const char* detail = "";
  explicit operator bool() const { return error != 0; }
};
inline Failure failed(const char* detail) { return {errno != 0 ? errno : EINVAL, detail}; }

class Handle {
 public:
  Handle() = default;
  explicit Handle(int fd) : fd_(fd) {}
  Handle(Handle&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Handle& operator=(Handle&& other) noexcept {
    if (this != &other) { reset(); fd_ = std::exchange(other.fd_, -1); }
    return *this;
  }
  ~Handle() { reset(); }
  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] explicit operator bool() const { return fd_ >= 0; }
  [[nodiscard]] int release() { return std::exchange(fd_, -1); }
  void reset() { if (fd_ >= 0) ::close(std::exchange(fd_, -1)); }

 private:
  int fd_ = -1;
};

inline long clone3(clone_args& args) { return ::syscall(SYS_clone3, &args, sizeof args); }
inline int open_beneath(int directory, const char* path, std::uint64_t flags, std::uint64_t mode, std::uint64_t resolve) {
  open_how how{flags | 02000000 /* O_CLOEXEC */, mode, resolve};
  return static_cast<int>(::syscall(SYS_openat2, directory, path, &how, sizeof how));
}
inline int pivot_root(const char* new_root, const char* put_old) {
  return static_cast<int>(::syscall(SYS_pivot_root, new_root, put_old));
}
inline int send_signal(int pidfd, int number) {
  return static_cast<int>(::syscall(SYS_pidfd_send_signal, pidfd, number, nullptr, 0));
}
inline int close_from(unsigned first, unsigned flags) {
  return static_cast<int>(::syscall(SYS_close_range, first, ~0U, flags));
}
// Async-signal-safe set*id: glibc's would look for other threads, of which there are none.
inline int set_groups(std::size_t count, const gid_t* list) { return static_cast<int>(::syscall(SYS_setgroups, count, list)); }
inline int set_gid(gid_t id) { return static_cast<int>(::syscall(SYS_setresgid, id, id, id)); }
inline int set_uid(uid_t id) { return static_cast<int>(::syscall(SYS_setresuid, id, id, id)); }

}  // namespace drover::executor
