#include "plugins/executor/spec.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

namespace drover::executor {

void SpecMemory::release() {
  if (data_ != nullptr) ::munmap(const_cast<char*>(data_), size_);
  if (extra_ != nullptr) ::munmap(extra_, extra_size_);
  data_ = nullptr;
  extra_ = nullptr;
}

Failure SpecMemory::map(int fd) {
  constexpr int wanted = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW;
  const int seals = ::fcntl(fd, F_GET_SEALS);
  if (seals < 0 || (seals & wanted) != wanted) return {EPERM, "the specification is not sealed"};
  struct stat info {};
  if (::fstat(fd, &info) != 0) return failed("reading the specification");
  if (info.st_size <= 0 || static_cast<std::uint64_t>(info.st_size) > max_spec_bytes) return {E2BIG, "the specification"};
  void* mapped = ::mmap(nullptr, static_cast<std::size_t>(info.st_size), PROT_READ, MAP_PRIVATE, fd, 0);
  if (mapped == MAP_FAILED) return failed("mapping the specification");
  data_ = static_cast<const char*>(mapped);
  size_ = static_cast<std::size_t>(info.st_size);
  return {};
}

void* SpecMemory::allocate(std::size_t bytes) {
  void* mapped = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) return nullptr;
  extra_ = mapped;
  extra_size_ = bytes;
  return mapped;
}

namespace {

bool read_mount(const Field& field, Mount& mount) {
  FieldReader reader(field.data, field.size);
  Field part;
  while (reader.next(part)) {
    const char* text = part.text();
    switch (part.tag) {
      case Tag::mount_kind: mount.kind = static_cast<MountKind>(part.number()); break;
      case Tag::mount_flags: mount.flags = part.number(); break;
      case Tag::mount_mode: mount.mode = static_cast<mode_t>(part.number() & 07777); break;
      case Tag::mount_source: if (text == nullptr) return false; mount.source = text; break;
      case Tag::mount_target: if (text == nullptr) return false; mount.target = text; break;
      case Tag::mount_upper: if (text == nullptr) return false; mount.upper = text; break;
      case Tag::mount_work: if (text == nullptr) return false; mount.work = text; break;
      case Tag::mount_option:
        if (text == nullptr || mount.option_count == max_mount_options) return false;
        mount.options[mount.option_count++] = text;
        break;
      default: break;
    }
  }
  return !reader.malformed() && mount.target[0] == '/';
}

struct Counts {
  std::size_t arguments = 0, environment = 0, mounts = 0;
};

bool count(const SpecMemory& memory, Type type, Counts& counts) {
  auto reader = FieldReader::message(memory.data(), memory.size(), type);
  Field field;
  while (reader.next(field)) {
    if (field.tag == Tag::argument) ++counts.arguments;
    if (field.tag == Tag::environment) ++counts.environment;
    if (field.tag == Tag::mount) ++counts.mounts;
  }
  return !reader.malformed() && counts.arguments > 0 && counts.mounts <= max_mounts;
}

// Number fields. False: not one of them.
bool read_number(const Field& field, Spec& spec) {
  const std::uint64_t n = field.number();
  const int fd = n <= 1024 ? static_cast<int>(n) : -1;
  switch (field.tag) {
    case Tag::uid: spec.user.uid = static_cast<uid_t>(n); return true;
    case Tag::gid: spec.user.gid = static_cast<gid_t>(n); return true;
    case Tag::group:
      if (spec.user.group_count < max_groups) spec.user.groups[spec.user.group_count++] = static_cast<gid_t>(n);
      return true;
    case Tag::flags: spec.flags = n; return true;
    case Tag::oom_score_adj: spec.oom_score_adj = static_cast<int>(static_cast<std::int64_t>(n)); return true;
    case Tag::cgroup_fd: spec.cgroup_fd = fd; return true;
    case Tag::network_fd: spec.network_fd = fd; return true;
    case Tag::log_dir_fd: spec.log_dir_fd = fd; return true;
    case Tag::stdout_fd: spec.stdout_fd = fd; return true;
    case Tag::stderr_fd: spec.stderr_fd = fd; return true;
    case Tag::log_max_files: spec.log_max_files = n; return true;
    case Tag::log_max_bytes: spec.log_max_bytes = n; return true;
    case Tag::fail_point: spec.fail_point = static_cast<FailPoint>(n); return true;
    case Tag::terminal_rows: spec.rows = static_cast<unsigned short>(n); return true;
    case Tag::terminal_columns: spec.columns = static_cast<unsigned short>(n); return true;
    default: return false;
  }
}

}  // namespace

Failure read_spec(int fd, Type type, SpecMemory& memory, Spec& spec) {
  if (auto failure = memory.map(fd)) return failure;
  Counts counts;
  if (!count(memory, type, counts)) return {EBADMSG, "the specification"};
  const std::size_t pointers = counts.arguments + counts.environment + 2;
  auto* block = static_cast<char*>(memory.allocate(counts.mounts * sizeof(Mount) + pointers * sizeof(char*)));
  if (block == nullptr) return failed("memory for the specification");
  auto* mounts = reinterpret_cast<Mount*>(block);
  spec.mounts = mounts;
  spec.arguments = reinterpret_cast<char**>(block + counts.mounts * sizeof(Mount));
  spec.environment = spec.arguments + counts.arguments + 1;
  std::size_t argument = 0, environment = 0;
  auto reader = FieldReader::message(memory.data(), memory.size(), type);
  Field field;
  while (reader.next(field)) {
    if (field.tag == Tag::mount) {
      Mount mount;
      if (!read_mount(field, mount)) return {EBADMSG, "a mount of the specification"};
      mounts[spec.mount_count++] = mount;
      continue;
    }
    if (read_number(field, spec)) continue;
    const char** slot = nullptr;
    switch (field.tag) {
      case Tag::argument: slot = const_cast<const char**>(&spec.arguments[argument++]); break;
      case Tag::environment: slot = const_cast<const char**>(&spec.environment[environment++]); break;
      case Tag::id: slot = &spec.id; break;
      case Tag::boot_id: slot = &spec.boot_id; break;
      case Tag::executable: slot = &spec.executable; break;
      case Tag::directory: slot = &spec.directory; break;
      case Tag::root: slot = &spec.root; break;
      case Tag::cgroup: slot = &spec.cgroup; break;
      case Tag::stdout_name: slot = &spec.stdout_name; break;
      case Tag::stderr_name: slot = &spec.stderr_name; break;
      default: continue;
    }
    *slot = field.text();
    if (*slot == nullptr) return {EBADMSG, "a text of the specification"};
  }
  if (spec.executable == nullptr) spec.executable = spec.arguments[0];
  if (spec.root != nullptr && !spec.has(flag::mount_namespace)) return {EINVAL, "a root without a mount namespace"};
  if (spec.has(flag::set_user) && spec.user.uid == static_cast<uid_t>(-1)) return {EINVAL, "the user id"};
  if (spec.log_max_files == 0 || spec.log_max_bytes == 0) return {EINVAL, "the log limits"};
  return {};
}

}  // namespace drover::executor
