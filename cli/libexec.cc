#include "cli/libexec.h"

#include <cstdlib>
#include <filesystem>

namespace drover::cli {

std::string libexec_directory() {
  if (const char* given = std::getenv("DROVER_LIBEXEC"); given != nullptr) return given;
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  return (self.parent_path().parent_path() / "libexec/drover/plugins").string();
}

}  // namespace drover::cli
