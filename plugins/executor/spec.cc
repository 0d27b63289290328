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

bool read_landlock(const Field& field, LandlockRule& rule) {
  FieldReader reader(field.data, field.size);
  Field part;
  while (reader.next(part)) {
    if (part.tag == Tag::landlock_access) rule.access = part.number();
    if (part.tag != Tag::landlock_path) continue;
    rule.path = part.text();
    if (rule.path == nullptr) return false;
  }
  return !reader.malformed() && rule.path[0] == '/';
}

bool read_limit(const Field& field, Rights& rights) {
  std::uint64_t numbers[3];
  if (field.size != sizeof numbers || rights.limit_count == max_limits) return false;
  std::memcpy(numbers, field.data, sizeof numbers);
  if (numbers[0] >= max_limits || numbers[1] > numbers[2]) return false;
  rights.limits[rights.limit_count++] = {static_cast<int>(numbers[0]), numbers[1], numbers[2]};
  return true;
}

bool read_filter(const Field& field, Rights& rights) {
  if (field.size == 0 || field.size % 8 != 0 || field.size > max_filter_bytes) return false;
  rights.filter = field.data;
  rights.filter_size = field.size;
  return true;
}

struct Counts {
  std::size_t arguments = 0, environment = 0, mounts = 0, landlock = 0;
};

// A launch spec may be of either version.
Type type_in(const SpecMemory& memory, Type wanted) {
  const Type found = message_type(memory.data(), memory.size());
  return wanted == Type::launch_spec && found == Type::confined_launch_spec ? found : wanted;
}

bool count(const SpecMemory& memory, Type type, Counts& counts) {
  auto reader = FieldReader::message(memory.data(), memory.size(), type);
  Field field;
  while (reader.next(field)) {
    if (field.tag == Tag::argument) ++counts.arguments;
    if (field.tag == Tag::environment) ++counts.environment;
    if (field.tag == Tag::mount) ++counts.mounts;
    if (field.tag == Tag::landlock_rule) ++counts.landlock;
  }
  return !reader.malformed() && counts.arguments > 0 && counts.mounts <= max_mounts && counts.landlock <= max_landlock_rules;
}

// Number fields. False: not one of them.
bool read_number(const Field& field, Spec& spec) {
  const std::uint64_t n = field.number();
  const int fd = n <= 1024 ? static_cast<int>(n) : -1;
  User& user = spec.rights.user;
  switch (field.tag) {
    case Tag::uid: user.uid = static_cast<uid_t>(n); return true;
    case Tag::gid: user.gid = static_cast<gid_t>(n); return true;
    case Tag::group:
      if (user.group_count < max_groups) user.groups[user.group_count++] = static_cast<gid_t>(n);
      return true;
    case Tag::capabilities: spec.rights.capabilities = n; return true;
    case Tag::user_namespace_fd: spec.user_namespace_fd = fd; return true;
    case Tag::user_namespace_first: spec.user_namespace_first = static_cast<uid_t>(n); return true;
    case Tag::flags: spec.flags = n; return true;
    case Tag::oom_score_adj: spec.oom_score_adj = static_cast<int>(static_cast<std::int64_t>(n)); return true;
    case Tag::cgroup_fd: spec.cgroup_fd = fd; return true;
    case Tag::mount_base_fd: spec.mount_base_fd = fd; return true;
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

Failure check(const Spec& spec) {
  if (spec.root != nullptr && !spec.has(flag::mount_namespace)) return {EINVAL, "a root without a mount namespace"};
  if (spec.has(flag::set_user) && spec.rights.user.uid == static_cast<uid_t>(-1)) return {EINVAL, "the user id"};
  if (spec.log_max_files == 0 || spec.log_max_bytes == 0) return {EINVAL, "the log limits"};
  // Both would need a right of root otherwise, at a point where the task has none left.
  const bool confined = spec.rights.filter_size != 0 || spec.rights.landlock_count != 0;
  if (confined && !spec.has(flag::no_new_privs)) return {EINVAL, "a filter without no_new_privs"};
  if (spec.has(flag::init) && !spec.has(flag::pid_namespace)) return {EINVAL, "an init without a pid namespace"};
  return {};
}

}  // namespace

Failure read_spec(int fd, Type wanted, SpecMemory& memory, Spec& spec) {
  if (auto failure = memory.map(fd)) return failure;
  const Type type = type_in(memory, wanted);
  Counts counts;
  if (!count(memory, type, counts)) return {EBADMSG, "the specification"};
  const std::size_t pointers = counts.arguments + counts.environment + 2;
  const std::size_t mount_bytes = counts.mounts * sizeof(Mount), landlock_bytes = counts.landlock * sizeof(LandlockRule);
  auto* block = static_cast<char*>(memory.allocate(mount_bytes + landlock_bytes + pointers * sizeof(char*)));
  if (block == nullptr) return failed("memory for the specification");
  auto* mounts = reinterpret_cast<Mount*>(block);
  spec.mounts = mounts;
  auto* landlock = reinterpret_cast<LandlockRule*>(block + mount_bytes);
  spec.rights.landlock = landlock;
  spec.arguments = reinterpret_cast<char**>(block + mount_bytes + landlock_bytes);
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
    if (field.tag == Tag::landlock_rule) {
      LandlockRule rule;
      if (!read_landlock(field, rule)) return {EBADMSG, "a Landlock rule of the specification"};
      landlock[spec.rights.landlock_count++] = rule;
      continue;
    }
    if (field.tag == Tag::limit && !read_limit(field, spec.rights)) return {EBADMSG, "a limit of the specification"};
    if (field.tag == Tag::seccomp_filter && !read_filter(field, spec.rights)) return {EBADMSG, "the seccomp filter"};
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
      case Tag::hostname: slot = &spec.hostname; break;
      default: continue;
    }
    *slot = field.text();
    if (*slot == nullptr) return {EBADMSG, "a text of the specification"};
  }
  if (spec.executable == nullptr) spec.executable = spec.arguments[0];
  return check(spec);
}

}  // namespace drover::executor
