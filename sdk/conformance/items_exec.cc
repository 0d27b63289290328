// Items 88 to 91: signals to a task, and commands beside it.
#include <memory>

#include "sdk/base/clock.h"
#include "sdk/base/text.h"
#include "sdk/conformance/rig.h"

namespace drover::conformance {
namespace {
using namespace std::chrono_literals;
const Wanted sleeps{"sleep", "echo run >> \"$NOMAD_TASK_DIR/starts\"; exec sleep 600"};

Async<Result<>> send_signal(Run& run, std::string id, std::string name) {
  pb::SignalTaskRequest request;
  request.set_task_id(std::move(id));
  request.set_signal(std::move(name));
  const auto answer = co_await run.call<pb::SignalTaskResponse>(driver_service + "SignalTask", request);
  if (!answer) co_return fail(answer.error());
  co_return Result<>{};
}

Async<> item_88(Bench& bench, Check& check) {
  const RunPtr run = co_await bench.ready(check);
  if (!run) co_return;
  const auto capabilities = co_await bench.capabilities(*run);
  if (!capabilities || !capabilities->send_signals()) co_return check.skip("the driver sends no signals");
  const TaskPtr task = co_await start_task(bench, check, *run, {.wanted = {"", "trap 'echo got > \"$NOMAD_TASK_DIR/got\"' HUP; echo yes > \"$NOMAD_TASK_DIR/ready\"; while :; do sleep 0.1; done"}});
  if (!task) co_return;
  [[maybe_unused]] const bool begun = co_await file_within(*task, "ready", 20s);
  const auto sent = co_await send_signal(*run, task->id(), "SIGHUP");
  check.expect(sent.has_value(), "SignalTask SIGHUP works", sent ? "" : sent.error().message());
  const bool got = co_await file_within(*task, "got", 10s);
  check.expect(got, "the task's handler for SIGHUP runs", "it does not");
  const auto odd = co_await send_signal(*run, task->id(), "SIGNOSUCH");
  check.should(!odd, "an error for a signal that does not exist", "success");
  [[maybe_unused]] const auto destroyed = co_await destroy_task(*run, task->id(), true);
}

Async<Result<pb::ExecTaskResponse>> execute(Run& run, std::string id, std::string script, std::chrono::nanoseconds timeout) {
  pb::ExecTaskRequest request;
  request.set_task_id(std::move(id));
  for (const std::string& word : {std::string("/bin/sh"), std::string("-c"), script}) request.add_command(word);
  *request.mutable_timeout() = to_duration(timeout);
  auto answer = co_await run.call<pb::ExecTaskResponse>(driver_service + "ExecTask", request, timeout + 30s);
  co_return answer;
}

// A running task of a driver that can execute; null after an entry in `check`.
Async<TaskPtr> executing_task(Bench& bench, Check& check, RunPtr& run) {
  run = co_await bench.ready(check);
  if (!run) co_return nullptr;
  const auto capabilities = co_await bench.capabilities(*run);
  if (!capabilities || !capabilities->exec()) {
    check.skip("the driver does not execute");
    co_return nullptr;
  }
  co_return co_await start_task(bench, check, *run, {.wanted = sleeps});
}

Async<> item_89(Bench& bench, Check& check) {
  RunPtr run;
  const TaskPtr task = co_await executing_task(bench, check, run);
  if (!task) co_return;
  const auto done = co_await execute(*run, task->id(), "echo to stdout; echo to stderr >&2; exit 3", 20s);
  check.expect(done.has_value(), "ExecTask works; an exit code other than 0 is no error", done ? "" : done.error().message());
  if (done) check.expect(done->has_result(), "result; its absence ends hosts written in Go", "none");
  if (done && bench.settings().recipe.runs_scripts()) {
    check.expect(done->result().exit_code() == 3, "exit code 3", std::to_string(done->result().exit_code()));
    check.expect(done->stdout() == "to stdout\n" && done->stderr() == "to stderr\n", "what the command wrote, each in its own field", fmt::format("stdout {}, stderr {}", quote(done->stdout()), quote(done->stderr())));
    const auto began = std::chrono::steady_clock::now();
    const auto late = co_await execute(*run, task->id(), "exec sleep 600", 2s);
    const auto took = std::chrono::steady_clock::now() - began;
    check.expect(took <= 15s, "the end of a command soon after its timeout of 2 s", format_duration(took));
    check.expect(!late || late->result().exit_code() != 0 || late->result().signal() != 0, "an error, or the end by a signal, for a command that timed out", "success");
  }
  [[maybe_unused]] const auto destroyed = co_await destroy_task(*run, task->id(), true);
}

// One session of streaming exec, as far as it has come.
struct Session {
  std::unique_ptr<rpc::Stream> stream;
  std::string out, err, order;  // order: o e O E x for data, ends and the exit
  std::optional<int> exit_code;
  bool result = false, over = false;
  Result<> status;
};
using SessionPtr = std::shared_ptr<Session>;

Async<> read_session(SessionPtr session) {
  for (;;) {
    const auto bytes = co_await session->stream->receive();
    if (!bytes) break;
    pb::ExecTaskStreamingResponse message;
    if (!message.ParseFromString(*bytes)) continue;
    session->out += message.stdout().data();
    session->err += message.stderr().data();
    if (message.stdout().close()) session->order += 'O';
    if (message.stderr().close()) session->order += 'E';
    if (message.exited()) {
      session->order += 'x';
      session->result = message.has_result();
      session->exit_code = message.result().exit_code();
    }
  }
  session->status = session->stream->status();
  session->over = true;
}

Async<SessionPtr> open_session(Run& run, Scope& scope, std::string id, std::string script, bool tty) {
  const auto session = std::make_shared<Session>();
  session->stream = run.client().open(driver_service + "ExecTaskStreaming");
  pb::ExecTaskStreamingRequest first;
  first.mutable_setup()->set_task_id(std::move(id));
  for (const std::string& word : {std::string("/bin/sh"), std::string("-c"), script}) first.mutable_setup()->add_command(word);
  first.mutable_setup()->set_tty(tty);
  std::string bytes = first.SerializeAsString();
  [[maybe_unused]] const bool sent = co_await session->stream->send(std::move(bytes));
  scope.spawn(read_session(session));
  co_return session;
}

Async<bool> send_input(SessionPtr session, std::string data, bool close) {
  pb::ExecTaskStreamingRequest message;
  if (close) message.mutable_stdin()->set_close(true);
  else message.mutable_stdin()->set_data(std::move(data));
  std::string bytes = message.SerializeAsString();
  const bool sent = co_await session->stream->send(std::move(bytes));
  co_return sent;
}

template <class F>
Async<bool> holds_within(F holds, std::chrono::nanoseconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > deadline) co_return false;
    co_await sleep_for(20ms);
  }
  co_return true;
}

std::string noise(std::size_t size) {
  Rng rng(7);
  std::string out(size, '\0');
  for (char& c : out) c = static_cast<char>(rng.next());
  return out;
}

void check_order(Check& check, const Session& session) {
  check.expect(session.order == "OEx" || session.order == "EOx", "the ends of stdout and stderr, then exited, then nothing", fmt::format("{} (O, E: ends of stdout and stderr, x: exited)", session.order.empty() ? "none of them" : session.order));
  check.expect(session.result, "result together with exited", "none");
  check.expect(session.over && session.status.has_value(), "the end of the stream without an error", session.over ? session.status.error().message() : "the stream is open");
}

Async<> item_90(Bench& bench, Check& check) {
  RunPtr run;
  const TaskPtr task = co_await executing_task(bench, check, run);
  if (!task) co_return;
  Scope scope(bench.executor());
  if (bench.settings().recipe.runs_scripts()) {
    const std::string sent = noise(1 << 20);
    const SessionPtr session = co_await open_session(*run, scope, task->id(), "head -c 1048576; echo to stderr >&2; exit 5", false);
    for (std::size_t at = 0; at < sent.size(); at += 32768) {
      std::string piece = sent.substr(at, 32768);
      const bool more = co_await send_input(session, std::move(piece), false);
      if (!more) break;
    }
    [[maybe_unused]] const bool over = co_await holds_within([&] { return session->over; }, 30s);
    check.expect(session->out == sent, "1 MiB of stdin back from head -c, byte by byte", fmt::format("{} bytes", session->out.size()));
    check.expect(session->err == "to stderr\n", "what the command writes to stderr", quote(session->err));
    check.expect(session->exit_code == 5, "exit code 5", session->exit_code ? std::to_string(*session->exit_code) : "none");
    check_order(check, *session);
  }
  const SessionPtr echo = co_await open_session(*run, scope, task->id(), "cat", false);
  [[maybe_unused]] const bool said = co_await send_input(echo, "once", false);
  [[maybe_unused]] const bool closed = co_await send_input(echo, "", true);
  const bool over = co_await holds_within([&] { return echo->over; }, 15s);
  check.should(over, "the end of cat when its stdin is closed", "it goes on");
  if (over && !bench.settings().recipe.runs_scripts()) check_order(check, *echo);
  if (over && bench.settings().recipe.runs_scripts()) check.expect(echo->out.find("once") != std::string::npos, "what was sent before stdin was closed", quote(echo->out));
  co_await scope.close();
  [[maybe_unused]] const auto destroyed = co_await destroy_task(*run, task->id(), true);
}

Async<> send_size(SessionPtr session, int rows, int columns) {
  pb::ExecTaskStreamingRequest message;
  message.mutable_tty_size()->set_height(rows);
  message.mutable_tty_size()->set_width(columns);
  std::string bytes = message.SerializeAsString();
  [[maybe_unused]] const bool sent = co_await session->stream->send(std::move(bytes));
}

Async<> item_91(Bench& bench, Check& check) {
  if (!bench.settings().recipe.runs_scripts()) co_return check.skip("needs a config that runs scripts in --task-config");
  RunPtr run;
  const TaskPtr task = co_await executing_task(bench, check, run);
  if (!task) co_return;
  Scope scope(bench.executor());
  const SessionPtr session = co_await open_session(*run, scope, task->id(),
                                                   "test -t 0 && echo a-terminal; echo ready; read line; stty size; trap 'exit 9' INT; echo armed; while :; do sleep 0.1; done", true);
  co_await send_size(session, 20, 60);
  const bool ready = co_await holds_within([&] { return session->out.find("ready") != std::string::npos || session->over; }, 20s);
  check.expect(ready && session->out.find("a-terminal") != std::string::npos, "a terminal as stdin", quote(session->out));
  co_await send_size(session, 33, 77);
  [[maybe_unused]] const bool said = co_await send_input(session, "go\n", false);
  [[maybe_unused]] const bool armed = co_await holds_within([&] { return session->out.find("armed") != std::string::npos || session->over; }, 20s);
  check.expect(session->out.find("33 77") != std::string::npos, "33 77 from stty size after the terminal was resized", quote(session->out));
  [[maybe_unused]] const bool interrupted = co_await send_input(session, "\x03", false);
  [[maybe_unused]] const bool over = co_await holds_within([&] { return session->over; }, 10s);
  check.expect(session->exit_code == 9 || session->exit_code == 130, "the end of the command by Ctrl-C", session->exit_code ? fmt::format("exit code {}", *session->exit_code) : session->over ? "no exit code" : "it goes on");
  co_await scope.close();
  [[maybe_unused]] const auto destroyed = co_await destroy_task(*run, task->id(), true);
}
}  // namespace

std::vector<ItemCheck> exec_checks() { return {{88, item_88}, {89, item_89}, {90, item_90}, {91, item_91}}; }

}  // namespace drover::conformance
