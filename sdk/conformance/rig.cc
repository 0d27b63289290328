#include "sdk/conformance/rig.h"

#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/post.hpp>
#include <filesystem>

#include "sdk/base/text.h"
#include "sdk/base/uuid.h"

namespace drover::conformance {
using namespace std::chrono_literals;

struct Fifo::State {
  explicit State(const Executor& loop) : executor(loop), scope(loop) {}
  Executor executor;
  Fd fd;
  std::string text;
  bool has_writer = false;
  Scope scope;
};

namespace {
constexpr std::size_t text_limit = 16 << 20;

// A pipe without a writer reads as its end, one with a silent writer as "not now": by polling both are told apart.
Async<> poll_fifo(std::shared_ptr<Fifo::State> state) {
  std::string buffer(65536, '\0');
  for (;;) {
    const ssize_t size = ::read(state->fd.get(), buffer.data(), buffer.size());
    state->has_writer = size > 0 || (size < 0 && errno == EAGAIN);
    if (size > 0) {
      if (state->text.size() < text_limit) state->text.append(buffer, 0, static_cast<std::size_t>(size));
      continue;
    }
    co_await sleep_for(10ms);
  }
}

Result<> make_place(const std::string& path, unsigned mode) {
  DROVER_TRY(make_directories(path, 0755));
  if (::chmod(path.c_str(), mode) != 0) return fail_errno("setting the mode of \"{}\"", path);
  return {};
}

// Protocol 7.2.
Result<> make_places(const Task& task) {
  DROVER_TRY(make_place(task.alloc_dir, 0755));
  for (const char* name : {"/alloc", "/alloc/logs", "/alloc/tmp", "/alloc/data"}) DROVER_TRY(make_place(task.alloc_dir + name, 0777));
  for (const char* name : {"", "/local", "/secrets", "/private"}) DROVER_TRY(make_place(task.task_dir + name, 0777));
  return make_place(task.task_dir + "/tmp", 01777);
}

void fill_environment(pb::TaskConfig& config, const Task& task, pb::FSIsolation isolation) {
  auto& env = *config.mutable_env();
  const bool own_root = isolation == pb::CHROOT || isolation == pb::IMAGE;
  env["NOMAD_ALLOC_DIR"] = own_root ? "/alloc" : task.alloc_dir + "/alloc";
  env["NOMAD_TASK_DIR"] = own_root ? "/local" : task.task_dir + "/local";
  env["NOMAD_SECRETS_DIR"] = own_root ? "/secrets" : task.task_dir + "/secrets";
  env["NOMAD_TASK_NAME"] = config.name();
  env["NOMAD_ALLOC_ID"] = config.alloc_id();
  if (isolation != pb::IMAGE) env["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  env["CONFORMANCE_MARK"] = task.mark;
}

void fill_resources(pb::TaskConfig& config) {
  auto& resources = *config.mutable_resources();
  resources.mutable_allocated_resources()->mutable_cpu()->set_cpu_shares(500);
  resources.mutable_allocated_resources()->mutable_memory()->set_memory_mb(256);
  auto& limits = *resources.mutable_linux_resources();
  limits.set_cpu_shares(500);
  limits.set_memory_limit_bytes(256LL << 20);
  limits.set_percentticks(0.1);
}
}  // namespace

Fifo::Fifo(Executor executor, const std::string& path, bool read) : state_(std::make_shared<State>(executor)) {
  ::mkfifo(path.c_str(), 0600);
  auto fd = open_file(path, O_RDONLY | O_NONBLOCK);
  if (!fd) return;
  state_->fd = std::move(*fd);
  if (read) state_->scope.spawn(poll_fifo(state_));
}

Fifo::~Fifo() {
  state_->scope.cancel();
  asio::post(state_->executor, [state = state_] {});
}

const std::string& Fifo::text() const { return state_->text; }
bool Fifo::has_writer() const { return state_->has_writer; }

std::string Task::file(const std::string& name) const { return read_file(task_dir + "/local/" + name).value_or(""); }

drover::known::Duration to_duration(std::chrono::nanoseconds value) {
  drover::known::Duration out;
  out.set_seconds(value.count() / 1'000'000'000);
  out.set_nanos(static_cast<std::int32_t>(value.count() % 1'000'000'000));
  return out;
}

Async<Result<TaskPtr>> prepare_task(Bench& bench, Run& run, TaskOptions options) {
  const auto schema = co_await bench.task_schema(run);
  if (!schema) co_return fail(schema.error());
  const auto capabilities = co_await bench.capabilities(run);
  if (!capabilities) co_return fail(capabilities.error());
  auto encoded = bench.settings().recipe.encode(options.wanted, *schema, options.shell);
  if (!encoded) co_return fail(encoded.error());

  const auto task = std::make_shared<Task>();
  Rng rng = Rng::from_system();
  const std::string alloc = make_uuid(rng);
  task->alloc_dir = bench.new_directory("a");
  pb::TaskConfig& config = task->config;
  config.set_name("web");
  config.set_id(fmt::format("{}/web/{:08x}", alloc, rng.next() & 0xffffffffU));
  task->task_dir = task->alloc_dir + "/web";
  task->mark = make_uuid(rng);
  DROVER_CO_TRY(make_places(*task));
  config.set_msgpack_driver_config(std::move(*encoded));
  config.set_alloc_dir(task->alloc_dir);
  config.set_alloc_id(alloc);
  config.set_job_id("conformance");
  config.set_job_name("conformance");
  config.set_task_group_name("group");
  config.set_namespace_("default");
  config.set_node_name("conformance");
  config.set_node_id(make_uuid(rng));
  fill_environment(config, *task, capabilities->fs_isolation());
  fill_resources(config);
  const bool fifos = (options.logs == Logs::fifos || options.logs == Logs::unread_fifos) && !capabilities->disable_log_collection();
  if (fifos) {
    config.set_stdout_path(task->alloc_dir + "/alloc/logs/.web.stdout.fifo");
    config.set_stderr_path(task->alloc_dir + "/alloc/logs/.web.stderr.fifo");
    const bool read = options.logs == Logs::fifos;
    task->out = std::make_unique<Fifo>(bench.executor(), config.stdout_path(), read);
    task->err = std::make_unique<Fifo>(bench.executor(), config.stderr_path(), read);
  } else if (options.logs != Logs::none) {
    config.set_stdout_path("/dev/null");
    config.set_stderr_path("/dev/null");
  }
  if (options.change) options.change(config);
  co_return task;
}

Async<Result<pb::StartTaskResponse>> call_start(Run& run, const Task& task) {
  pb::StartTaskRequest request;
  *request.mutable_task() = task.config;
  auto answer = co_await run.call<pb::StartTaskResponse>(driver_service + "StartTask", request, 120s);
  co_return answer;
}

Async<TaskPtr> start_task(Bench& bench, Check& check, Run& run, TaskOptions options) {
  if (!bench.settings().recipe.can(options.wanted)) {
    check.skip(fmt::format("needs a config that runs scripts{}", options.wanted.name.empty() ? "" : fmt::format(", or a case \"{}\", in --task-config", options.wanted.name)));
    co_return nullptr;
  }
  const std::string name = options.wanted.name;
  const auto prepared = co_await prepare_task(bench, run, std::move(options));
  if (!prepared) {
    check.expect(false, "a task can be prepared", prepared.error().message());
    co_return nullptr;
  }
  TaskPtr task = *prepared;
  const auto started = co_await call_start(run, *task);
  if (!started) {
    check.expect(false, fmt::format("the task{} starts", name.empty() ? "" : " \"" + name + "\""), fmt::format("{}; the process: {}", started.error().message(), run.alive() ? run.end_text() : run.epitaph()));
    co_return nullptr;
  }
  task->handle = started->handle();
  co_return task;
}

Async<bool> file_within(const Task& task, std::string name, std::chrono::nanoseconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (task.file(name).empty()) {
    if (std::chrono::steady_clock::now() > deadline) co_return false;
    co_await sleep_for(20ms);
  }
  co_return true;
}

Async<Result<pb::WaitTaskResponse>> wait_task(Run& run, std::string id, std::chrono::nanoseconds limit) {
  pb::WaitTaskRequest request;
  request.set_task_id(std::move(id));
  auto answer = co_await run.call<pb::WaitTaskResponse>(driver_service + "WaitTask", request, limit);
  co_return answer;
}

Async<Result<>> stop_task(Run& run, std::string id, std::chrono::nanoseconds timeout, std::string signal) {
  pb::StopTaskRequest request;
  request.set_task_id(std::move(id));
  *request.mutable_timeout() = to_duration(timeout);
  request.set_signal(std::move(signal));
  const auto answer = co_await run.call<pb::StopTaskResponse>(driver_service + "StopTask", request, timeout + 30s);
  if (!answer) co_return fail(answer.error());
  co_return Result<>{};
}

Async<Result<>> destroy_task(Run& run, std::string id, bool force) {
  pb::DestroyTaskRequest request;
  request.set_task_id(std::move(id));
  request.set_force(force);
  const auto answer = co_await run.call<pb::DestroyTaskResponse>(driver_service + "DestroyTask", request, 60s);
  if (!answer) co_return fail(answer.error());
  co_return Result<>{};
}

Async<Result<pb::InspectTaskResponse>> inspect_task(Run& run, std::string id) {
  pb::InspectTaskRequest request;
  request.set_task_id(std::move(id));
  auto answer = co_await run.call<pb::InspectTaskResponse>(driver_service + "InspectTask", request, 30s);
  co_return answer;
}

std::string describe(const Result<pb::WaitTaskResponse>& answer) {
  if (!answer) return answer.error().message();
  if (!answer->has_result()) return "no result" + (answer->err().empty() ? "" : ", error " + answer->err());
  std::string out = fmt::format("exit code {}", answer->result().exit_code());
  if (answer->result().signal() != 0) out += fmt::format(", signal {}", answer->result().signal());
  if (answer->result().oom_killed()) out += ", killed by the memory limit";
  if (!answer->err().empty()) out += ", error " + answer->err();
  return out;
}

std::vector<pid_t> processes_of(const Task& task) {
  std::vector<pid_t> out;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    const std::string name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    const auto environment = read_file(entry.path().string() + "/environ");
    if (environment && environment->find("CONFORMANCE_MARK=" + task.mark) != std::string::npos) out.push_back(std::atoi(name.c_str()));
  }
  return out;
}

Async<std::string> left_of(const Task& task) {
  std::string out;
  for (int i = 0; i < 50; ++i) {
    out.clear();
    for (const pid_t pid : processes_of(task)) out += fmt::format("process {}; ", pid);
    const std::string mounts = read_file("/proc/self/mountinfo").value_or("");
    for (const std::string& line : split(mounts, '\n')) {
      if (line.find(task.alloc_dir + "/") != std::string::npos) out += "mount " + line + "; ";
    }
    for (const auto* fifo : {task.out.get(), task.err.get()}) {
      if (fifo != nullptr && fifo->has_writer()) out += "somebody holds a log FIFO open; ";
    }
    if (out.empty()) co_return out;
    co_await sleep_for(100ms);
  }
  co_return out.substr(0, out.size() - 2);
}

}  // namespace drover::conformance
