#include "sdk/base/fail_point.h"

#include <unistd.h>

#include <charconv>
#include <csignal>
#include <cstdlib>

#include "sdk/base/file.h"
#include "sdk/base/text.h"

namespace drover {
namespace {

// Read once: the point stands on paths where a look at the environment would be too much.
const std::string& directory() {
  static const std::string out = [] {
    const char* value = std::getenv("DROVER_FAIL_POINTS");
    return std::string(value != nullptr ? value : "");
  }();
  return out;
}

}  // namespace

std::optional<std::string> take_fail_point(std::string_view name) {
  if (directory().empty()) return std::nullopt;
  const std::string path = directory() + "/" + std::string(name);
  auto victims = read_file(path, 4096);
  // Of several that pass at the same time, the one that removed the file is hit.
  if (!victims || ::unlink(path.c_str()) != 0) return std::nullopt;
  return std::move(*victims);
}

void fail_point(std::string_view name) {
  const auto victims = take_fail_point(name);
  if (!victims) return;
  if (trim(*victims).empty()) ::kill(::getpid(), SIGKILL);
  for (const auto& word : split(*victims, ' ')) {
    const std::string_view text = trim(word);
    pid_t pid = 0;
    if (text == "self") pid = ::getpid();
    else std::from_chars(text.data(), text.data() + text.size(), pid);
    if (pid > 1) ::kill(pid, SIGKILL);
  }
}

}  // namespace drover
