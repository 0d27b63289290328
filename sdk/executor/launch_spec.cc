#include "sdk/executor/launch_spec.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sdk/base/file.h"

namespace drover {
namespace {

using executor::Tag;

void put_string(std::string& out, Tag tag, const std::string& text) { executor::put_bytes(out, tag, text.c_str(), text.size() + 1); }
void put_strings(std::string& out, Tag tag, const std::vector<std::string>& texts) {
  for (const auto& text : texts) put_string(out, tag, text);
}

bool has_nul(const std::vector<std::string>& texts) {
  for (const auto& text : texts) {
    if (text.find('\0') != std::string::npos) return true;
  }
  return false;
}

Result<Fd> seal(std::string bytes, executor::Type type) {
  if (bytes.size() > executor::max_spec_bytes) {
    return fail(Code::too_large, "command, environment and mounts take {} bytes, more than {}", bytes.size(), executor::max_spec_bytes);
  }
  executor::write_header(bytes.data(), type, bytes.size());
  Fd fd(::memfd_create("drover-spec", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd) return fail_errno("making a memory file");
  DROVER_TRY(write_all(fd.get(), bytes));
  if (::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) return fail_errno("sealing a memory file");
  return fd;
}

std::uint64_t confinement_flags(const Confinement& confinement) {
  std::uint64_t out = 0;
  if (confinement.capabilities) out |= executor::flag::set_capabilities;
  if (confinement.no_new_privs || !confinement.seccomp_filter.empty() || !confinement.landlock.empty()) out |= executor::flag::no_new_privs;
  return out;
}

void put_confinement(std::string& out, const Confinement& confinement) {
  if (confinement.capabilities) executor::put_number(out, Tag::capabilities, *confinement.capabilities);
  if (!confinement.seccomp_filter.empty()) {
    executor::put_bytes(out, Tag::seccomp_filter, confinement.seccomp_filter.data(), confinement.seccomp_filter.size());
  }
  for (const auto& limit : confinement.limits) {
    const std::uint64_t numbers[3] = {static_cast<std::uint64_t>(limit.resource), limit.soft, limit.hard};
    executor::put_bytes(out, Tag::limit, reinterpret_cast<const char*>(numbers), sizeof numbers);
  }
  for (const auto& rule : confinement.landlock) {
    std::string nested;
    put_string(nested, Tag::landlock_path, rule.path);
    executor::put_number(nested, Tag::landlock_access, rule.access);
    executor::put_bytes(out, Tag::landlock_rule, nested.data(), nested.size());
  }
}

std::string encode_mount(const RootMount& mount) {
  std::string out;
  executor::put_number(out, Tag::mount_kind, static_cast<std::uint64_t>(mount.kind));
  put_string(out, Tag::mount_source, mount.source);
  put_string(out, Tag::mount_target, mount.target);
  put_string(out, Tag::mount_upper, mount.upper);
  put_string(out, Tag::mount_work, mount.work);
  put_strings(out, Tag::mount_option, mount.options);
  executor::put_number(out, Tag::mount_flags, mount.flags);
  executor::put_number(out, Tag::mount_mode, mount.mode);
  return out;
}

// A host's FIFO must not block us when its reader is gone, nor a file be left unwritable.
Result<Fd> open_output(const std::string& path) {
  const std::string target = path.empty() ? "/dev/null" : path;
  struct stat info {};
  if (::stat(target.c_str(), &info) == 0 && S_ISFIFO(info.st_mode)) {
    auto fd = open_file(target, O_WRONLY | O_NONBLOCK);
    // Without a reader the write end alone cannot be opened; read-write can, and keeps the bytes until a reader comes.
    if (!fd) fd = open_file(target, O_RDWR);
    if (!fd) return fd;
    const int flags = ::fcntl(fd->get(), F_GETFL);
    if (flags < 0 || ::fcntl(fd->get(), F_SETFL, flags & ~O_NONBLOCK) != 0) return fail_errno("opening \"{}\"", target);
    return fd;
  }
  return open_file(target, O_WRONLY | O_CREAT | O_APPEND, 0644);
}

Result<Fd> duplicate(int fd) {
  Fd out(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
  if (!out) return fail_errno("duplicating a descriptor");
  return out;
}

class Numbering {
 public:
  explicit Numbering(PreparedLaunch& launch, std::string& out) : launch_(launch), out_(out) {}
  void add(Tag tag, Fd fd) {
    executor::put_number(out_, tag, static_cast<std::uint64_t>(next_));
    launch_.extra.emplace_back(next_++, std::move(fd));
  }

 private:
  PreparedLaunch& launch_;
  std::string& out_;
  int next_ = executor::first_extra_fd;
};

}  // namespace

Result<PreparedLaunch> prepare_launch(const LaunchSpec& spec, const std::string& boot_id) {
  if (spec.arguments.empty()) return fail(Code::invalid_argument, "no command");
  if (has_nul(spec.arguments) || has_nul(spec.environment)) return fail(Code::invalid_argument, "the command or the environment holds a NUL character");
  PreparedLaunch launch;
  std::string out(sizeof(executor::Header), '\0');
  put_string(out, Tag::id, spec.id);
  put_string(out, Tag::boot_id, boot_id);
  put_string(out, Tag::executable, spec.executable);
  put_strings(out, Tag::argument, spec.arguments);
  put_strings(out, Tag::environment, spec.environment);
  put_string(out, Tag::directory, spec.directory);
  std::uint64_t flags = spec.flags | confinement_flags(spec.confinement);
  if (spec.user) {
    flags |= executor::flag::set_user;
    executor::put_number(out, Tag::uid, spec.user->uid);
    executor::put_number(out, Tag::gid, spec.user->gid);
    for (const gid_t group : spec.user->groups) executor::put_number(out, Tag::group, group);
  }
  executor::put_number(out, Tag::flags, flags);
  executor::put_number(out, Tag::oom_score_adj, static_cast<std::uint64_t>(static_cast<std::int64_t>(spec.oom_score_adj)));
  put_confinement(out, spec.confinement);
  if (!spec.hostname.empty()) put_string(out, Tag::hostname, spec.hostname);
  if (!spec.root.empty()) put_string(out, Tag::root, spec.root);
  executor::put_number(out, Tag::log_max_files, spec.log_max_files);
  executor::put_number(out, Tag::log_max_bytes, spec.log_max_bytes);
  executor::put_number(out, Tag::fail_point, static_cast<std::uint64_t>(spec.fail_point));
  Numbering numbers(launch, out);
  for (const auto& mount : spec.mounts) {
    const std::string nested = encode_mount(mount);
    executor::put_bytes(out, Tag::mount, nested.data(), nested.size());
  }
  if (spec.user_namespace_fd >= 0) {
    auto fd = duplicate(spec.user_namespace_fd);
    if (!fd) return fail(fd.error(), "user namespace of the task");
    numbers.add(Tag::user_namespace_fd, std::move(*fd));
    executor::put_number(out, Tag::user_namespace_first, spec.user_namespace_first);
  }
  if (spec.mount_base_fd >= 0) {
    auto fd = duplicate(spec.mount_base_fd);
    if (!fd) return fail(fd.error(), "mount namespace to start from");
    numbers.add(Tag::mount_base_fd, std::move(*fd));
  }
  if (!spec.cgroup.empty()) {
    auto fd = open_file(spec.cgroup, O_RDONLY | O_DIRECTORY);
    if (!fd) return fail(fd.error(), "cgroup of the task");
    // Recorded only when everything in it is the task's, because whoever finds the record kills what is in it.
    if ((flags & executor::flag::own_cgroup) != 0) put_string(out, Tag::cgroup, spec.cgroup);
    numbers.add(Tag::cgroup_fd, std::move(*fd));
  }
  if (!spec.network_path.empty()) {
    auto fd = open_file(spec.network_path, O_RDONLY);
    if (!fd) return fail(fd.error(), "network namespace of the allocation");
    numbers.add(Tag::network_fd, std::move(*fd));
  }
  if (!spec.stdout_target.rotated_name.empty() || !spec.stderr_target.rotated_name.empty()) {
    // N-002: the directory lies where tasks can write; a link in its place would put our files anywhere.
    auto fd = open_file(spec.log_directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (!fd) return fail(fd.error(), "log directory");
    numbers.add(Tag::log_dir_fd, std::move(*fd));
  }
  struct Stream { const OutputTarget& target; Tag name, fd; };
  for (const auto& stream : {Stream{spec.stdout_target, Tag::stdout_name, Tag::stdout_fd}, Stream{spec.stderr_target, Tag::stderr_name, Tag::stderr_fd}}) {
    if (!stream.target.rotated_name.empty()) {
      put_string(out, stream.name, stream.target.rotated_name);
      continue;
    }
    auto fd = open_output(stream.target.path);
    if (!fd) return fail(fd.error(), "output of the task");
    numbers.add(stream.fd, std::move(*fd));
  }
  auto sealed = seal(std::move(out), executor::Type::confined_launch_spec);
  if (!sealed) return fail(std::move(sealed).error());
  launch.spec = std::move(*sealed);
  return launch;
}

Result<Fd> encode_exec(const ExecSpec& spec) {
  if (spec.arguments.empty()) return fail(Code::invalid_argument, "no command");
  if (has_nul(spec.arguments) || has_nul(spec.environment)) return fail(Code::invalid_argument, "the command or the environment holds a NUL character");
  std::string out(sizeof(executor::Header), '\0');
  put_strings(out, Tag::argument, spec.arguments);
  put_strings(out, Tag::environment, spec.environment);
  put_string(out, Tag::directory, spec.directory);
  executor::put_number(out, Tag::oom_score_adj, static_cast<std::uint64_t>(static_cast<std::int64_t>(spec.oom_score_adj)));
  if (spec.terminal) {
    executor::put_number(out, Tag::flags, executor::flag::terminal);
    executor::put_number(out, Tag::terminal_rows, spec.rows);
    executor::put_number(out, Tag::terminal_columns, spec.columns);
  }
  return seal(std::move(out), executor::Type::exec_spec);
}

std::string_view stage_text(executor::Stage stage) {
  using executor::Stage;
  switch (stage) {
    case Stage::spec: return "reading the specification";
    case Stage::record: return "writing the launch record";
    case Stage::logs: return "opening the logs";
    case Stage::clone: return "making the process";
    case Stage::attributes: return "setting process attributes";
    case Stage::namespaces: return "joining namespaces";
    case Stage::mounts: return "mounting the root";
    case Stage::pivot: return "changing the root";
    case Stage::terminal: return "opening a terminal";
    case Stage::user: return "switching the user";
    case Stage::exec: return "executing";
    case Stage::control: return "opening the control socket";
    case Stage::bounding: return "limiting the capabilities";
    case Stage::capabilities: return "setting the capabilities";
    case Stage::confine: return "confining the task";
  }
  return "starting";
}

}  // namespace drover
