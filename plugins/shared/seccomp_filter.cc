#include "plugins/shared/seccomp_filter.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "sdk/base/fd.h"
#include "sdk/base/text.h"

namespace drover {

Result<> SeccompFilter::add(std::uint32_t action, const std::string& call, const std::vector<scmp_arg_cmp>& arguments, bool lenient) {
  const int number = ::seccomp_syscall_resolve_name(call.c_str());
  if (number == __NR_SCMP_ERROR) {
    // Profiles are written for many kernels; a call that does not exist cannot be made.
    if (lenient) return {};
    return fail(Code::invalid_argument, "unknown system call \"{}\"", call);
  }
  const int error = ::seccomp_rule_add_array(context_, action, number, static_cast<unsigned>(arguments.size()), arguments.data());
  // EACCES: the rule's action is the default one. EDOM, EFAULT: not a call of this architecture.
  if (error == 0 || error == -EACCES || error == -EDOM || error == -EFAULT) return {};
  return fail(errno_error(-error, fmt::format("rule for system call \"{}\"", call)));
}

Result<> SeccompFilter::add_architecture(const std::string& oci_name) {
  constexpr std::string_view prefix = "SCMP_ARCH_";
  if (!oci_name.starts_with(prefix)) return fail(Code::invalid_argument, "unknown architecture \"{}\"", oci_name);
  const auto token = ::seccomp_arch_resolve_name(to_lower(std::string_view(oci_name).substr(prefix.size())).c_str());
  if (token == 0) return fail(Code::invalid_argument, "unknown architecture \"{}\"", oci_name);
  const int error = ::seccomp_arch_add(context_, token);
  // EEXIST: there already. EDOM: of another byte order than this machine's, so nothing can use it.
  if (error == 0 || error == -EEXIST || error == -EDOM) return {};
  return fail(errno_error(-error, fmt::format("architecture \"{}\"", oci_name)));
}

Result<std::string> SeccompFilter::program() const {
  // A tree of comparisons instead of one after the other; what an old library cannot do stays a list.
  ::seccomp_attr_set(context_, SCMP_FLTATR_CTL_OPTIMIZE, 2);
  const Fd memory(::memfd_create("drover-seccomp", MFD_CLOEXEC));
  if (!memory) return fail_errno("making a memory file");
  if (const int error = ::seccomp_export_bpf(context_, memory.get()); error != 0) return fail(errno_error(-error, "compiling"));
  struct stat info {};
  if (::fstat(memory.get(), &info) != 0) return fail_errno("compiling");
  std::string out(static_cast<std::size_t>(info.st_size), '\0');
  if (::pread(memory.get(), out.data(), out.size(), 0) != info.st_size) return fail_errno("compiling");
  return out;
}

int known_syscall_limit() {
  static const int limit = [] {
    int last = 0;
    for (int number = 0; number < 2048; ++number) {
      char* name = ::seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, number);
      if (name != nullptr) last = number;
      std::free(name);
    }
    return last + 1;
  }();
  return limit;
}

}  // namespace drover
