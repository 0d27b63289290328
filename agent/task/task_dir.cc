#include "agent/task/task_dir.h"

#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <vector>

#include "sdk/base/file.h"
#include "sdk/base/text.h"

namespace drover::agent {
namespace {
constexpr uid_t nobody_uid = 65534;
constexpr gid_t nobody_gid = 65534;

// Shared with every user a task may run as; what keeps others out is the parent's mode.
Result<> shared_dir(const std::string& path, unsigned mode) {
  if (::mkdir(path.c_str(), mode) != 0 && errno != EEXIST) return fail_errno("making directory \"{}\"", path);
  if (::chmod(path.c_str(), mode) != 0) return fail_errno("setting the mode of \"{}\"", path);
  if (::geteuid() == 0 && ::chown(path.c_str(), nobody_uid, nobody_gid) != 0) return fail_errno("giving \"{}\" to nobody", path);
  return {};
}

// A task name becomes a path segment.
Result<> check_segment(const std::string& name) {
  if (name.empty() || name == "." || name == ".." || name.find('/') != std::string::npos || name.find('\0') != std::string::npos) {
    return fail(Code::invalid_argument, "task name {} cannot be a directory name", quote(name));
  }
  return {};
}

// Mount points below `dir`, deepest first.
std::vector<std::string> mounts_below(const std::string& dir) {
  std::vector<std::string> out;
  const auto table = read_file("/proc/self/mountinfo");
  if (!table) return out;
  for (const std::string& line : split(*table, '\n')) {
    const auto fields = split(line, ' ');
    if (fields.size() < 5) continue;
    const std::string point = replace_all(replace_all(fields[4], "\\040", " "), "\\011", "\t");
    if (point.starts_with(dir + "/")) out.push_back(point);
  }
  std::sort(out.begin(), out.end(), [](const std::string& a, const std::string& b) { return a.size() > b.size(); });
  return out;
}
}  // namespace

Result<> build_alloc_dir(const std::string& alloc_dir) {
  DROVER_TRY(make_directories(alloc_dir, 0755));
  DROVER_TRY(shared_dir(alloc_dir + "/alloc", 0777));
  for (const char* name : {"/alloc/data", "/alloc/logs", "/alloc/tmp"}) DROVER_TRY(shared_dir(alloc_dir + name, 0777));
  return {};
}

Result<> build_task_dir(const std::string& alloc_dir, const std::string& task) {
  DROVER_TRY(check_segment(task));
  const std::string dir = alloc_dir + "/" + task;
  DROVER_TRY(shared_dir(dir, 0777));
  for (const char* name : {"/local", "/secrets", "/private"}) DROVER_TRY(shared_dir(dir + name, 0777));
  return shared_dir(dir + "/tmp", 01777);
}

Result<> write_log_settings(const std::string& alloc_dir, const std::string& task, const model::LogConfig* logs) {
  const std::string path = fmt::format("{}/alloc/logs/.{}.logs.json", alloc_dir, task);
  const std::int64_t files = logs == nullptr || logs->max_files == 0 ? 10 : logs->max_files;
  const std::int64_t size = logs == nullptr || logs->max_file_size_mb == 0 ? 10 : logs->max_file_size_mb;
  const bool disabled = logs != nullptr && logs->disabled;
  return write_file(path, fmt::format("{{\"max_files\":{},\"max_file_size_mb\":{},\"disabled\":{}}}\n", files, size, disabled), 0644);
}

Result<> remove_alloc_dir(const std::string& alloc_dir) {
  for (const std::string& point : mounts_below(alloc_dir)) {
    if (::umount2(point.c_str(), MNT_DETACH) != 0 && errno != EINVAL && errno != ENOENT) return fail_errno("unmounting \"{}\"", point);
  }
  std::error_code error;
  std::filesystem::remove_all(alloc_dir, error);
  if (error) return fail(errno_error(error.value(), fmt::format("removing \"{}\"", alloc_dir)));
  return {};
}

}  // namespace drover::agent
