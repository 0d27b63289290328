#include "plugins/shared/user_namespace.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>
#include <csignal>
#include <filesystem>
#include <optional>
#include <set>

#include "sdk/base/defer.h"
#include "sdk/base/file.h"
#include "sdk/base/text.h"

namespace drover {
namespace {

constexpr std::uint32_t first_range = 0x10000000, last_range = 0x7fff0000;

// Nothing but a file name.
std::string file_of(const std::string& directory, const std::string& alloc_id) { return directory + "/" + replace_all(alloc_id, "/", "_"); }

struct Given {
  std::uint32_t first = 0;
  std::string alloc_dir;
};
// "<first> <directory of the allocation>"
std::optional<Given> read_given(const std::string& path) {
  const auto text = read_file(path, 8192);
  Given out;
  if (!text || std::from_chars(text->data(), text->data() + text->size(), out.first).ec != std::errc{}) return std::nullopt;
  if (out.first < first_range || out.first > last_range || out.first % UserIdRange::count != 0) return std::nullopt;
  out.alloc_dir = split_once(*text, ' ').second;
  return out;
}

}  // namespace

Result<UserIdRange> range_of(const std::string& directory, const std::string& alloc_id, const std::string& alloc_dir) {
  DROVER_TRY(make_directories(directory, 0700));
  const auto lock = open_file(directory, O_RDONLY | O_DIRECTORY);
  if (!lock) return fail(lock.error());
  if (::flock(lock->get(), LOCK_EX) != 0) return fail_errno("locking \"{}\"", directory);
  const std::string own = file_of(directory, alloc_id);
  if (const auto given = read_given(own)) return UserIdRange{given->first};
  std::set<std::uint32_t> taken;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
    const auto given = read_given(entry.path().string());
    if (!given) continue;
    if (std::filesystem::exists(given->alloc_dir, error)) taken.insert(given->first);
    else ::unlink(entry.path().c_str());
  }
  for (std::uint32_t first = first_range; first <= last_range; first += UserIdRange::count) {
    if (taken.contains(first)) continue;
    // Durable before a file has such an owner: a range given twice would be one for two allocations.
    DROVER_TRY(replace_file_durably(own, fmt::format("{} {}", first, alloc_dir)));
    return UserIdRange{first};
  }
  return fail(Code::resource_exhausted, "no range of user ids is free: \"{}\" holds {} allocations", directory, taken.size());
}

Result<Fd> make_user_namespace(const UserIdRange& range) {
  // A process that does nothing but be in it, for as long as it takes to write the maps.
  clone_args args{};
  args.flags = CLONE_NEWUSER;
  args.exit_signal = SIGCHLD;
  const long pid = ::syscall(SYS_clone3, &args, sizeof args);
  if (pid < 0) return fail_errno("making a user namespace; user.max_user_namespaces may be 0, or a security module forbids it");
  if (pid == 0) {
    for (;;) ::pause();
  }
  const Defer end([pid] {
    ::kill(static_cast<pid_t>(pid), SIGKILL);
    while (::waitpid(static_cast<pid_t>(pid), nullptr, 0) < 0 && errno == EINTR) {}
  });
  const std::string map = fmt::format("0 {} {}\n", range.first, UserIdRange::count);
  for (const char* name : {"uid_map", "gid_map"}) {
    const auto path = fmt::format("/proc/{}/{}", pid, name);
    const auto file = open_file(path, O_WRONLY);
    if (!file) return fail(file.error());
    DROVER_TRY(write_all(file->get(), map));
  }
  return open_file(fmt::format("/proc/{}/ns/user", pid), O_RDONLY);
}

}  // namespace drover
