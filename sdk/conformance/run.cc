#include "sdk/conformance/run.h"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <csignal>
#include <cstring>

#include "sdk/async/event.h"
#include "sdk/async/process.h"
#include "sdk/async/scope.h"
#include "sdk/base/file.h"
#include "sdk/base/text.h"
#include "sdk/plugin/handshake.h"

namespace drover::conformance {
namespace {
using namespace std::chrono_literals;
constexpr std::size_t stdout_limit = 1 << 20, stderr_limit = 8 << 20, tail_bytes = 2000;
}  // namespace

struct Run::State {
  explicit State(const Executor& loop) : executor(loop), changed(loop), ended(loop), scope(loop) {}
  Executor executor;
  Process process;
  std::string directory;
  std::string out;
  std::shared_ptr<std::string> err = std::make_shared<std::string>();
  std::optional<asio::posix::stream_descriptor> out_pipe, err_pipe;
  std::chrono::steady_clock::time_point started = std::chrono::steady_clock::now();
  std::optional<std::chrono::nanoseconds> line_after;
  bool out_over = false;
  std::shared_ptr<rpc::Client> client;
  Condition changed;
  Event ended;
  ExitStatus status;
  Scope scope;
};

namespace {
using StatePtr = std::shared_ptr<Run::State>;

Async<> read_stdout(StatePtr state) {
  char buffer[16384];
  for (;;) {
    const auto [error, size] = co_await state->out_pipe->async_read_some(asio::buffer(buffer), no_throw);
    if (error) break;
    const std::string_view chunk(buffer, size);
    if (!state->line_after && chunk.find('\n') != std::string_view::npos) state->line_after = std::chrono::steady_clock::now() - state->started;
    if (state->out.size() < stdout_limit) state->out += chunk;
    state->changed.notify_all();
  }
  state->out_over = true;
  state->changed.notify_all();
}

Async<> read_stderr(StatePtr state) {
  char buffer[16384];
  for (;;) {
    const auto [error, size] = co_await state->err_pipe->async_read_some(asio::buffer(buffer), no_throw);
    if (error) co_return;
    if (state->err->size() < stderr_limit) state->err->append(buffer, size);
  }
}

Async<> watch(StatePtr state) {
  const auto status = co_await wait_process(state->process);
  if (status) state->status = *status;
  // What it said last is still in the pipes.
  co_await sleep_for(20ms);
  state->ended.set();
  state->changed.notify_all();
}
}  // namespace

std::map<std::string, std::string> host_variables(const std::string& directory) {
  return {{plugin::cookie_key, plugin::cookie_value}, {"PLUGIN_MIN_PORT", "10000"},  {"PLUGIN_MAX_PORT", "25000"},
          {"PLUGIN_PROTOCOL_VERSIONS", "2"},          {"PLUGIN_UNIX_SOCKET_DIR", directory}, {"TMPDIR", directory}};
}

Result<std::shared_ptr<Run>> Run::spawn(Executor executor, Start start) {
  DROVER_TRY(make_directories(start.directory, 0700));
  auto out = make_pipe();
  if (!out) return fail(out.error());
  auto err = make_pipe();
  if (!err) return fail(err.error());
  SpawnOptions options{.executable = start.executable, .arguments = start.arguments, .stdout_fd = out->write_end.get(), .stderr_fd = err->write_end.get(), .new_session = true};
  auto variables = start.environment;
  for (auto& [key, value] : host_variables(start.directory)) variables[key] = value;
  for (const auto& key : start.without) variables.erase(key);
  for (const auto& [key, value] : start.changed) variables[key] = value;
  for (const auto& [key, value] : variables) options.environment.push_back(key + "=" + value);
  auto process = spawn_process(options);
  if (!process) return fail(process.error());
  const auto state = std::make_shared<State>(executor);
  state->process = std::move(*process);
  state->directory = start.directory;
  state->out_pipe.emplace(executor, out->read_end.release());
  state->err_pipe.emplace(executor, err->read_end.release());
  state->scope.spawn(read_stdout(state));
  state->scope.spawn(read_stderr(state));
  state->scope.spawn(watch(state));
  return std::make_shared<Run>(state);
}

Run::Run(std::shared_ptr<State> state) : state_(std::move(state)) {}

Run::~Run() {
  if (!state_->ended.is_set()) signal(SIGKILL);
  state_->client.reset();
  state_->scope.cancel();
  // Its end is reaped here: nobody will wait for it any more.
  ExitStatus status;
  for (int i = 0; i < 200 && !state_->ended.is_set(); ++i) {
    const auto reaped = state_->process.try_reap(status);
    if (!reaped || *reaped) break;
    ::usleep(1000);
  }
  asio::post(state_->executor, [state = state_] {});
}

Async<bool> Run::handshake(std::chrono::nanoseconds limit) {
  const auto state = state_;
  const auto deadline = std::chrono::steady_clock::now() + limit;
  for (;;) {
    if (state->line_after) co_return true;
    const auto left = deadline - std::chrono::steady_clock::now();
    if (left <= 0ns || (state->out_over && state->ended.is_set())) co_return false;
    [[maybe_unused]] const bool more = co_await state->changed.wait_for(left);
  }
}

std::string Run::first_output() const {
  const std::size_t end = state_->out.find('\n');
  return end == std::string::npos ? state_->out : state_->out.substr(0, end + 1);
}

std::vector<std::string> Run::fields() const { return split(trim(first_output()), '|'); }

std::chrono::nanoseconds Run::handshake_time() const { return state_->line_after.value_or(0ns); }

Result<std::string> Run::target() const {
  const auto parts = fields();
  if (parts.size() < 4) return fail(Code::invalid_argument, "the first line on stdout is {}, which is no handshake", quote(first_output()));
  if (parts[2] == "unix") return "unix:" + parts[3];
  if (parts[2] == "tcp") return "ipv4:" + parts[3];
  return fail(Code::invalid_argument, "the network {} is neither unix nor tcp", quote(parts[2]));
}

rpc::Client& Run::client() {
  if (!state_->client) state_->client = another_connection();
  return *state_->client;
}

std::shared_ptr<rpc::Client> Run::another_connection() const {
  return rpc::Client::connect(state_->executor, target().value_or("unix:" + state_->directory + "/no-handshake"));
}

pid_t Run::pid() const { return state_->process.pid(); }
bool Run::alive() const { return !state_->ended.is_set() && state_->process.alive(); }

Async<bool> Run::ended_within(std::chrono::nanoseconds limit) {
  const auto state = state_;
  const bool over = co_await state->ended.wait_for(limit);
  co_return over;
}

const ExitStatus& Run::exit_status() const { return state_->status; }

std::string Run::end_text() const {
  if (!state_->ended.is_set()) return "still running";
  const ExitStatus& status = state_->status;
  return status.signal == 0 ? fmt::format("exit status {}", status.code) : fmt::format("killed by signal {} ({})", status.signal, ::strsignal(status.signal));
}

std::string Run::epitaph() const {
  const std::string_view text = trim(*state_->err);
  if (text.empty()) return end_text() + ", nothing on stderr";
  return fmt::format("{}, last lines on stderr:\n{}", end_text(), text.substr(text.size() - std::min(text.size(), tail_bytes)));
}

std::shared_ptr<const std::string> Run::stderr_text() const { return state_->err; }

void Run::signal(int number) { [[maybe_unused]] const auto sent = state_->process.signal(number); }

void Run::break_stderr() { state_->err_pipe->close(); }

Async<bool> Run::shut_down(std::chrono::nanoseconds limit) {
  const auto state = state_;
  if (state->ended.is_set()) co_return true;
  std::string empty;
  // UNAVAILABLE is a usual answer: the process ends while it answers.
  [[maybe_unused]] const auto answer = co_await client().call("/plugin.GRPCController/Shutdown", std::move(empty), 2s);
  const bool over = co_await state->ended.wait_for(limit);
  if (!over) co_await kill();
  co_return over;
}

Async<> Run::kill() {
  const auto state = state_;
  signal(SIGKILL);
  co_await state->ended.wait();
}

}  // namespace drover::conformance
