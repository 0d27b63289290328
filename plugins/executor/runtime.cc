// What the executor needs of a C library, which is little: system calls, and a few functions on bytes. A C library's own start takes four
// times as long as all the rest of an exec here: it asks the processor what it can, some thirty times, and under a hypervisor each
// answer is a trap. The declarations are the library's, so the compiler holds the two together.
//
// One thread, no heap, no thread-local storage, no locale, no destructors at exit. Structures go to the kernel as they are, which fits on
// x86-64; elsewhere the executor is linked with the library (meson.build).
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstddef>
#include <type_traits>

static_assert(sizeof(void*) == 8 && sizeof(long) == 8);

extern "C" int main();

namespace {

int last_error = 0;

long raw(long number, long a, long b, long c, long d, long e, long f) {
  long out;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  __asm__ volatile("syscall" : "=a"(out) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
  return out;
}

template <class T>
long word(T* pointer) { return reinterpret_cast<long>(pointer); }
template <class T>
  requires std::is_integral_v<T> || std::is_enum_v<T>
long word(T number) { return static_cast<long>(number); }
long word(std::nullptr_t) { return 0; }

template <class... Words>
long call(long number, Words... words) {
  long all[6] = {word(words)...};
  const long out = raw(number, all[0], all[1], all[2], all[3], all[4], all[5]);
  if (out >= 0 || out < -4095) return out;
  last_error = static_cast<int>(-out);
  return -1;
}
template <class... Words>
int number_of(long number, Words... words) { return static_cast<int>(call(number, words...)); }

constexpr std::size_t kernel_signals = 8;  // bytes of a signal set; the library's has more

}  // namespace

// Whatever the library promises about exceptions and about attributes of its declarations is taken over with them.
extern "C" {

int* __errno_location() noexcept { return &last_error; }
void* __dso_handle = nullptr;
int __cxa_atexit(void (*)(void*), void*, void*) { return 0; }

void _exit(int code) {
  for (;;) raw(SYS_exit_group, code, 0, 0, 0, 0, 0);
}

[[noreturn, gnu::used]] void drover_executor_start() { _exit(main()); }
__asm__(".globl _start\n.type _start,@function\n_start:\n  xor %ebp, %ebp\n  and $-16, %rsp\n  call drover_executor_start\n");

// Bytes

void* memcpy(void* to, const void* from, std::size_t size) noexcept {
  void* at = to;
  __asm__ volatile("rep movsb" : "+D"(at), "+S"(from), "+c"(size) : : "memory");
  return to;
}
void* memmove(void* to, const void* from, std::size_t size) noexcept {
  auto* out = static_cast<char*>(to);
  const auto* in = static_cast<const char*>(from);
  if (out <= in || out >= in + size) return memcpy(to, from, size);
  while (size-- > 0) out[size] = in[size];
  return to;
}
void* memset(void* to, int byte, std::size_t size) noexcept {
  void* at = to;
  __asm__ volatile("rep stosb" : "+D"(at), "+c"(size) : "a"(byte) : "memory");
  return to;
}
int memcmp(const void* a, const void* b, std::size_t size) noexcept {
  const auto* left = static_cast<const unsigned char*>(a);
  const auto* right = static_cast<const unsigned char*>(b);
  for (std::size_t i = 0; i < size; ++i) {
    if (left[i] != right[i]) return left[i] - right[i];
  }
  return 0;
}
int bcmp(const void* a, const void* b, std::size_t size) noexcept { return memcmp(a, b, size); }
std::size_t strlen(const char* text) noexcept {
  std::size_t out = 0;
  while (text[out] != '\0') ++out;
  return out;
}
int strncmp(const char* a, const char* b, std::size_t size) noexcept {
  for (std::size_t i = 0; i < size; ++i) {
    if (a[i] != b[i]) return static_cast<unsigned char>(a[i]) - static_cast<unsigned char>(b[i]);
    if (a[i] == '\0') break;
  }
  return 0;
}
int strcmp(const char* a, const char* b) noexcept { return strncmp(a, b, static_cast<std::size_t>(-1)); }
char* strncpy(char* to, const char* from, std::size_t size) noexcept {
  std::size_t i = 0;
  for (; i < size && from[i] != '\0'; ++i) to[i] = from[i];
  for (; i < size; ++i) to[i] = '\0';
  return to;
}
char* strcpy(char* to, const char* from) noexcept {
  memcpy(to, from, strlen(from) + 1);
  return to;
}

// Of these the library declares one for constant texts and one for others.
const void* find_byte(const void* data, int byte, std::size_t size) noexcept __asm__("memchr");
const void* find_byte(const void* data, int byte, std::size_t size) noexcept {
  const auto* at = static_cast<const unsigned char*>(data);
  for (std::size_t i = 0; i < size; ++i) {
    if (at[i] == static_cast<unsigned char>(byte)) return at + i;
  }
  return nullptr;
}
const char* find_first(const char* text, int byte) noexcept __asm__("strchr");
const char* find_first(const char* text, int byte) noexcept { return static_cast<const char*>(find_byte(text, byte, strlen(text) + 1)); }
const char* find_last(const char* text, int byte) noexcept __asm__("strrchr");
const char* find_last(const char* text, int byte) noexcept {
  for (std::size_t i = strlen(text) + 1; i-- > 0;) {
    if (text[i] == static_cast<char>(byte)) return text + i;
  }
  return nullptr;
}

// Descriptors and files

int open(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const auto mode = va_arg(rest, unsigned);
  va_end(rest);
  return number_of(SYS_openat, AT_FDCWD, path, flags, mode);
}
int openat(int directory, const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const auto mode = va_arg(rest, unsigned);
  va_end(rest);
  return number_of(SYS_openat, directory, path, flags, mode);
}
int fcntl(int fd, int command, ...) {
  va_list rest;
  va_start(rest, command);
  const long argument = va_arg(rest, long);
  va_end(rest);
  return number_of(SYS_fcntl, fd, command, argument);
}
int ioctl(int fd, unsigned long request, ...) noexcept {
  va_list rest;
  va_start(rest, request);
  const long argument = va_arg(rest, long);
  va_end(rest);
  return number_of(SYS_ioctl, fd, request, argument);
}
int close(int fd) { return number_of(SYS_close, fd); }
ssize_t read(int fd, void* data, std::size_t size) { return call(SYS_read, fd, data, size); }
ssize_t write(int fd, const void* data, std::size_t size) { return call(SYS_write, fd, data, size); }
ssize_t pread(int fd, void* data, std::size_t size, off_t at) { return call(SYS_pread64, fd, data, size, at); }
ssize_t pwrite(int fd, const void* data, std::size_t size, off_t at) { return call(SYS_pwrite64, fd, data, size, at); }
ssize_t splice(int in, off_t* in_at, int out, off_t* out_at, std::size_t size, unsigned flags) { return call(SYS_splice, in, in_at, out, out_at, size, flags); }
ssize_t getdents64(int fd, void* data, std::size_t size) noexcept { return call(SYS_getdents64, fd, data, size); }
int fdatasync(int fd) { return number_of(SYS_fdatasync, fd); }
int fstat(int fd, struct stat* out) noexcept { return number_of(SYS_fstat, fd, out); }
int stat(const char* path, struct stat* out) noexcept { return number_of(SYS_stat, path, out); }
int fstatat(int directory, const char* path, struct stat* out, int flags) noexcept { return number_of(SYS_newfstatat, directory, path, out, flags); }
int fstatfs(int fd, struct statfs* out) noexcept { return number_of(SYS_fstatfs, fd, out); }
int fchmod(int fd, mode_t mode) noexcept { return number_of(SYS_fchmod, fd, mode); }
int fchown(int fd, uid_t user, gid_t group) noexcept { return number_of(SYS_fchown, fd, user, group); }
int mkdirat(int directory, const char* path, mode_t mode) noexcept { return number_of(SYS_mkdirat, directory, path, mode); }
int mknodat(int directory, const char* path, mode_t mode, dev_t device) noexcept { return number_of(SYS_mknodat, directory, path, mode, device); }
int symlinkat(const char* text, int directory, const char* path) noexcept { return number_of(SYS_symlinkat, text, directory, path); }
int unlinkat(int directory, const char* path, int flags) noexcept { return number_of(SYS_unlinkat, directory, path, flags); }
int chdir(const char* path) noexcept { return number_of(SYS_chdir, path); }
int fchdir(int fd) noexcept { return number_of(SYS_fchdir, fd); }
int chroot(const char* path) noexcept { return number_of(SYS_chroot, path); }
mode_t umask(mode_t mode) noexcept { return static_cast<mode_t>(call(SYS_umask, mode)); }
int dup2(int from, int to) noexcept { return number_of(SYS_dup2, from, to); }
int pipe2(int* ends, int flags) noexcept { return number_of(SYS_pipe2, ends, flags); }
int poll(pollfd* fds, nfds_t count, int timeout) { return number_of(SYS_poll, fds, count, timeout); }
int epoll_create1(int flags) noexcept { return number_of(SYS_epoll_create1, flags); }
int epoll_ctl(int set, int operation, int fd, epoll_event* event) noexcept { return number_of(SYS_epoll_ctl, set, operation, fd, event); }
int epoll_pwait2(int set, epoll_event* events, int count, const timespec* timeout, const sigset_t* mask) {
  return number_of(SYS_epoll_pwait2, set, events, count, timeout, mask, kernel_signals);
}
int timerfd_create(int clock, int flags) noexcept { return number_of(SYS_timerfd_create, clock, flags); }
int timerfd_settime(int fd, int flags, const itimerspec* value, itimerspec* old) noexcept { return number_of(SYS_timerfd_settime, fd, flags, value, old); }

// Sockets

int socket(int domain, int type, int protocol) noexcept { return number_of(SYS_socket, domain, type, protocol); }
int socketpair(int domain, int type, int protocol, int* ends) noexcept { return number_of(SYS_socketpair, domain, type, protocol, ends); }
int bind(int fd, const sockaddr* address, socklen_t size) noexcept { return number_of(SYS_bind, fd, address, size); }
int listen(int fd, int backlog) noexcept { return number_of(SYS_listen, fd, backlog); }
int accept4(int fd, sockaddr* address, socklen_t* size, int flags) { return number_of(SYS_accept4, fd, address, size, flags); }
int getsockopt(int fd, int level, int name, void* value, socklen_t* size) noexcept { return number_of(SYS_getsockopt, fd, level, name, value, size); }
ssize_t sendmsg(int fd, const msghdr* message, int flags) { return call(SYS_sendmsg, fd, message, flags); }
ssize_t recvmsg(int fd, msghdr* message, int flags) { return call(SYS_recvmsg, fd, message, flags); }
ssize_t send(int fd, const void* data, std::size_t size, int flags) { return call(SYS_sendto, fd, data, size, flags, nullptr, 0); }
ssize_t recv(int fd, void* data, std::size_t size, int flags) { return call(SYS_recvfrom, fd, data, size, flags, nullptr, nullptr); }
cmsghdr* __cmsg_nxthdr(msghdr* message, cmsghdr* at) noexcept {
  auto* next = reinterpret_cast<char*>(at) + CMSG_ALIGN(at->cmsg_len);
  const char* end = static_cast<char*>(message->msg_control) + message->msg_controllen;
  return at->cmsg_len < sizeof *at || next + sizeof *at > end ? nullptr : reinterpret_cast<cmsghdr*>(next);
}

// Processes and signals

pid_t getpid() noexcept { return number_of(SYS_getpid); }
uid_t geteuid() noexcept { return static_cast<uid_t>(call(SYS_geteuid)); }
pid_t setsid() noexcept { return number_of(SYS_setsid); }
int kill(pid_t pid, int number) noexcept { return number_of(SYS_kill, pid, number); }
int execve(const char* path, char* const* arguments, char* const* environment) noexcept { return number_of(SYS_execve, path, arguments, environment); }
pid_t waitpid(pid_t pid, int* status, int options) { return number_of(SYS_wait4, pid, status, options, nullptr); }
int waitid(idtype_t kind, id_t id, siginfo_t* info, int options) { return number_of(SYS_waitid, kind, id, info, options, nullptr); }
int setpriority(__priority_which_t which, id_t who, int value) noexcept { return number_of(SYS_setpriority, which, who, value); }
int sched_setscheduler(pid_t pid, int policy, const sched_param* parameters) noexcept { return number_of(SYS_sched_setscheduler, pid, policy, parameters); }
int personality(unsigned long kind) noexcept { return number_of(SYS_personality, kind); }
int prctl(int option, ...) noexcept {
  va_list rest;
  va_start(rest, option);
  long words[4];
  for (long& one : words) one = va_arg(rest, long);
  va_end(rest);
  return number_of(SYS_prctl, option, words[0], words[1], words[2], words[3]);
}
int sigemptyset(sigset_t* set) noexcept { memset(set, 0, sizeof *set); return 0; }
int sigfillset(sigset_t* set) noexcept { memset(set, 0xff, sizeof *set); return 0; }
int sigaddset(sigset_t* set, int number) noexcept {
  set->__val[0] |= 1UL << (number - 1);
  return 0;
}
int sigprocmask(int how, const sigset_t* set, sigset_t* old) noexcept { return number_of(SYS_rt_sigprocmask, how, set, old, kernel_signals); }
int sigwaitinfo(const sigset_t* set, siginfo_t* info) { return number_of(SYS_rt_sigtimedwait, set, info, nullptr, kernel_signals); }
int signalfd(int fd, const sigset_t* mask, int flags) noexcept { return number_of(SYS_signalfd4, fd, mask, kernel_signals, flags); }

// Mounts, namespaces, memory, time

int mount(const char* source, const char* target, const char* type, unsigned long flags, const void* data) noexcept { return number_of(SYS_mount, source, target, type, flags, data); }
int umount2(const char* target, int flags) noexcept { return number_of(SYS_umount2, target, flags); }
int open_tree(int directory, const char* path, unsigned flags) noexcept { return number_of(SYS_open_tree, directory, path, flags); }
int move_mount(int from, const char* from_path, int to, const char* to_path, unsigned flags) noexcept { return number_of(SYS_move_mount, from, from_path, to, to_path, flags); }
int mount_setattr(int directory, const char* path, unsigned flags, mount_attr* attributes, std::size_t size) noexcept {
  return number_of(SYS_mount_setattr, directory, path, flags, attributes, size);
}
int fsopen(const char* type, unsigned flags) noexcept { return number_of(SYS_fsopen, type, flags); }
int fsconfig(int fd, unsigned command, const char* key, const void* value, int extra) noexcept { return number_of(SYS_fsconfig, fd, command, key, value, extra); }
int fsmount(int fd, unsigned flags, unsigned attributes) noexcept { return number_of(SYS_fsmount, fd, flags, attributes); }
int unshare(int flags) noexcept { return number_of(SYS_unshare, flags); }
int setns(int fd, int kind) noexcept { return number_of(SYS_setns, fd, kind); }
int sethostname(const char* name, std::size_t size) noexcept { return number_of(SYS_sethostname, name, size); }
void* mmap(void* at, std::size_t size, int protection, int flags, int fd, off_t offset) noexcept {
  return reinterpret_cast<void*>(call(SYS_mmap, at, size, protection, flags, fd, offset));
}
int munmap(void* at, std::size_t size) noexcept { return number_of(SYS_munmap, at, size); }
int madvise(void* at, std::size_t size, int advice) noexcept { return number_of(SYS_madvise, at, size, advice); }
int clock_gettime(clockid_t clock, timespec* out) noexcept { return number_of(SYS_clock_gettime, clock, out); }

long syscall(long number, ...) noexcept {
  va_list rest;
  va_start(rest, number);
  long words[6];
  for (long& one : words) one = va_arg(rest, long);
  va_end(rest);
  return call(number, words[0], words[1], words[2], words[3], words[4], words[5]);
}

}  // extern "C"
