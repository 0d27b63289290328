// libseccomp in our terms: a filter under construction for this machine's architecture, and its BPF program.
#pragma once

#include <seccomp.h>

#include <string>
#include <vector>

#include "sdk/base/error.h"

namespace drover {

class SeccompFilter {
 public:
  explicit SeccompFilter(std::uint32_t default_action) : context_(::seccomp_init(default_action)) {}
  SeccompFilter(const SeccompFilter&) = delete;
  SeccompFilter& operator=(const SeccompFilter&) = delete;
  ~SeccompFilter() { if (context_ != nullptr) ::seccomp_release(context_); }

  [[nodiscard]] bool ready() const { return context_ != nullptr; }
  // An action that is the default needs no rule; a call the library does not know is skipped when `lenient`.
  [[nodiscard]] Result<> add(std::uint32_t action, const std::string& call, const std::vector<scmp_arg_cmp>& arguments, bool lenient = false);
  // "SCMP_ARCH_X86" and its like, beside the machine's own.
  [[nodiscard]] Result<> add_architecture(const std::string& oci_name);
  [[nodiscard]] Result<std::string> program() const;

 private:
  scmp_filter_ctx context_;
};

// One above the highest number of a call that the library knows here.
[[nodiscard]] int known_syscall_limit();

}  // namespace drover
