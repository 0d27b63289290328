#include "sdk/executor/executor_task.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>

#include "sdk/executor/exec_session.h"
#include "sdk/base/defer.h"
#include "tests/unit/plugins/support.h"

using namespace drover;
using namespace drover::testing;
using namespace std::chrono_literals;

namespace {

struct Bench {
  TempDir directory = *TempDir::make();
  asio::io_context loop;
  std::optional<Scope> scope{loop.get_executor()};

  ~Bench() { if (scope) wait_for(loop, scope->close()); }

  std::string state(const std::string& id = "alloc/web/1") const { return state_directory(directory.path() + "/state", id).path; }
  std::string logs() const { return directory.path() + "/logs"; }
  std::string stdout_text() const { return read_logs(logs(), "web.stdout"); }

  LaunchSpec shell(const std::string& script) const {
    REQUIRE(make_directories(logs()));
    LaunchSpec out;
    out.id = "alloc/web/1";
    out.executable = "/bin/sh";
    out.arguments = {"sh", "-c", script};
    out.environment = {"PATH=/usr/bin:/bin"};
    out.log_directory = logs();
    out.stdout_target.rotated_name = "web.stdout";
    out.stderr_target.rotated_name = "web.stderr";
    return out;
  }
  Result<std::shared_ptr<ExecutorTask>> start(LaunchSpec spec) {
    return wait_for(loop, ExecutorTask::start(*scope, DROVER_EXECUTOR_PATH, state(), std::move(spec)));
  }
  Result<std::shared_ptr<ExecutorTask>> adopt() { return wait_for(loop, ExecutorTask::adopt(*scope, state())); }
};

// Starts the task in another process and kills that one as `kill -9` does, once the task runs or the executor died.
void start_in_other_process_and_kill_it(const LaunchSpec& spec, const std::string& state) {
  auto told = *make_pipe();
  const pid_t pid = ::fork();
  REQUIRE(pid >= 0);
  if (pid == 0) {
    asio::io_context loop;
    Scope scope(loop.get_executor());
    std::optional<Result<std::shared_ptr<ExecutorTask>>> out;
    scope.spawn(keep(ExecutorTask::start(scope, DROVER_EXECUTOR_PATH, state, spec), out));
    while (!out && loop.run_one() > 0) {}
    const char answer = out && *out ? '1' : '0';
    ::write(told.write_end.get(), &answer, 1);
    for (;;) ::pause();
  }
  told.write_end.reset();
  char answer = 0;
  REQUIRE(::read(told.read_end.get(), &answer, 1) == 1);
  CHECK(answer == '1');
  REQUIRE(::kill(pid, SIGKILL) == 0);
  REQUIRE(::waitpid(pid, nullptr, 0) == pid);
}

bool exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

}  // namespace

TEST_CASE("executor: exit code, output and records of a short task") {
  Bench bench;
  auto task = bench.start(bench.shell("echo out; echo err >&2; exit 7"));
  REQUIRE(task);
  CHECK((*task)->status().pid > 1);
  wait_for(bench.loop, (*task)->wait());
  CHECK((*task)->status().exit == driver::ExitResult{.exit_code = 7});
  CHECK((*task)->status().ended_at >= (*task)->status().started_at);
  CHECK(bench.stdout_text() == "out\n");
  CHECK(read_logs(bench.logs(), "web.stderr") == "err\n");
  CHECK(exists(bench.state() + "/launch"));
  (*task)->reap();
  CHECK_FALSE(exists(bench.state()));
}

TEST_CASE("executor: a signal is told as signal and as 128 + number") {
  Bench bench;
  auto task = bench.start(bench.shell("kill -TERM $$"));
  REQUIRE(task);
  wait_for(bench.loop, (*task)->wait());
  CHECK((*task)->status().exit == driver::ExitResult{.exit_code = 143, .signal = 15});
  (*task)->reap();
}

TEST_CASE("executor: a command that cannot be executed is an error that names stage and file") {
  Bench bench;
  auto spec = bench.shell("");
  spec.executable = "/no/such/program";
  const auto task = bench.start(std::move(spec));
  REQUIRE_FALSE(task);
  CHECK(task.error().message() == "executing: \"/no/such/program\": no such file or directory");
  CHECK_FALSE(exists(bench.state()));
}

TEST_CASE("executor: R-003 the task sees three descriptors and an empty environment is empty") {
  Bench bench;
  auto spec = bench.shell("ls /proc/self/fd | wc -l; env | sort");
  auto task = bench.start(std::move(spec));
  REQUIRE(task);
  wait_for(bench.loop, (*task)->wait());
  // 0, 1, 2 and the one ls opened.
  CHECK(bench.stdout_text() == "4\nPATH=/usr/bin:/bin\nPWD=/\n");
  (*task)->reap();
}

TEST_CASE("executor: stop sends the signal, and SIGKILL after the grace period") {
  Bench bench;
  SUBCASE("the task obeys") {
    auto task = bench.start(bench.shell("trap 'exit 3' INT; echo ready; while :; do sleep 0.01; done"));
    REQUIRE(task);
    while (bench.stdout_text() != "ready\n") bench.loop.run_one_for(1ms);
    REQUIRE((*task)->stop(SIGINT, 1h));
    wait_for(bench.loop, (*task)->wait());
    CHECK((*task)->status().exit.exit_code == 3);
    (*task)->reap();
  }
  SUBCASE("the task and its children ignore it") {
    auto task = bench.start(bench.shell("trap '' INT TERM; (setsid sh -c 'echo child $$; exec sleep 1000' &) ; echo ready; sleep 1000"));
    REQUIRE(task);
    while (bench.stdout_text().find("ready") == std::string::npos || bench.stdout_text().find("child") == std::string::npos) {
      bench.loop.run_one_for(1ms);
    }
    const std::string text = bench.stdout_text();
    const pid_t child = std::atoi(text.c_str() + text.find("child ") + 6);
    const auto left = Process::open(child);
    REQUIRE(left);
    REQUIRE((*task)->stop(SIGTERM, 20ms));
    wait_for(bench.loop, (*task)->wait());
    CHECK((*task)->status().exit.signal == SIGKILL);
    // The daemon that left the group and session goes as well.
    const auto gone = wait_for(bench.loop, wait_readable(left->pidfd()));
    CHECK(gone);
    (*task)->reap();
  }
}

TEST_CASE("executor: L-01 kill -9 of the starting process loses neither output nor exit code") {
  Bench bench;
  const std::string go = bench.directory.path() + "/go";
  REQUIRE(::mkfifo(go.c_str(), 0600) == 0);
  start_in_other_process_and_kill_it(
      bench.shell("i=0; while [ $i -lt 2000 ]; do echo line $i; i=$((i+1)); [ $i -eq 1000 ] && read x < " + go + "; done; exit 5"), bench.state());
  auto task = bench.adopt();
  REQUIRE(task);
  CHECK((*task)->status().state == executor::State::running);
  CHECK((*task)->status().id == "alloc/web/1");
  REQUIRE(write_file(go, "on\n"));
  wait_for(bench.loop, (*task)->wait());
  CHECK((*task)->status().exit.exit_code == 5);
  std::string expected;
  for (int i = 0; i < 2000; ++i) expected += "line " + std::to_string(i) + "\n";
  CHECK(bench.stdout_text() == expected);
  (*task)->reap();
}

TEST_CASE("executor: L-02 an exit code survives the executor as well") {
  Bench bench;
  auto spec = bench.shell("echo bye; exit 9");
  spec.fail_point = executor::FailPoint::after_exit_record;
  auto task = bench.start(std::move(spec));
  REQUIRE(task);
  wait_for(bench.loop, (*task)->wait());
  CHECK((*task)->status().exit == driver::ExitResult{.exit_code = 9});
  const auto adopted = bench.adopt();
  REQUIRE(adopted);
  CHECK((*adopted)->status().exit.exit_code == 9);
  CHECK(bench.stdout_text() == "bye\n");
  (*task)->reap();
}

TEST_CASE("executor: F-11 F-12 an executor killed at any step leaves no task and never says success") {
  using executor::FailPoint;
  for (const auto point : {FailPoint::before_record, FailPoint::after_record, FailPoint::after_clone, FailPoint::after_exec,
                           FailPoint::while_running, FailPoint::before_exit_record, FailPoint::before_exit_sync}) {
    CAPTURE(static_cast<int>(point));
    Bench bench;
    const std::string mark = bench.directory.path() + "/pid";
    auto spec = bench.shell("echo $$ > " + mark + ".tmp; mv " + mark + ".tmp " + mark + "; echo x; " +
                            (point == FailPoint::before_exit_record || point == FailPoint::before_exit_sync ? "exit 0" : "exec sleep 1000"));
    spec.fail_point = point;
    auto task = bench.start(std::move(spec));
    // What may have run was started, and has an end.
    CHECK(task.has_value() == (point != FailPoint::before_record && point != FailPoint::after_record));
    if (task) {
      wait_for(bench.loop, (*task)->wait());
      // Written but not yet durable is enough as long as the machine lives.
      if (point == FailPoint::before_exit_sync) CHECK((*task)->status().exit == driver::ExitResult{});
      else CHECK((*task)->status().exit.error.find("unknown (boot ") != std::string::npos);
      (*task)->reap();
    }
    CHECK_FALSE(exists(bench.state()));
    if (const auto text = read_file(mark)) {
      const auto left = Process::open(std::atoi(text->c_str()));
      if (left) CHECK(wait_for(bench.loop, wait_readable(left->pidfd())));
    }
  }
}

TEST_CASE("executor: L-03 a second start with the same state is refused, a left-over of the slot is cleared") {
  Bench bench;
  start_in_other_process_and_kill_it(bench.shell("exec sleep 1000"), bench.state());
  const auto again = bench.start(bench.shell("exit 0"));
  REQUIRE_FALSE(again);
  CHECK(again.error().code() == Code::already_exists);
  pid_t pid = 0;
  {
    const auto adopted = bench.adopt();
    REQUIRE(adopted);
    pid = (*adopted)->status().pid;
  }
  const auto left = Process::open(pid);
  REQUIRE(left);
  const auto place = state_directory(bench.directory.path() + "/state", "alloc/web/2");
  wait_for(bench.loop, clear_slot(*bench.scope, place.slot, [](const std::string&) { return false; }));
  CHECK(wait_for(bench.loop, wait_readable(left->pidfd())));
  CHECK_FALSE(exists(bench.state()));
}

TEST_CASE("executor: L-03 a start that was given up cannot come to life, however late its executor is") {
  Bench bench;
  REQUIRE(make_directories(bench.state(), 0700));
  const auto directory = open_file(bench.state(), O_RDONLY | O_DIRECTORY);  // as an executor has it that is about to begin
  REQUIRE(directory);
  bool made_socket = false;
  SUBCASE("before its socket") {}
  SUBCASE("between its socket and its record") {
    const Fd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string name = fmt::format("/proc/self/fd/{}/{}", directory->get(), executor::socket_name);
    std::memcpy(address.sun_path, name.c_str(), name.size() + 1);
    REQUIRE(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    made_socket = true;
  }
  const auto adopted = bench.adopt();
  REQUIRE_FALSE(adopted);
  CHECK(adopted.error().code() == Code::not_found);
  CHECK_FALSE(exists(bench.state()));
  const Fd record(::openat(directory->get(), executor::record_name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  CHECK_FALSE(record);
  CHECK((made_socket || errno == ENOENT));
}

TEST_CASE("executor: rotation on disk keeps lines whole and the newest files") {
  Bench bench;
  auto spec = bench.shell("i=10000; while [ $i -lt 14000 ]; do echo 0123456789012345678901234567890123456789 $i; i=$((i+1)); done");
  spec.log_max_bytes = 16384;
  spec.log_max_files = 3;
  auto task = bench.start(std::move(spec));
  REQUIRE(task);
  wait_for(bench.loop, (*task)->wait());
  std::vector<int> indexes;
  for (int i = 0; i < 100; ++i) {
    const auto text = read_file(bench.logs() + "/web.stdout." + std::to_string(i));
    if (!text) continue;
    indexes.push_back(i);
    CHECK(text->size() <= 16384);
    CHECK(text->back() == '\n');
    CHECK(text->size() % 47 == 0);
  }
  // 348 lines of 47 bytes fit into a file. Output that was read in the middle of a line may begin the next file a little earlier.
  REQUIRE(indexes.size() == 3);
  CHECK(indexes[0] >= 9);
  CHECK(indexes[2] == indexes[0] + 2);
  (*task)->reap();
}

TEST_CASE("executor: large output far from the limit passes unseen and complete") {
  Bench bench;
  auto task = bench.start(bench.shell("head -c 9000000 /dev/zero | tr '\\0' 'x'; echo; head -c 3000000 /dev/zero | tr '\\0' 'y'; echo"));
  REQUIRE(task);
  wait_for(bench.loop, (*task)->wait());
  const std::string text = bench.stdout_text();
  CHECK(text.size() == 12000002);
  CHECK(text == std::string(9000000, 'x') + "\n" + std::string(3000000, 'y') + "\n");
  (*task)->reap();
}

TEST_CASE("executor: output goes on in the highest file that is there") {
  Bench bench;
  REQUIRE(make_directories(bench.logs()));
  REQUIRE(write_file(bench.logs() + "/web.stdout.3", "old\n"));
  REQUIRE(write_file(bench.logs() + "/web.stdout.11", "newer\n"));
  auto task = bench.start(bench.shell("echo new"));
  REQUIRE(task);
  wait_for(bench.loop, (*task)->wait());
  CHECK(*read_file(bench.logs() + "/web.stdout.11") == "newer\nnew\n");
  (*task)->reap();
}

TEST_CASE("executor: exec sessions have their own streams, exit code and limit") {
  Bench bench;
  auto task = bench.start(bench.shell("exec sleep 1000"));
  REQUIRE(task);
  ExecSpec spec{.arguments = {"sh", "-c", "echo out; echo err >&2; exit 4"}, .environment = {"PATH=/usr/bin:/bin"}};
  const auto result = wait_for(bench.loop, run_exec(*task, spec, 10s));
  REQUIRE(result);
  CHECK(result->stdout_data == "out\n");
  CHECK(result->stderr_data == "err\n");
  CHECK(result->exit.exit_code == 4);
  spec.arguments = {"/no/such"};
  const auto missing = wait_for(bench.loop, run_exec(*task, spec, 10s));
  REQUIRE_FALSE(missing);
  CHECK(missing.error().message() == "failed to start command: fork/exec /no/such: no such file or directory");
  spec.arguments = {"sleep", "1000"};
  const auto late = wait_for(bench.loop, run_exec(*task, spec, 20ms));
  REQUIRE_FALSE(late);
  CHECK(late.error().code() == Code::deadline_exceeded);
  REQUIRE((*task)->stop(SIGKILL, 0ms));
  wait_for(bench.loop, (*task)->wait());
  (*task)->reap();
}

TEST_CASE("executor: an interactive session with a terminal has its size and its controlling terminal") {
  Bench bench;
  auto task = bench.start(bench.shell("exec sleep 1000"));
  REQUIRE(task);
  Channel<driver::ExecInput> input(bench.loop.get_executor(), 8);
  Channel<driver::ExecOutput> output(bench.loop.get_executor(), 8);
  driver::ExecInput size;
  size.resize = driver::TerminalSize{.height = 41, .width = 101};
  REQUIRE(input.try_send(size));
  driver::ExecInput line;
  line.stdin_data = "stty size; tty; exit 6\n";
  REQUIRE(input.try_send(line));
  std::string text;
  std::optional<std::int32_t> code;
  bench.scope->spawn(collect(output, text, code));
  ExecSpec spec{.arguments = {"/bin/sh"}, .environment = {"PATH=/usr/bin:/bin", "PS1=$ "}, .terminal = true};
  const auto done = wait_for(bench.loop, stream_exec(*task, spec, input, output));
  REQUIRE(done);
  while (!code) bench.loop.run_one();
  CHECK(*code == 6);
  CHECK(text.find("41 101") != std::string::npos);
  CHECK(text.find("/dev/pts/") != std::string::npos);
  REQUIRE((*task)->stop(SIGKILL, 0ms));
  wait_for(bench.loop, (*task)->wait());
  (*task)->reap();
}

TEST_CASE("executor: an interactive session with pipes ends its input when it is told to") {
  Bench bench;
  auto task = bench.start(bench.shell("exec sleep 1000"));
  REQUIRE(task);
  Channel<driver::ExecInput> input(bench.loop.get_executor(), 8);
  Channel<driver::ExecOutput> output(bench.loop.get_executor(), 8);
  driver::ExecInput data;
  data.stdin_data = "through";
  data.stdin_eof = true;
  REQUIRE(input.try_send(data));
  std::string text;
  std::optional<std::int32_t> code;
  bench.scope->spawn(collect(output, text, code));
  const auto done = wait_for(bench.loop, stream_exec(*task, {.arguments = {"cat"}, .environment = {}}, input, output));
  REQUIRE(done);
  while (!code) bench.loop.run_one();
  CHECK(*code == 0);
  CHECK(text == "through");
  REQUIRE((*task)->stop(SIGKILL, 0ms));
  wait_for(bench.loop, (*task)->wait());
  (*task)->reap();
}

TEST_CASE("executor: R-052 a state directory with a long path works") {
  Bench bench;
  const std::string state = bench.directory.path() + "/" + std::string(120, 'd') + "/" + std::string(120, 'e');
  auto task = wait_for(bench.loop, ExecutorTask::start(*bench.scope, DROVER_EXECUTOR_PATH, state, bench.shell("exit 2")));
  REQUIRE(task);
  wait_for(bench.loop, (*task)->wait());
  const auto adopted = wait_for(bench.loop, ExecutorTask::adopt(*bench.scope, state));
  REQUIRE(adopted);
  CHECK((*adopted)->status().exit.exit_code == 2);
  (*task)->reap();
}

TEST_CASE("executor: a full disk loses log bytes, counts them, and does not hold up the task" * doctest::skip(::geteuid() != 0)) {
  Bench bench;
  REQUIRE(make_directories(bench.logs()));
  REQUIRE(::mount("tmpfs", bench.logs().c_str(), "tmpfs", 0, "size=256k") == 0);
  const std::string logs = bench.logs();
  Defer unmount([&logs] { ::umount2(logs.c_str(), MNT_DETACH); });
  auto task = bench.start(bench.shell("head -c 2000000 /dev/zero | tr '\\0' 'x'; exit 6"));
  REQUIRE(task);
  wait_for(bench.loop, (*task)->wait());
  CHECK((*task)->status().exit.exit_code == 6);
  const std::string kept = bench.stdout_text();
  CHECK(kept.size() > 100000);
  CHECK((*task)->status().dropped_log_bytes == 2000000 - kept.size());
  (*task)->reap();
}

TEST_CASE("executor: R-050 the control socket and its directory are the owner's alone") {
  Bench bench;
  auto task = bench.start(bench.shell("exit 0"));
  REQUIRE(task);
  struct stat info {};
  REQUIRE(::stat(bench.state().c_str(), &info) == 0);
  CHECK((info.st_mode & 07777) == 0700);
  REQUIRE(::stat((bench.state() + "/control").c_str(), &info) == 0);
  CHECK((info.st_mode & 07777) == 0600);
  wait_for(bench.loop, (*task)->wait());
  (*task)->reap();
}

TEST_CASE("executor: a reap while the task runs is not obeyed") {
  Bench bench;
  auto task = bench.start(bench.shell("exec sleep 1000"));
  REQUIRE(task);
  const auto connection = wait_for(bench.loop, (*task)->connect_session());
  REQUIRE(connection);
  std::string reap(sizeof(executor::Header), '\0');
  executor::write_header(reap.data(), executor::Type::reap, reap.size());
  REQUIRE(send_to_executor(connection->get(), reap, {}));
  REQUIRE((*task)->stop(SIGTERM, 1h));
  wait_for(bench.loop, (*task)->wait());
  CHECK((*task)->status().exit == driver::ExitResult{.exit_code = 143, .signal = 15});
  (*task)->reap();
}

TEST_CASE("executor: N-029 what the executor protects itself with is not passed on") {
  Bench bench;
  auto spec = bench.shell("cat /proc/self/oom_score_adj; umask; grep -E 'Sig(Blk|Ign)' /proc/self/status");
  spec.oom_score_adj = 321;
  auto task = bench.start(std::move(spec));
  REQUIRE(task);
  wait_for(bench.loop, (*task)->wait());
  CHECK(bench.stdout_text() == "321\n0022\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
  (*task)->reap();
}

namespace {
Async<> run_stream(std::shared_ptr<ExecutorTask> task, ExecSpec spec, Channel<driver::ExecInput>& input, Channel<driver::ExecOutput>& output) {
  const auto done = co_await stream_exec(std::move(task), std::move(spec), input, output);
  CHECK_FALSE(done);
}
Async<> first_output(Channel<driver::ExecOutput>& output, std::string& text) {
  while (text.find('\n') == std::string::npos) {
    const auto message = co_await output.receive();
    if (!message) co_return;
    text += message->stdout_data;
  }
}
}  // namespace

TEST_CASE("executor: giving up an interactive session kills its command and leaves the task alone") {
  Bench bench;
  auto task = bench.start(bench.shell("exec sleep 1000"));
  REQUIRE(task);
  std::string text;
  {
    Channel<driver::ExecInput> input(bench.loop.get_executor(), 8);
    Channel<driver::ExecOutput> output(bench.loop.get_executor(), 8);
    Scope scope(bench.loop.get_executor());
    scope.spawn(run_stream(*task, {.arguments = {"/bin/sh", "-c", "echo $$; exec sleep 1000"}, .environment = {}}, input, output));
    wait_for(bench.loop, first_output(output, text));
    wait_for(bench.loop, scope.close());
  }
  const auto command = Process::open(std::atoi(text.c_str()));
  if (command) CHECK(wait_for(bench.loop, wait_readable(command->pidfd())));
  CHECK_FALSE((*task)->ended());
  REQUIRE((*task)->stop(SIGKILL, 0ms));
  wait_for(bench.loop, (*task)->wait());
  (*task)->reap();
}

TEST_CASE("executor: R-061 sessions beyond the limit are refused, a finished one makes room") {
  Bench bench;
  auto task = bench.start(bench.shell("exec sleep 1000"));
  REQUIRE(task);
  const ExecSpec spec{.arguments = {"/bin/sleep", "1000"}, .environment = {}};
  std::vector<Fd> sessions;
  const auto ask = [&]() -> executor::Type {
    auto connection = wait_for(bench.loop, (*task)->connect_session());
    if (!connection) return {};
    const auto memory = encode_exec(spec);
    const auto null = open_file("/dev/null", O_RDWR);
    std::string request(sizeof(executor::Header), '\0');
    executor::write_header(request.data(), executor::Type::exec, request.size());
    REQUIRE(send_to_executor(connection->get(), request, {memory->get(), null->get(), null->get(), null->get()}));
    const auto answer = wait_for(bench.loop, receive_from_executor(connection->get()));
    REQUIRE(answer);
    sessions.push_back(std::move(*connection));
    return executor::message_type(answer->bytes.data(), answer->bytes.size());
  };
  for (std::size_t i = 0; i < executor::max_sessions; ++i) CHECK(ask() == executor::Type::exec_started);
  CHECK(ask() == executor::Type::failed);
  sessions.clear();
  // The closed sessions are killed and reaped before long; each attempt tells.
  executor::Type last{};
  for (int i = 0; i < 1000 && last != executor::Type::exec_started; ++i) last = ask();
  CHECK(last == executor::Type::exec_started);
  sessions.clear();
  REQUIRE((*task)->stop(SIGKILL, 0ms));
  wait_for(bench.loop, (*task)->wait());
  (*task)->reap();
}
