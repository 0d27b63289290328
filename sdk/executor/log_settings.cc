#include "sdk/executor/log_settings.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "sdk/base/file.h"

namespace drover {
namespace {

bool is_regular_target(const std::string& path) {
  struct stat info {};
  return path.empty() || ::stat(path.c_str(), &info) != 0 || S_ISREG(info.st_mode);
}

// N-002: it lies where tasks can write. A link is not followed and a FIFO does not keep us waiting; both are refused.
Result<std::string> read_plain_file(const std::string& path, std::size_t limit) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!file) return fail_errno("opening \"{}\"", path);
  struct stat info {};
  if (::fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode)) return fail(Code::invalid_argument, "log settings \"{}\" are not a regular file", path);
  std::string out(limit, '\0');
  const ssize_t size = ::pread(file.get(), out.data(), out.size(), 0);
  if (size < 0) return fail_errno("reading \"{}\"", path);
  out.resize(static_cast<std::size_t>(size));
  return out;
}

}  // namespace

Result<> apply_log_settings(LaunchSpec& spec, const std::string& alloc_dir, const std::string& task_name, const std::string& stdout_path,
                            const std::string& stderr_path) {
  spec.log_directory = alloc_dir + "/alloc/logs";
  const std::string path = fmt::format("{}/.{}.logs.json", spec.log_directory, task_name);
  const auto text = read_plain_file(path, 65536);
  if (!text && text.error().code() != Code::not_found) return fail(text.error());
  bool rotated = true;
  if (text) {
    const auto settings = nlohmann::json::parse(*text, nullptr, false);
    if (!settings.is_object()) return fail(Code::invalid_argument, "log settings \"{}\" are not a JSON object", path);
    const auto number = [&](const char* key, std::uint64_t fallback) {
      const auto at = settings.find(key);
      return at != settings.end() && at->is_number_integer() && at->get<std::int64_t>() > 0 ? at->get<std::uint64_t>() : fallback;
    };
    spec.log_max_files = number("max_files", 10);
    spec.log_max_bytes = std::min<std::uint64_t>(number("max_file_size_mb", 10), 1u << 20) << 20;
    const auto disabled = settings.find("disabled");
    if (disabled != settings.end() && disabled->is_boolean() && disabled->get<bool>()) {
      spec.stdout_target = {{}, "/dev/null"};
      spec.stderr_target = {{}, "/dev/null"};
      return {};
    }
  } else {
    // FIFOs of the host's own collector and /dev/null are given to the task as they are.
    rotated = is_regular_target(stdout_path) && is_regular_target(stderr_path);
  }
  if (rotated) {
    DROVER_TRY(make_directories(spec.log_directory, 0777));
    spec.stdout_target.rotated_name = task_name + ".stdout";
    spec.stderr_target.rotated_name = task_name + ".stderr";
  } else {
    spec.stdout_target.path = stdout_path;
    spec.stderr_target.path = stderr_path;
  }
  return {};
}

}  // namespace drover
