#include "agent/pluginhost/leftovers.h"

#include <cstdlib>
#include <filesystem>

namespace drover::pluginhost {
namespace fs = std::filesystem;

std::vector<Process> find_leftovers(const std::string& executable, const std::string& directory) {
  std::vector<Process> out;
  std::error_code error;
  const fs::path own_stderr = fs::canonical(fs::path(directory) / "stderr", error);
  if (error) return out;
  const fs::path program = fs::canonical(executable, error);
  // Program and file may have been replaced since; the process is still the plugin.
  const auto leads_to = [&](const fs::path& link, const fs::path& file) {
    const std::string target = fs::read_symlink(link, error);
    return !error && (target == file || target == file.string() + " (deleted)");
  };
  for (const auto& entry : fs::directory_iterator("/proc", error)) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    // Held before it is looked at, so that the number cannot become another process's in between (N-031).
    auto process = Process::open(std::atoi(name.c_str()));
    if (process && leads_to(entry.path() / "exe", program) && leads_to(entry.path() / "fd/2", own_stderr)) out.push_back(std::move(*process));
  }
  return out;
}

}  // namespace drover::pluginhost
