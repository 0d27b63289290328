#include "plugins/shared/seccomp.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstddef>

#include "plugins/shared/seccomp_filter.h"
#include "sdk/base/file.h"

namespace drover {
namespace {

constexpr std::size_t max_profile_bytes = 1u << 20;
constexpr std::size_t max_cached = 64;

// A call is refused with EPERM unless the task has the capability that the kernel wants for it anyway; -1: always.
struct Guarded {
  const char* name;
  int capability;
};
constexpr std::array guarded{
    Guarded{"mount", CAP_SYS_ADMIN}, Guarded{"umount2", CAP_SYS_ADMIN}, Guarded{"pivot_root", CAP_SYS_ADMIN},
    Guarded{"move_mount", CAP_SYS_ADMIN}, Guarded{"open_tree", CAP_SYS_ADMIN}, Guarded{"fsopen", CAP_SYS_ADMIN},
    Guarded{"fsconfig", CAP_SYS_ADMIN}, Guarded{"fsmount", CAP_SYS_ADMIN}, Guarded{"fspick", CAP_SYS_ADMIN},
    Guarded{"mount_setattr", CAP_SYS_ADMIN}, Guarded{"setns", CAP_SYS_ADMIN}, Guarded{"quotactl", CAP_SYS_ADMIN},
    Guarded{"quotactl_fd", CAP_SYS_ADMIN}, Guarded{"swapon", CAP_SYS_ADMIN}, Guarded{"swapoff", CAP_SYS_ADMIN},
    Guarded{"sethostname", CAP_SYS_ADMIN}, Guarded{"setdomainname", CAP_SYS_ADMIN}, Guarded{"lookup_dcookie", CAP_SYS_ADMIN},
    Guarded{"fanotify_init", CAP_SYS_ADMIN}, Guarded{"bpf", CAP_BPF}, Guarded{"perf_event_open", CAP_PERFMON},
    Guarded{"init_module", CAP_SYS_MODULE}, Guarded{"finit_module", CAP_SYS_MODULE}, Guarded{"delete_module", CAP_SYS_MODULE},
    Guarded{"create_module", CAP_SYS_MODULE}, Guarded{"get_kernel_syms", CAP_SYS_MODULE}, Guarded{"query_module", CAP_SYS_MODULE},
    Guarded{"kexec_load", CAP_SYS_BOOT}, Guarded{"kexec_file_load", CAP_SYS_BOOT}, Guarded{"reboot", CAP_SYS_BOOT},
    Guarded{"clock_settime", CAP_SYS_TIME}, Guarded{"settimeofday", CAP_SYS_TIME}, Guarded{"clock_adjtime", CAP_SYS_TIME},
    Guarded{"acct", CAP_SYS_PACCT}, Guarded{"open_by_handle_at", CAP_DAC_READ_SEARCH}, Guarded{"iopl", CAP_SYS_RAWIO},
    Guarded{"ioperm", CAP_SYS_RAWIO}, Guarded{"syslog", CAP_SYSLOG}, Guarded{"vhangup", CAP_SYS_TTY_CONFIG},
    Guarded{"process_vm_readv", CAP_SYS_PTRACE}, Guarded{"process_vm_writev", CAP_SYS_PTRACE}, Guarded{"kcmp", CAP_SYS_PTRACE},
    Guarded{"move_pages", CAP_SYS_NICE}, Guarded{"userfaultfd", CAP_SYS_PTRACE}, Guarded{"keyctl", -1}, Guarded{"add_key", -1},
    Guarded{"request_key", -1}, Guarded{"io_uring_setup", -1}, Guarded{"io_uring_enter", -1}, Guarded{"io_uring_register", -1},
    Guarded{"nfsservctl", -1}, Guarded{"modify_ldt", -1}, Guarded{"_sysctl", -1}, Guarded{"uselib", -1}, Guarded{"ustat", -1},
    Guarded{"sysfs", -1}};

constexpr std::uint64_t new_namespaces[] = {CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET,
                                            CLONE_NEWCGROUP, CLONE_NEWTIME};

// Only the capabilities that decide something, so that tasks with others share a program.
CapabilityMask deciding_capabilities() {
  CapabilityMask out = 0;
  for (const auto& call : guarded) out |= call.capability < 0 ? 0 : CapabilityMask{1} << call.capability;
  return out;
}

// Calls with a higher number than any the library knows are newer than this build: programs are told that they do not exist,
// before anything else is looked at. Foreign architectures go on to the rule that ends them.
std::string with_unknown_refused(std::string program) {
  const auto limit = static_cast<std::uint32_t>(known_syscall_limit());
  const sock_filter prefix[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch)),
                                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 0, 4),
                                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
                                BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 2, 0),  // the x32 numbers
                                BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, limit, 0, 1),
                                BPF_STMT(BPF_RET | BPF_K, SCMP_ACT_ERRNO(ENOSYS))};
  return std::string(reinterpret_cast<const char*>(prefix), sizeof prefix) + program;
}

// What its last part is matters: it may not be a link or a FIFO that never answers.
Result<std::string> read_profile(const std::string& path) {
  if (!path.starts_with('/')) {
    return fail(Code::invalid_argument, "seccomp profile \"{}\" is neither \"default\" nor \"unconfined\" nor an absolute path", path);
  }
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) return fail_errno("opening seccomp profile \"{}\"", path);
  struct stat info {};
  if (::fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode)) return fail(Code::invalid_argument, "seccomp profile \"{}\" is not a regular file", path);
  if (info.st_size == 0) return fail(Code::invalid_argument, "seccomp profile \"{}\" is empty", path);
  if (static_cast<std::size_t>(info.st_size) > max_profile_bytes) {
    return fail(Code::too_large, "seccomp profile \"{}\" has {} bytes, more than {}", path, info.st_size, max_profile_bytes);
  }
  std::string out(static_cast<std::size_t>(info.st_size), '\0');
  const ssize_t size = ::pread(file.get(), out.data(), out.size(), 0);
  if (size < 0) return fail_errno("reading seccomp profile \"{}\"", path);
  out.resize(static_cast<std::size_t>(size));
  return out;
}

}  // namespace

Result<std::string> compile_default_profile(CapabilityMask capabilities, bool is_pid_private) {
  SeccompFilter filter(SCMP_ACT_ALLOW);
  if (!filter.ready()) return fail(Code::internal, "libseccomp refuses to make a filter");
  const std::uint32_t refuse = SCMP_ACT_ERRNO(EPERM);
  const bool is_admin = has_capability(capabilities, CAP_SYS_ADMIN);
  for (const auto& call : guarded) {
    // The finer capabilities of today were all part of SYS_ADMIN.
    const bool split_off = call.capability == CAP_BPF || call.capability == CAP_PERFMON || call.capability == CAP_SYSLOG;
    if (call.capability >= 0 && (has_capability(capabilities, call.capability) || (split_off && is_admin))) continue;
    DROVER_TRY(filter.add(refuse, call.name, {}, true));
  }
  if (!is_pid_private && !has_capability(capabilities, CAP_SYS_PTRACE)) DROVER_TRY(filter.add(refuse, "ptrace", {}));
  // input of terminals of others; matched in the low 32 bits, which is what the kernel reads.
  for (const std::uint64_t request : {std::uint64_t{TIOCSTI}, std::uint64_t{TIOCLINUX}}) {
    DROVER_TRY(filter.add(refuse, "ioctl", {SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffffu, request)}));
  }
  if (!is_admin) {
    // clone3 hides its flags from a filter; without it programs fall back to clone, whose flags are looked at.
    DROVER_TRY(filter.add(SCMP_ACT_ERRNO(ENOSYS), "clone3", {}));
    for (const std::uint64_t kind : new_namespaces) {
      DROVER_TRY(filter.add(refuse, "unshare", {SCMP_A0(SCMP_CMP_MASKED_EQ, kind, kind)}));
      // Of clone the low byte is the signal of its end, so this bit is another there.
      if (kind != CLONE_NEWTIME) DROVER_TRY(filter.add(refuse, "clone", {SCMP_A0(SCMP_CMP_MASKED_EQ, kind, kind)}));
    }
  }
  auto program = filter.program();
  if (!program) return program;
  return with_unknown_refused(std::move(*program));
}

Result<std::string> SeccompCache::compile(const SeccompRequest& request) {
  if (request.profile.empty() || request.profile == "unconfined") return std::string();
  const bool is_default = request.profile == "default";
  std::string content = "default";
  if (!is_default) {
    auto text = read_profile(request.profile);
    if (!text) return text;
    content = std::move(*text);
  }
  const CapabilityMask deciding = is_default ? request.capabilities & deciding_capabilities() : request.capabilities;
  const std::string key = fmt::format("{:x}/{}/{}", deciding, is_default && request.is_pid_private, content);
  if (const auto at = programs_.find(key); at != programs_.end()) return at->second;
  auto program = is_default ? compile_default_profile(request.capabilities, request.is_pid_private) : compile_oci_profile(content, request.capabilities);
  if (!program) return fail(program.error(), "seccomp profile \"{}\"", request.profile);
  if (programs_.size() >= max_cached) programs_.clear();
  programs_.emplace(key, *program);
  return program;
}

}  // namespace drover
