#include "cli/agent/environment.h"

#include <unistd.h>

#include <filesystem>

#include "sdk/base/text.h"

extern char** environ;

namespace drover::cli {

std::map<std::string, std::string> whole_environment() {
  std::map<std::string, std::string> out;
  for (char** at = environ; *at != nullptr; ++at) {
    const auto [key, value] = split_once(*at, '=');
    out.emplace(key, value);
  }
  return out;
}

std::string find_libexec(const std::map<std::string, std::string>& environment) {
  if (const auto at = environment.find("DROVER_LIBEXEC"); at != environment.end()) return at->second;
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  return (self.parent_path().parent_path() / "libexec/drover/plugins").string();
}

}  // namespace drover::cli
