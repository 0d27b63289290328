#include "sdk/executor/executor_task.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>

#include "sdk/base/fail_point.h"
#include "sdk/base/file.h"
#include "sdk/base/text.h"

namespace drover {
namespace {

using executor::Tag;
using executor::Type;
using namespace std::chrono_literals;
// From its socket to its record an executor takes some microseconds, on a machine that has the processor for it.
constexpr int most_looks = 40;
constexpr auto look_pause = 5ms;

// FNV-1a. Names only: the launch record holds the id itself and adoption compares it.
std::string short_hash(std::string_view text) {
  std::uint64_t hash = 14695981039346656037u;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
  return fmt::format("{:016x}", hash);
}

Result<Fd> connect_to(const std::string& state_path) {
  auto directory = open_file(state_path, O_RDONLY | O_DIRECTORY);
  if (!directory) return directory;
  Fd fd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  if (!fd) return fail_errno("making a socket");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  // through the directory's descriptor, so the path's own length does not matter.
  const std::string name = fmt::format("/proc/self/fd/{}/{}", directory->get(), executor::socket_name);
  std::memcpy(address.sun_path, name.c_str(), name.size() + 1);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return fail_errno("connecting to the executor in \"{}\"", state_path);
  }
  return fd;
}

void remove_state(const std::string& state_path) {
  for (const char* name : {executor::socket_name, executor::record_name, executor::exit_temporary_name, executor::exit_name}) {
    ::unlink((state_path + "/" + name).c_str());
  }
  ::rmdir(state_path.c_str());
  ::rmdir(std::filesystem::path(state_path).parent_path().c_str());
}

std::optional<ExecutorStatus> read_launch_record(const std::string& state_path) {
  const auto bytes = read_file(state_path + "/" + executor::record_name, executor::exit_record_offset + executor::max_message_bytes);
  return bytes ? parse_status(*bytes) : std::nullopt;
}

// In the launch record's file, whole by its checksum; executors of version 1 made a file of its own, whole by its name.
std::optional<ExecutorStatus> read_exit_record(const std::string& state_path) {
  const auto bytes = read_file(state_path + "/" + executor::record_name, executor::exit_record_offset + executor::max_message_bytes);
  if (bytes && bytes->size() > executor::exit_record_offset) {
    const auto record = std::string_view(*bytes).substr(executor::exit_record_offset);
    if (is_whole_record(record)) return parse_status(record);
  }
  const auto old = read_file(state_path + "/" + executor::exit_name, executor::max_message_bytes);
  return old ? parse_status(*old) : std::nullopt;
}

// Members of the session a task led. A session keeps the number of its leader from being given to another process.
std::vector<pid_t> session_members(pid_t leader) {
  std::vector<pid_t> out;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    const std::string name = entry.path().filename();
    if (name.empty() || name.find_first_not_of("0123456789") != std::string::npos) continue;
    const auto stat = read_file(entry.path().string() + "/stat");
    const auto end = stat ? stat->rfind(')') : std::string::npos;
    if (end == std::string::npos || end + 2 > stat->size()) continue;
    const auto fields = split(std::string_view(*stat).substr(end + 2), ' ');  // state, parent, group, session
    if (fields.size() > 3 && fields[3] == std::to_string(leader)) out.push_back(std::atoi(name.c_str()));
  }
  return out;
}

// F-11, F-13: an executor that died leaves a task nobody can wait for; it is killed: by its cgroup, and by its number and session
// as long as the start time proves that the number is still its own (N-031).
void kill_leftovers(const ExecutorStatus& record) {
  if (!record.cgroup.empty() && write_file(record.cgroup + "/cgroup.kill", "1")) return;
  if (record.pid <= 1) return;
  const auto process = Process::open(record.pid);
  const auto ticks = process_start_ticks(record.pid);
  if (ticks && *ticks != record.start_ticks) return;  // taken over, so neither the task nor its session exists
  if (process && ticks && !process->signal(SIGKILL)) return;
  for (const pid_t pid : session_members(record.pid)) {
    const auto member = Process::open(pid);
    if (!member || !member->signal(SIGKILL)) continue;
  }
}

std::string message_of(Type type) {
  std::string out(sizeof(executor::Header), '\0');
  executor::write_header(out.data(), type, out.size());
  return out;
}
std::string finish(std::string out, Type type) {
  executor::write_header(out.data(), type, out.size());
  return out;
}

Async<> reap_child(Process process) {
  const auto ended = co_await wait_process(process);
  // Its status says nothing about the task.
  static_cast<void>(ended);
}

// Of a start that has come no further than its directory. Without it nothing can come of it any more, however long its executor takes to
// get there: neither socket nor record can be made in a directory that is gone (L-03). A file in it is in the way.
bool forget_empty(const std::string& state_path) { return ::rmdir(state_path.c_str()) == 0 || errno == ENOENT; }

// Takes the place of the launch record of an executor that has not come that far: both make it with O_EXCL.
bool keep_from_running(const std::string& state_path) {
  const Fd record(::open((state_path + "/" + executor::record_name).c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  return static_cast<bool>(record);
}

Error launch_error(const ExecutorStatus& status) {
  if (status.stage == executor::Stage::spec && status.error == EBADMSG) {
    return Error(Code::unavailable, "the drover-executor of this host does not understand this driver: install both from the same version");
  }
  return errno_error(status.error, fmt::format("{}: \"{}\"", stage_text(status.stage), status.detail));
}

}  // namespace

StateDirectory state_directory(const std::string& base, const std::string& task_id) {
  const auto end = task_id.rfind('/');
  StateDirectory out;
  out.slot = base + "/" + short_hash(std::string_view(task_id).substr(0, end));
  out.path = out.slot + "/" + short_hash(task_id);
  return out;
}

bool is_whole_record(std::string_view bytes) {
  auto reader = executor::FieldReader::message(bytes.data(), bytes.size(), Type::exit_record);
  const char* const begin = bytes.data() + sizeof(executor::Header);
  executor::Field field;
  while (reader.next(field)) {
    if (field.tag != Tag::checksum) continue;
    const auto before = static_cast<std::size_t>(field.data - sizeof(executor::FieldHeader) - begin);
    return field.number() == executor::checksum(begin, before);
  }
  return false;
}

std::optional<ExecutorStatus> parse_status(std::string_view bytes) {
  const Type type = executor::message_type(bytes.data(), bytes.size());
  if (type != Type::status && type != Type::failed && type != Type::launch_record && type != Type::exit_record) return std::nullopt;
  auto reader = executor::FieldReader::message(bytes.data(), bytes.size(), type);
  ExecutorStatus out;
  executor::Field field;
  while (reader.next(field)) {
    const char* text = field.text();
    const std::uint64_t number = field.number();
    switch (field.tag) {
      case Tag::id: out.id = text != nullptr ? text : ""; break;
      case Tag::boot_id: out.boot_id = text != nullptr ? text : ""; break;
      case Tag::cgroup: out.cgroup = text != nullptr ? text : ""; break;
      case Tag::detail: out.detail = text != nullptr ? text : ""; break;
      case Tag::state: out.state = static_cast<executor::State>(number); break;
      case Tag::executor_pid: out.executor_pid = static_cast<pid_t>(number); break;
      case Tag::pid: out.pid = static_cast<pid_t>(number); break;
      case Tag::start_ticks: out.start_ticks = number; break;
      case Tag::started_at: out.started_at = static_cast<std::int64_t>(number); break;
      case Tag::ended_at: out.ended_at = static_cast<std::int64_t>(number); break;
      case Tag::dropped_log_bytes: out.dropped_log_bytes = number; break;
      case Tag::exit_code: out.exit.exit_code = static_cast<std::int32_t>(number); break;
      case Tag::exit_signal: out.exit.signal = static_cast<std::int32_t>(number); break;
      case Tag::memory_peak: out.memory_peak = number; break;
      case Tag::memory_limit: out.memory_limit = number; break;
      case Tag::oom_killed: out.exit.oom_killed = number != 0; break;
      case Tag::stage: out.stage = static_cast<executor::Stage>(number); break;
      case Tag::error: out.error = static_cast<int>(number); break;
      default: break;
    }
  }
  if (reader.malformed()) return std::nullopt;
  return out;
}

Result<> send_to_executor(int fd, std::string_view bytes, const std::vector<int>& descriptors) {
  iovec part{const_cast<char*>(bytes.data()), bytes.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * 8)];
  if (!descriptors.empty()) {
    const std::size_t size = sizeof(int) * descriptors.size();
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(size);
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(size);
    std::memcpy(CMSG_DATA(header), descriptors.data(), size);
  }
  if (::sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) return fail_errno("writing to the executor");
  return {};
}

Async<Result<ExecutorMessage>> receive_from_executor(int fd) {
  for (;;) {
    ExecutorMessage out;
    out.bytes.resize(executor::max_message_bytes);
    iovec part{out.bytes.data(), out.bytes.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * 4)];
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    const ssize_t size = ::recvmsg(fd, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    const int error = errno;
    if (size > 0) {
      for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
        const std::size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (std::size_t i = 0; i < count; ++i) {
          int passed = -1;
          std::memcpy(&passed, CMSG_DATA(header) + i * sizeof passed, sizeof passed);
          out.descriptors.emplace_back(passed);
        }
      }
      out.bytes.resize(static_cast<std::size_t>(size));
      co_return out;
    }
    if (size == 0 || (error != EAGAIN && error != EINTR)) co_return fail(Code::unavailable, "the executor closed its connection");
    const auto ready = co_await wait_readable(fd);
    if (!ready) co_return fail(ready.error());
  }
}

void ExecutorTask::on_message(std::string_view bytes) {
  auto status = parse_status(bytes);
  // How a task ended is told once; whatever an executor says after it changes nothing (L-02).
  if (!status || ended()) return;
  status_ = std::move(*status);
  if (executor::message_type(bytes.data(), bytes.size()) == Type::failed) status_.state = executor::State::failed;
  answered_ = status_.state != executor::State::starting;
  if (status_.state == executor::State::exited) ended_.set();
  changed_.notify_all();
}

void ExecutorTask::on_executor_gone() {
  connection_.reset();
  if (auto record = read_exit_record(state_path_)) {
    status_ = std::move(*record);
  } else {
    if (auto launch = read_launch_record(state_path_)) status_ = std::move(*launch);
    kill_leftovers(status_);
    status_.state = executor::State::exited;
    status_.exit = {};
    // L-02: never "success" for an end nobody saw.
    status_.exit.error = fmt::format("the executor of the task died; how the task ended is unknown (boot {})", status_.boot_id);
  }
  answered_ = true;
  ended_.set();
  changed_.notify_all();
}

Async<> ExecutorTask::listen(std::shared_ptr<ExecutorTask> task) {
  for (;;) {
    if (!task->connection_) co_return;
    const auto message = co_await receive_from_executor(task->connection_.get());
    if (!message) {
      if (task->reaped_) task->connection_.reset();
      else task->on_executor_gone();
      co_return;
    }
    task->on_message(message->bytes);
  }
}

Async<Result<std::shared_ptr<ExecutorTask>>> ExecutorTask::start(Scope& scope, std::string executor_path, std::string state_path,
                                                                 LaunchSpec spec) {
  const auto boot = boot_id();
  if (!boot) co_return fail(boot.error());
  auto launch = prepare_launch(spec, *boot);
  if (!launch) co_return fail(std::move(launch).error());
  DROVER_CO_TRY(make_directories(std::filesystem::path(state_path).parent_path().string(), 0700));
  if (::mkdir(state_path.c_str(), 0700) != 0) {
    if (errno == EEXIST) co_return fail(Code::already_exists, "task with ID \"{}\" already started", spec.id);
    co_return fail_errno("making state directory \"{}\"", state_path);
  }
  auto directory = open_file(state_path, O_RDONLY | O_DIRECTORY);
  auto pair = make_socket_pair(SOCK_SEQPACKET);
  if (!directory || !pair) {
    remove_state(state_path);
    co_return fail(directory ? pair.error() : directory.error());
  }
  // The child's numbers are low and set one after the other; sources out of their way cannot be overwritten by one.
  std::vector<Fd> high;
  SpawnOptions options{.executable = executor_path, .arguments = {}, .environment = {}, .directory = "/"};
  options.new_session = true;
  const auto pass = [&](int target, int source) {
    high.emplace_back(::fcntl(source, F_DUPFD_CLOEXEC, 64));
    options.descriptors.emplace_back(target, high.back().get());
  };
  pass(executor::spec_fd, launch->spec.get());
  pass(executor::state_dir_fd, directory->get());
  pass(executor::control_fd, pair->second.get());
  for (const auto& [target, fd] : launch->extra) pass(target, fd.get());
  auto process = spawn_process(options);
  if (!process) {
    remove_state(state_path);
    co_return fail(std::move(process).error());
  }
  high.clear();
  pair->second.reset();
  scope.spawn(reap_child(std::move(*process)));
  fail_point("driver.start.spawned");

  auto task = std::make_shared<ExecutorTask>(Private{}, scope.executor(), state_path);
  task->connection_ = std::move(pair->first);
  task->status_.id = spec.id;
  scope.spawn(listen(task));
  while (!task->answered_) co_await task->changed_.wait();
  if (task->status_.state == executor::State::failed) {
    const Error error = launch_error(task->status_);
    task->reap();
    co_return fail(error);
  }
  // Once there was a process it may have begun to run, and the start counts: its end is unknown. Were it called a start that failed, an
  // agent that dies before it has noted this would start the task once more than its policy allows (L-02, L-03).
  if (task->ended() && !task->status_.exit.error.empty() && task->status_.pid == 0) {
    Error error(Code::internal, task->status_.exit.error);
    task->reap();
    // Nothing is wrong with the task: the restart policy may try again.
    co_return fail(std::move(error).with_recoverable());
  }
  co_return task;
}

Async<Result<std::shared_ptr<ExecutorTask>>> ExecutorTask::adopt(Scope& scope, std::string state_path) {
  auto task = std::make_shared<ExecutorTask>(Private{}, scope.executor(), state_path);
  const auto boot = boot_id();
  if (!boot) co_return fail(boot.error());
  for (int attempt = 0; !task->connection_; ++attempt) {
    const auto record = read_launch_record(state_path);
    if (record && record->boot_id != *boot) {
      // The kernel that ran it is gone; the id and the pid in the record mean nothing any more.
      remove_state(state_path);
      co_return fail(Code::not_found, "the host was rebooted since the task was started");
    }
    if (record) task->status_ = *record;
    auto connection = connect_to(state_path);
    if (connection) {
      task->connection_ = std::move(*connection);
    } else if (record) {
      task->on_executor_gone();
      break;
    } else if (forget_empty(state_path) || (attempt >= most_looks && keep_from_running(state_path))) {
      remove_state(state_path);
      co_return fail(Code::not_found, "no task was started in \"{}\"", state_path);
    } else {
      // Something is there: an executor that comes into being between our looks, or died before it had a record.
      co_await sleep_for(look_pause);
    }
  }
  if (task->connection_) scope.spawn(listen(task));
  while (!task->answered_) co_await task->changed_.wait();
  const bool failed = task->status_.state == executor::State::failed;
  if (failed || task->status_.pid == 0) {
    const std::string why = failed ? launch_error(task->status_).message() : "its executor died before it ran";
    task->reap();
    co_return fail(Code::not_found, "the start in \"{}\" had failed: {}", state_path, why);
  }
  co_return task;
}

Result<> ExecutorTask::signal(int number) {
  if (ended()) return fail(Code::not_found, "task is not running");
  std::string out(sizeof(executor::Header), '\0');
  executor::put_number(out, Tag::signal, static_cast<std::uint64_t>(number));
  return send_to_executor(connection_.get(), finish(std::move(out), Type::signal), {});
}

Result<> ExecutorTask::stop(int number, std::chrono::milliseconds grace) {
  if (ended()) return {};
  std::string out(sizeof(executor::Header), '\0');
  executor::put_number(out, Tag::signal, static_cast<std::uint64_t>(number));
  executor::put_number(out, Tag::grace_ms, static_cast<std::uint64_t>(grace.count()));
  return send_to_executor(connection_.get(), finish(std::move(out), Type::stop), {});
}

void ExecutorTask::reap() {
  if (connection_) {
    // An executor that is just dying needs no telling.
    const auto sent = send_to_executor(connection_.get(), message_of(Type::reap), {});
    static_cast<void>(sent);
    // The listener wakes and closes it: a descriptor that is being waited for must not be closed under it.
    reaped_ = true;
    ::shutdown(connection_.get(), SHUT_RD);
  }
  remove_state(state_path_);
}

Async<Result<Fd>> ExecutorTask::connect_session() {
  auto connection = connect_to(state_path_);
  if (!connection) co_return connection;
  const auto first = co_await receive_from_executor(connection->get());
  if (!first) co_return fail(first.error());
  co_return connection;
}

namespace {
using IsKnown = std::function<bool(const std::string&)>;

std::vector<std::string> starts_of(const std::string& slot, const IsKnown& is_known) {
  std::vector<std::string> out;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(slot, error)) {
    if (!is_known(entry.path().string())) out.push_back(entry.path().string());
  }
  return out;
}

Async<> end_and_forget(std::shared_ptr<ExecutorTask> task) {
  const auto stopped = task->stop(0, 0ms);
  if (stopped) co_await task->wait();
  task->reap();
}
}  // namespace

Async<> clear_slot(Scope& scope, std::string slot, IsKnown is_known) {
  for (const auto& path : starts_of(slot, is_known)) {
    auto task = co_await ExecutorTask::adopt(scope, path);
    if (task) co_await end_and_forget(std::move(*task));
  }
}

Async<Result<std::shared_ptr<ExecutorTask>>> adopt_slot(Scope& scope, std::string slot, IsKnown is_known) {
  std::shared_ptr<ExecutorTask> out;
  const auto rank = [](const ExecutorTask& task) { return std::pair(!task.ended(), task.status().started_at); };
  for (const auto& path : starts_of(slot, is_known)) {
    auto task = co_await ExecutorTask::adopt(scope, path);
    if (!task) continue;
    if (out && rank(**task) < rank(*out)) std::swap(out, *task);
    // L-03: of one task one start runs.
    if (out) co_await end_and_forget(std::move(out));
    out = std::move(*task);
  }
  if (!out) co_return fail(Code::not_found, "no start of the task is left in \"{}\"", slot);
  co_return out;
}

}  // namespace drover
