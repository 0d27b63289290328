// The executor's wire format: one header, then fields of (tag, length, bytes), little endian. The launch and exec specs (in
// a sealed memfd), the control messages (one SOCK_SEQPACKET datagram each) and the record files all use it.
//
// Append-only: a tag or a type is never reused or changed, unknown ones are skipped, so an executor of an older build can be
// adopted by a newer plugin and the other way round. Header-only, without heap: both sides include it. Text carries its
// terminating NUL, so that a field can be handed to a system call where it lies.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace drover::executor {

// 2: what confines a task (capabilities and all that follows in Tag). A launch spec of version 2 has a type of its own, so that
// an executor of version 1 refuses it instead of starting the task with less confinement than was asked for.
inline constexpr std::uint16_t protocol_version = 2;
inline constexpr std::size_t max_message_bytes = 4096;    // control messages and records
inline constexpr std::size_t max_spec_bytes = 2u << 20;   // launch and exec specs
inline constexpr std::size_t max_sessions = 32;
inline constexpr std::size_t exit_record_offset = 4096;   // in the launch record's file, since version 2

// Descriptors an executor is born with; what else a spec names follows from first_extra_fd on.
inline constexpr int spec_fd = 3;
inline constexpr int state_dir_fd = 4;
inline constexpr int control_fd = 5;
inline constexpr int first_extra_fd = 6;

// Names in the state directory.
inline constexpr char record_name[] = "launch";
inline constexpr char exit_name[] = "exit";  // of version 1, beside exit.tmp; now in the launch record's file
inline constexpr char exit_temporary_name[] = "exit.tmp";
inline constexpr char socket_name[] = "control";

enum class Type : std::uint16_t {
  launch_spec = 1,
  exec_spec = 2,
  launch_record = 3,
  exit_record = 4,
  confined_launch_spec = 5,  // since version 2, as launch_spec
  // executor to client
  status = 16,        // sent on connecting and at every change of state
  failed = 17,        // the task or the exec session could not be started: stage, error, detail
  exec_started = 18,  // with the terminal's master as descriptor when the session has one
  exec_exited = 19,
  // client to executor
  signal = 32,
  stop = 33,
  exec = 34,  // descriptors: the exec spec, then stdin, stdout and stderr unless it asks for a terminal
  reap = 35,
};

enum class Tag : std::uint16_t {
  id = 1,
  boot_id = 2,
  executable = 3,
  argument = 4,
  environment = 5,
  directory = 6,
  uid = 7,
  gid = 8,
  group = 9,
  flags = 10,
  oom_score_adj = 11,
  root = 12,
  mount = 13,  // nested fields: mount_*
  cgroup = 14,
  cgroup_fd = 15,
  network_fd = 16,
  log_dir_fd = 17,
  stdout_name = 18,
  stderr_name = 19,
  log_max_files = 20,
  log_max_bytes = 21,
  stdout_fd = 22,
  stderr_fd = 23,
  fail_point = 24,
  terminal_rows = 25,
  terminal_columns = 26,

  mount_kind = 40,
  mount_source = 41,
  mount_target = 42,
  mount_flags = 43,
  mount_upper = 44,
  mount_work = 45,
  mount_option = 46,  // "key=value" or "key" of the file system
  mount_mode = 47,

  state = 60,
  executor_pid = 61,
  pid = 62,
  start_ticks = 63,
  exit_code = 64,
  exit_signal = 65,
  oom_killed = 66,
  core_dumped = 67,
  started_at = 68,
  ended_at = 69,
  dropped_log_bytes = 70,
  stage = 71,
  error = 72,
  detail = 73,
  signal = 74,
  grace_ms = 75,

  // Since version 2.
  capabilities = 80,         // bit mask; see flag::set_capabilities
  seccomp_filter = 81,       // BPF instructions; needs flag::no_new_privs
  limit = 82,                // three numbers: resource, soft, hard
  landlock_rule = 83,        // nested fields: landlock_*; needs flag::no_new_privs
  landlock_path = 84,
  landlock_access = 85,      // landlock_access bits
  hostname = 86,
  memory_peak = 87,          // of an exit: bytes, where the kernel counts them
  memory_limit = 88,
  user_namespace_fd = 89,
  checksum = 90,             // last field of an exit record: of all bytes before it
  // 91 was the source of a mount as a descriptor, which no driver ever sent.
  user_namespace_first = 92, // the host's id of the namespace's 0
  mount_base_fd = 93,        // a mount namespace without the host's mounts, of which the task's is made
};

enum class State : std::uint8_t { starting = 1, running = 2, exited = 3, failed = 4 };

// Bits of Tag::flags.
namespace flag {
inline constexpr std::uint64_t mount_namespace = 1;
inline constexpr std::uint64_t pid_namespace = 2;
inline constexpr std::uint64_t ipc_namespace = 4;
inline constexpr std::uint64_t die_with_executor = 8;
inline constexpr std::uint64_t set_user = 16;
inline constexpr std::uint64_t no_pivot_root = 32;
inline constexpr std::uint64_t own_cgroup = 64;  // the cgroup is the task's alone: kill all in it when the task ends
inline constexpr std::uint64_t terminal = 128;
// Since version 2.
inline constexpr std::uint64_t uts_namespace = 256;
inline constexpr std::uint64_t cgroup_namespace = 512;
inline constexpr std::uint64_t no_new_privs = 1024;
// Bounding set, and permitted and effective; for a user other than root inheritable and ambient too, so that they survive exec.
inline constexpr std::uint64_t set_capabilities = 2048;
inline constexpr std::uint64_t init = 4096;  // process 1 of the pid namespace is ours: it reaps, and passes signals on
}  // namespace flag

enum class MountKind : std::uint8_t {
  bind = 1,        // source, target; a regular file is bound onto a file
  overlay = 2,     // source is the lower directory, upper a path below the root as the host sees it, work a host path
  filesystem = 3,  // source is the type; options
  devices = 4,     // the standard /dev on a tmpfs
  mask = 5,        // hide target, when it exists
  read_only = 6,   // target onto itself, when it exists
  directory = 7,   // target with mode
  symlink = 8,     // source is the text of the link
};

// Bits of Tag::mount_flags.
namespace mount_flag {
inline constexpr std::uint64_t read_only = 1;
inline constexpr std::uint64_t nosuid = 2;
inline constexpr std::uint64_t nodev = 4;
inline constexpr std::uint64_t noexec = 8;
inline constexpr std::uint64_t plain_target = 16;  // no component of the target may be a link
inline constexpr std::uint64_t slave = 32;         // propagation host-to-task
inline constexpr std::uint64_t shared = 64;        // propagation in both directions
inline constexpr std::uint64_t strictatime = 128;
inline constexpr std::uint64_t if_possible = 256;   // a kernel that refuses this mount does not fail the start
inline constexpr std::uint64_t plain_source = 512;  // the last component of the source may not be a link
inline constexpr std::uint64_t idmap = 1024;        // owners as the task's user namespace has them
}  // namespace mount_flag

namespace landlock_access {
inline constexpr std::uint64_t read = 1;
inline constexpr std::uint64_t write = 2;
inline constexpr std::uint64_t execute = 4;
}  // namespace landlock_access

// What failed, in the order in which a task passes the stages.
enum class Stage : std::uint8_t {
  spec = 1,
  record = 2,
  logs = 3,
  clone = 4,
  attributes = 5,
  namespaces = 6,
  mounts = 7,
  pivot = 8,
  terminal = 9,
  user = 10,
  exec = 11,
  control = 12,
  // Since version 2: between pivot and exec, around user.
  bounding = 13,
  capabilities = 14,
  confine = 15,
};

struct Header {
  std::uint32_t size = 0;  // with the header
  std::uint16_t version = protocol_version;
  std::uint16_t type = 0;
};
static_assert(sizeof(Header) == 8);
struct FieldHeader {
  std::uint16_t tag = 0;
  std::uint16_t reserved = 0;
  std::uint32_t size = 0;
};
static_assert(sizeof(FieldHeader) == 8);
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);

struct Field {
  Tag tag{};
  const char* data = nullptr;
  std::uint32_t size = 0;

  [[nodiscard]] std::uint64_t number() const {
    std::uint64_t value = 0;
    if (size == sizeof value) std::memcpy(&value, data, sizeof value);
    return value;
  }
  // Null when the value is not one terminated string.
  [[nodiscard]] const char* text() const {
    if (size == 0 || data[size - 1] != '\0' || std::memchr(data, '\0', size) != data + size - 1) return nullptr;
    return data;
  }
};

// Walks fields; next() is false at the end and at the first malformed one, which malformed() tells apart.
class FieldReader {
 public:
  FieldReader(const char* data, std::size_t size) : at_(data), left_(size) {}
  // The fields after a header of the wanted type; malformed when it is another or the size is not right.
  static FieldReader message(const char* data, std::size_t size, Type type) {
    Header header;
    FieldReader out(data, 0);
    if (size < sizeof header) { out.malformed_ = true; return out; }
    std::memcpy(&header, data, sizeof header);
    if (header.type != static_cast<std::uint16_t>(type) || header.size < sizeof header || header.size > size) {
      out.malformed_ = true;
      return out;
    }
    return FieldReader(data + sizeof header, header.size - sizeof header);
  }
  bool next(Field& field) {
    if (malformed_ || left_ == 0) return false;
    FieldHeader header;
    if (left_ < sizeof header) { malformed_ = true; return false; }
    std::memcpy(&header, at_, sizeof header);
    if (header.size > left_ - sizeof header) { malformed_ = true; return false; }
    field = Field{static_cast<Tag>(header.tag), at_ + sizeof header, header.size};
    at_ += sizeof header + header.size;
    left_ -= sizeof header + header.size;
    return true;
  }
  [[nodiscard]] bool malformed() const { return malformed_; }

 private:
  const char* at_;
  std::size_t left_;
  bool malformed_ = false;
};

[[nodiscard]] inline Type message_type(const char* data, std::size_t size) {
  Header header;
  if (size < sizeof header) return Type{};
  std::memcpy(&header, data, sizeof header);
  return static_cast<Type>(header.type);
}

// Appends to anything with append(const char*, size_t): std::string on the plugin's side, FixedBuffer in the executor.
template <class Out>
void put_bytes(Out& out, Tag tag, const char* data, std::size_t size) {
  const FieldHeader header{static_cast<std::uint16_t>(tag), 0, static_cast<std::uint32_t>(size)};
  char bytes[sizeof header];
  std::memcpy(bytes, &header, sizeof header);
  out.append(bytes, sizeof bytes);
  out.append(data, size);
}
template <class Out>
void put_text(Out& out, Tag tag, const char* text) {
  put_bytes(out, tag, text, std::strlen(text) + 1);
}
template <class Out>
void put_number(Out& out, Tag tag, std::uint64_t value) {
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  put_bytes(out, tag, bytes, sizeof bytes);
}

inline void write_header(char* at, Type type, std::size_t size) {
  const Header header{static_cast<std::uint32_t>(size), protocol_version, static_cast<std::uint16_t>(type)};
  std::memcpy(at, &header, sizeof header);
}

// FNV-1a, to tell a record that was written whole from one that a power cut tore.
[[nodiscard]] inline std::uint64_t checksum(const char* data, std::size_t size) {
  std::uint64_t hash = 14695981039346656037u;
  for (std::size_t i = 0; i < size; ++i) hash = (hash ^ static_cast<unsigned char>(data[i])) * 1099511628211u;
  return hash;
}

// A message in place. What does not fit is dropped and overflow() tells.
class FixedBuffer {
 public:
  FixedBuffer() { std::memset(bytes_, 0, sizeof(Header)); }
  void append(const char* data, std::size_t size) {
    if (size > sizeof bytes_ - size_) { overflow_ = true; return; }
    std::memcpy(bytes_ + size_, data, size);
    size_ += size;
  }
  // Completes the header; the view is valid until the buffer changes.
  [[nodiscard]] std::string_view finish(Type type) {
    write_header(bytes_, type, size_);
    return {bytes_, size_};
  }
  [[nodiscard]] bool overflow() const { return overflow_; }
  [[nodiscard]] std::uint64_t checksum() const { return executor::checksum(bytes_ + sizeof(Header), size_ - sizeof(Header)); }

 private:
  char bytes_[max_message_bytes];
  std::size_t size_ = sizeof(Header);
  bool overflow_ = false;
};

// Places at which a test lets the executor kill itself.
enum class FailPoint : std::uint8_t {
  none = 0,
  before_record = 1,
  after_record = 2,
  after_clone = 3,
  after_exec = 4,        // the task runs, nobody has been told
  while_running = 5,     // right after the first log bytes were stored
  before_exit_record = 6,
  before_exit_sync = 7,  // written, not yet durable
  after_exit_record = 8,  // durable, nobody has been told
};

}  // namespace drover::executor
