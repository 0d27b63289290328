// A file that the kernel makes anew at each reading, such as those of /proc and of cgroups, kept open: reading it again costs a third of
// opening, reading and closing it. Blocking, quick.
#pragma once

#include <optional>
#include <string>

#include "sdk/base/fd.h"

namespace drover {

class KeptFile {
 public:
  explicit KeptFile(std::string path) : path_(std::move(path)) {}
  // All of it as it is now; empty when it is not there. A file of a process that has ended is opened again, in case that another one
  // has the number now.
  [[nodiscard]] std::optional<std::string> read();

 private:
  std::string path_;
  Fd fd_;
};

}  // namespace drover
