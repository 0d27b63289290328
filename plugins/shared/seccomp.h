// Seccomp profiles of tasks, compiled to BPF by libseccomp on the driver's side; the executor installs what it is given.
//
// A profile is `unconfined`, `default` (R-044; it allows more when the task's capabilities do), or an absolute path of a file in
// the OCI format. A profile that is named but missing, empty or not understood is an error, never "unconfined".
#pragma once

#include <map>
#include <string>

#include "plugins/shared/capabilities.h"

namespace drover {

struct SeccompRequest {
  std::string profile;               // "default", "unconfined" or a path; empty is "unconfined"
  CapabilityMask capabilities = 0;   // of the task
  bool is_pid_private = true;        // else ptrace could reach other tasks
};

// Compiled programs of this process; a profile is compiled once for each set of capabilities that matters to it, and again when
// its file has changed.
class SeccompCache {
 public:
  // BPF instructions; empty for "unconfined".
  [[nodiscard]] Result<std::string> compile(const SeccompRequest& request);

 private:
  std::map<std::string, std::string> programs_;  // by content of the profile and what else it depends on
};

// The two compilers, without the cache.
[[nodiscard]] Result<std::string> compile_default_profile(CapabilityMask capabilities, bool is_pid_private);
[[nodiscard]] Result<std::string> compile_oci_profile(const std::string& json, CapabilityMask capabilities);

}  // namespace drover
