#include "task.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>

#include "sdk/async/process.h"
#include "sdk/base/clock.h"
#include "sdk/base/file.h"
#include "sdk/base/text.h"

using namespace drover;
using namespace drover::driver;
using json = nlohmann::json;

namespace {
// Whom the task runs as; null: whom the plugin runs as.
Result<json> user_of(const std::string& name) {
  if (name.empty()) return json(nullptr);
  const bool number = name.find_first_not_of("0123456789") == std::string::npos;
  const passwd* entry = number ? ::getpwuid(static_cast<uid_t>(std::stoul(name))) : ::getpwnam(name.c_str());
  if (entry == nullptr) {
    if (!number) return fail(Code::invalid_argument, "there is no user \"{}\"", name);
    return json{{"uid", std::stoul(name)}, {"gid", std::stoul(name)}, {"groups", json::array()}};
  }
  int count = 64;
  std::vector<gid_t> groups(64);
  if (::getgrouplist(entry->pw_name, entry->pw_gid, groups.data(), &count) < 0) count = 0;
  groups.resize(static_cast<std::size_t>(count));
  return json{{"uid", entry->pw_uid}, {"gid", entry->pw_gid}, {"groups", groups}};
}

// An id has slashes; its start has a new id each time.
std::string file_name(std::string id) {
  for (char& c : id) c = c == '/' ? '_' : c;
  return id;
}

int signal_number(const std::string& name) {
  for (int number = 1; number < 32; ++number) {
    const char* known = ::sigabbrev_np(number);
    if (known != nullptr && name == std::string("SIG") + known) return number;
  }
  return 0;
}

// All that the keeper says: "ok", or why not.
Async<std::string> read_all(int fd) {
  std::string out;
  for (;;) {
    const auto readable = co_await wait_readable(fd);
    char buffer[1024];
    const ssize_t size = ::read(fd, buffer, sizeof buffer);
    if (!readable || size <= 0) break;
    out.append(buffer, static_cast<std::size_t>(size));
    if (out.ends_with('\n')) break;
  }
  co_return std::string(trim(out));
}
}  // namespace

Task::Task(Executor executor, TaskConfig config, const std::string& state_dir)
    : ended(executor), config_(std::move(config)), directory_(state_dir + "/" + file_name(config_.id)), started_at_(system_clock().unix_nanos()), scope_(executor) {}

Async<Result<>> Task::start(Ptr task, std::vector<std::string> command) {
  const TaskConfig& config = task->config_;
  const auto user = user_of(config.user);
  if (!user) co_return fail(user.error());
  const json spec{{"command", command}, {"env", config.env}, {"directory", config.alloc_dir + "/" + config.name},
                  {"stdout", config.stdout_path}, {"stderr", config.stderr_path}, {"user", *user}};
  DROVER_CO_TRY(make_directories(task->directory_, 0700));
  DROVER_CO_TRY(write_file(task->directory_ + "/spec", spec.dump(-1, ' ', false, json::error_handler_t::replace), 0600));
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) co_return fail_errno("making a pipe");
  const Fd from(ends[0]);
  Fd to(ends[1]);
  auto keeper = spawn_process({.executable = "/proc/self/exe", .arguments = {"keep", task->directory_}, .directory = "/", .stdout_fd = to.get(), .new_session = true});
  if (!keeper) co_return fail(keeper.error());
  to = Fd();
  task->keeper_ = std::move(*keeper);
  task->keeper_began_ = process_start_ticks(task->keeper_.pid()).value_or(0);
  task->scope_.spawn(follow(task));
  const std::string said = co_await read_all(from.get());
  task->pid_ = static_cast<pid_t>(std::atoi(read_file(task->directory_ + "/pid").value_or("").c_str()));
  if (said != "ok") {
    co_await destroy(task);
    co_return fail(Code::internal, "starting \"{}\": {}", command.front(), said.empty() ? "its keeper died" : said);
  }
  co_return Result<>{};
}

Result<> Task::recover(Ptr task, const std::string& driver_state) {
  const json state = json::parse(driver_state, nullptr, false);
  if (!state.is_object() || !state.contains("keeper") || !state["keeper"].is_number_integer()) return fail(Code::invalid_argument, "this is no handle of @name@");
  task->directory_ = state.value("directory", "");
  task->keeper_began_ = state.value("began", std::uint64_t{0});
  task->pid_ = state.value("pid", 0);
  task->started_at_ = state.value("started_at", std::int64_t{0});
  std::error_code error;
  if (!std::filesystem::is_directory(task->directory_, error)) return fail(task_not_found());
  const pid_t number = state["keeper"].get<pid_t>();
  auto keeper = Process::open(number);
  if (keeper && process_start_ticks(number).value_or(0) == task->keeper_began_) {
    task->keeper_ = std::move(*keeper);
    task->scope_.spawn(follow(task));
  } else {
    task->finish();
  }
  return {};
}

// Until the keeper, which need not be our child, is gone.
Async<> Task::follow(Ptr task) {
  [[maybe_unused]] const auto status = co_await wait_process(task->keeper_);
  task->finish();
}

void Task::finish() {
  const json end = json::parse(read_file(directory_ + "/exit").value_or(""), nullptr, false);
  completed_at_ = system_clock().unix_nanos();
  if (end.is_object()) {
    result = {.exit_code = end.value("code", 0), .signal = end.value("signal", 0)};
    completed_at_ = end.value("at", completed_at_);
  } else {
    result.error = "the end of the task is not known: its keeper is gone";
  }
  ended.set();
}

Result<> Task::signal(const std::string& name) const {
  const int number = signal_number(name);
  if (number == 0) return fail(Code::invalid_argument, "there is no signal \"{}\"", name);
  // While its keeper lives, the number of the task is not given to another process.
  if (!ended.is_set() && pid_ > 0) ::kill(pid_, number);
  return {};
}

Async<Result<>> Task::stop(Ptr task, std::chrono::nanoseconds timeout, std::string signal) {
  if (timeout.count() > 0) {
    DROVER_CO_TRY(task->signal(signal));
    [[maybe_unused]] const bool over = co_await task->ended.wait_for(timeout);
  }
  if (!task->ended.is_set() && task->pid_ > 0) ::kill(-task->pid_, SIGKILL);
  co_await task->ended.wait();
  co_return Result<>{};
}

Async<> Task::destroy(Ptr task) {
  [[maybe_unused]] const auto stopped = co_await stop(task, std::chrono::nanoseconds(0), "");
  std::error_code error;
  std::filesystem::remove_all(task->directory_, error);
}

TaskHandle Task::handle() const {
  const json state{{"directory", directory_}, {"keeper", keeper_.pid()}, {"began", keeper_began_}, {"pid", pid_}, {"started_at", started_at_}};
  return {.version = 1, .config = config_, .state = TaskState::running, .driver_state = state.dump()};
}

TaskStatus Task::status() const {
  TaskStatus out{.id = config_.id, .name = config_.name, .state = ended.is_set() ? TaskState::exited : TaskState::running,
                 .started_at = started_at_, .completed_at = completed_at_};
  if (ended.is_set()) out.exit_result = result;
  return out;
}
