#include "sdk/plugin/launch.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/post.hpp>

#include <goplugin.pb.h>

#include "sdk/async/event.h"
#include "sdk/async/process.h"
#include "sdk/base/defer.h"
#include "sdk/base/file.h"
#include "sdk/base/text.h"
#include "sdk/plugin/handshake.h"
#include "sdk/plugin/secure_channel.h"
#include "sdk/plugin/tail.h"
#include "sdk/rpc/client.h"

namespace drover::plugin {
namespace {
using namespace std::chrono_literals;
constexpr std::size_t tail_bytes = 4096;
constexpr int max_answer = 16 << 20;  // P-21: one message of a plugin
constexpr std::size_t max_log_line = 64 << 10;
constexpr std::size_t max_socket_path = 107;
constexpr std::string_view socket_name = "/plugin0123456789";

std::string describe_exit(const Result<ExitStatus>& status) {
  if (!status) return "ended";
  if (status->signal != 0) return fmt::format("killed by signal {} ({})", status->signal, ::strsignal(status->signal));
  return fmt::format("exit status {}", status->code);
}

// Whose file it is and whether it can run: what an operator needs when a plugin says nothing.
std::string describe_file(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return fmt::format("\"{}\" cannot be read: {}", path, ::strerror(errno));
  return fmt::format("\"{}\" (mode {:04o}, owner {}:{}, {} bytes)", path, info.st_mode & 07777, info.st_uid, info.st_gid, info.st_size);
}

Result<Fd> fresh_file(const std::string& path) {
  ::unlink(path.c_str());
  return open_file(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND, 0600);
}
}  // namespace

struct PluginProcess::Impl {
  Impl(Executor loop, Logger logger) : executor(loop), log(std::move(logger)), ended(loop), scope(loop) {}

  Executor executor;
  Logger log;
  Process process;
  Reattach tuple;
  std::unique_ptr<TlsDialer> dialer;
  std::shared_ptr<rpc::Client> client;
  std::function<void(const PluginLog&)> on_log;
  std::string stderr_tail;
  PluginLogParser parser;
  LineSplitter splitter{max_log_line};
  std::optional<Tail> stderr_file, stdout_file;
  Event ended;
  std::string end_text;
  Scope scope;

  // For messages to users: what a plugin writes moves no cursor and rings no bell (P-22). Loggers do the same by themselves.
  static std::string printable(std::string_view line) {
    std::string out(line);
    for (char& c : out) c = (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f ? '?' : c;
    return out;
  }
  void log_line(std::string_view line) {
    stderr_tail.append(printable(line)).append("\n");
    if (stderr_tail.size() > 2 * tail_bytes) stderr_tail.erase(0, stderr_tail.size() - tail_bytes);
    const PluginLog record = parser.parse(line);
    if (on_log) on_log(record);
    else log.write(record.level, record.message, record.pairs);
  }
  void read_stderr() {
    for (std::string chunk = stderr_file->read_available(); !chunk.empty(); chunk = stderr_file->read_available()) {
      splitter.feed(chunk, [this](std::string_view line) { log_line(line); });
    }
  }
};

namespace {
using Impl = PluginProcess::Impl;
}  // namespace

// Coroutines of one process. They share the Impl, so that a PluginProcess may go away at any time.
struct PluginTasks {
  using ImplPtr = std::shared_ptr<PluginProcess::Impl>;

  static Async<> watch(ImplPtr impl) {
    const auto status = co_await wait_process(impl->process);
    impl->read_stderr();
    if (!impl->splitter.rest().empty()) impl->log_line(impl->splitter.rest());
    impl->end_text = describe_exit(status);
    // Left behind after a crash. The process is gone, so nobody listens there.
    if (impl->tuple.network == "unix") ::unlink(impl->tuple.address.c_str());
    impl->ended.set();
  }
  static Async<> follow_stderr(ImplPtr impl) {
    for (;;) {
      impl->read_stderr();
      const auto more = co_await impl->stderr_file->wait();
      if (!more) co_return;
    }
  }
  // Nothing more is expected on stdout, but it must not fill the disk.
  static Async<> drain_stdout(ImplPtr impl) {
    for (;;) {
      while (!impl->stdout_file->read_available().empty()) {
      }
      const auto more = co_await impl->stdout_file->wait();
      if (!more) co_return;
    }
  }
  // In a Go plugin, what the driver prints goes into a pipe that only this stream drains.
  static Async<> drain_stdio(ImplPtr impl) {
    const auto stream = impl->client->open("/plugin.GRPCStdio/StreamStdio");
    std::string empty;
    const bool sent = co_await stream->send(std::move(empty));
    if (!sent) co_return;
    stream->close_send();
    for (;;) {
      const auto bytes = co_await stream->receive();
      if (!bytes) co_return;
      ::plugin::StdioData data;
      if (!data.ParseFromString(*bytes)) continue;
      impl->log.debug(trim(data.data()), "stream", data.channel() == ::plugin::StdioData::STDERR ? "stderr" : "stdout");
    }
  }
  // The first line of stdout; empty when the process ended before.
  static Async<> read_line(ImplPtr impl, std::string& line, bool& complete) {
    for (;;) {
      line += impl->stdout_file->read_available();
      const std::size_t end = line.find('\n');
      if (end != std::string::npos || line.size() > max_handshake) {
        complete = true;
        line.resize(std::min(end, line.size()));
        co_return;
      }
      if (impl->ended.is_set()) co_return;
      using namespace asio::experimental::awaitable_operators;
      auto either = impl->stdout_file->wait() || impl->ended.wait();
      co_await std::move(either);
    }
  }
  static Async<> kill(ImplPtr impl) {
    // P-42. This one process only: drivers start helpers that must outlive them.
    [[maybe_unused]] const auto result = impl->process.signal(SIGKILL);
    co_await impl->ended.wait();
    co_await impl->scope.close();
  }
};

namespace {
Unexpected launch_failure(const Impl& impl, const std::string& phrase, const std::string& executable, const std::string& end, Code code = Code::unavailable) {
  std::string text = fmt::format("{}; plugin {}", phrase, describe_file(executable));
  if (!end.empty()) text += ", " + end;
  const std::string_view lines = trim(impl.stderr_tail);
  text += lines.empty() ? ", nothing on stderr" : fmt::format(", last lines on stderr:\n{}", lines.substr(lines.size() - std::min(lines.size(), tail_bytes)));
  return fail(Error(code, std::move(text)));
}

// P-10: a unix socket lies in the directory we gave, a TCP address on loopback.
Result<std::string> check_address(const Handshake& handshake, const std::string& directory) {
  if (handshake.network == "tcp") {
    if (!handshake.address.starts_with("127.0.0.1:")) {
      return fail(Code::permission_denied, "the plugin listens on {}, which is not this machine's loopback", quote(handshake.address));
    }
    return "ipv4:" + handshake.address;
  }
  struct stat info {};
  const std::size_t slash = handshake.address.rfind('/');
  if (slash == std::string::npos || handshake.address.substr(0, slash) != directory || ::lstat(handshake.address.c_str(), &info) != 0 ||
      !S_ISSOCK(info.st_mode)) {
    return fail(Code::permission_denied, "the plugin's address {} is no socket in its directory \"{}\"", quote(handshake.address), directory);
  }
  return "unix:" + handshake.address;
}

// Connects to who was named in the tuple, over TLS when it has a certificate.
Result<> connect(Impl& impl, std::string target) {
  if (impl.tuple.network == "unix") DROVER_TRY(check_peer(impl.tuple.address, impl.tuple.pid));
  if (!impl.tuple.certificate.empty()) {
    if (impl.tuple.network != "unix") return fail(Code::unimplemented, "TLS over TCP is not spoken here: the plugin listens on {}", impl.tuple.address);
    impl.dialer = std::make_unique<TlsDialer>(impl.executor, impl.log, impl.tuple.address, impl.tuple.own, impl.tuple.certificate);
    auto place = impl.dialer->open();
    if (!place) return fail(place.error());
    target = std::move(*place);
  }
  impl.client = rpc::Client::connect(impl.executor, target, false, max_answer);
  return {};
}

// P-12: field 6 is the certificate of a plugin that was asked for TLS; one that was not has nothing to say there.
Result<std::string> certificate_of(const Handshake& handshake, bool asked) {
  if (handshake.certificate.empty()) return std::string();
  if (!asked) return fail(Code::invalid_argument, "the plugin wants TLS, which this host did not offer");
  return from_field(handshake.certificate);
}

Result<> prepare(const LaunchOptions& options) {
  if (options.directory.size() + socket_name.size() > max_socket_path) {
    return fail(Code::invalid_argument, "the socket path in \"{}\" would be longer than the {} bytes a socket may have; choose a shorter data_dir", options.directory, max_socket_path);
  }
  DROVER_TRY(make_directories(options.directory, 0700));
  if (::chmod(options.directory.c_str(), 0700) != 0) return fail_errno("making \"{}\" private", options.directory);
  return {};
}
}  // namespace

Async<Result<std::unique_ptr<PluginProcess>>> launch(Executor executor, Logger log, LaunchOptions options) {
  DROVER_CO_TRY(prepare(options));
  const auto impl = std::make_shared<Impl>(executor, std::move(log));
  impl->on_log = std::move(options.on_log);
  const std::string out_path = options.directory + "/stdout", err_path = options.directory + "/stderr";
  auto out = fresh_file(out_path);
  if (!out) co_return fail(out.error());
  auto err = fresh_file(err_path);
  if (!err) co_return fail(err.error());
  auto out_tail = Tail::open(out_path, false);
  if (!out_tail) co_return fail(out_tail.error());
  auto err_tail = Tail::open(err_path, false);
  if (!err_tail) co_return fail(err_tail.error());
  impl->stdout_file = std::move(*out_tail);
  impl->stderr_file = std::move(*err_tail);

  SpawnOptions spawn{.executable = options.executable, .arguments = options.arguments, .stdout_fd = out->get(), .stderr_fd = err->get(), .new_session = true};
  for (const auto& [key, value] : options.environment) spawn.environment.push_back(key + "=" + value);
  for (const auto& [key, value] : {std::pair<std::string, std::string>{cookie_key, cookie_value}, {"PLUGIN_MIN_PORT", "10000"}, {"PLUGIN_MAX_PORT", "25000"},
                                   {"PLUGIN_PROTOCOL_VERSIONS", std::to_string(app_version)}, {"PLUGIN_UNIX_SOCKET_DIR", options.directory}, {"TMPDIR", options.directory}}) {
    spawn.environment.push_back(key + "=" + value);
  }
  if (options.tls) {
    auto identity = make_identity();
    if (!identity) co_return fail(identity.error(), "starting plugin {}", describe_file(options.executable));
    impl->tuple.own = std::move(*identity);
    spawn.environment.push_back("PLUGIN_CLIENT_CERT=" + impl->tuple.own.certificate);
  }
  auto process = spawn_process(spawn);
  if (!process) co_return fail(process.error(), "starting plugin {}", describe_file(options.executable));
  impl->process = std::move(*process);
  if (options.on_spawn) options.on_spawn(impl->process.pid());
  // Also when the caller is cancelled: a process that nobody knows must not stay.
  Defer abandon([&] {
    [[maybe_unused]] const auto killed = impl->process.signal(SIGKILL);
    impl->scope.cancel();
    asio::post(executor, [impl] {});
  });
  impl->scope.spawn(PluginTasks::watch(impl));
  impl->scope.spawn(PluginTasks::follow_stderr(impl));

  std::string line;
  bool complete = false;
  using namespace asio::experimental::awaitable_operators;
  auto line_or_late = PluginTasks::read_line(impl, line, complete) || sleep_for(options.start_timeout);
  const auto first = co_await std::move(line_or_late);
  if (!complete) {
    const bool late = first.index() == 1;
    if (late) co_await PluginTasks::kill(impl);
    const std::string phrase = late ? fmt::format("timeout while waiting for plugin to start ({})", format_duration(options.start_timeout))
                               : line.empty() ? "Unrecognized remote plugin message: Failed to read any lines from plugin's stdout"
                                              : fmt::format("plugin exited before we could connect: {}", quote(line));
    co_await impl->scope.close();
    co_return launch_failure(*impl, phrase, options.executable, late ? "" : impl->end_text, late ? Code::deadline_exceeded : Code::unavailable);
  }
  auto handshake = parse_handshake(line);
  auto target = handshake ? check_address(*handshake, options.directory) : Result<std::string>(fail(handshake.error()));
  auto certificate = target ? certificate_of(*handshake, options.tls) : Result<std::string>("");
  if (!certificate) target = fail(certificate.error());
  if (!target) {
    co_await PluginTasks::kill(impl);
    co_return launch_failure(*impl, target.error().message(), options.executable, "stopped");
  }

  Reattach& tuple = impl->tuple;
  tuple.certificate = std::move(*certificate);
  if (tuple.certificate.empty()) tuple.own = {};
  tuple.network = handshake->network;
  tuple.address = handshake->address;
  tuple.pid = impl->process.pid();
  tuple.executable = options.executable;
  tuple.directory = options.directory;
  tuple.start_ticks = process_start_ticks(tuple.pid).value_or(0);
  tuple.boot_id = boot_id().value_or("");
  struct stat info {};
  if (::stat(fmt::format("/proc/{}/exe", tuple.pid).c_str(), &info) == 0) {
    tuple.executable_device = info.st_dev;
    tuple.executable_inode = info.st_ino;
  }
  if (const auto connected = connect(*impl, std::move(*target)); !connected) {
    co_await PluginTasks::kill(impl);
    co_return launch_failure(*impl, connected.error().message(), options.executable, "stopped");
  }
  impl->scope.spawn(PluginTasks::drain_stdout(impl));
  impl->scope.spawn(PluginTasks::drain_stdio(impl));
  abandon.dismiss();
  co_return std::unique_ptr<PluginProcess>(new PluginProcess(impl));
}

Async<Result<std::unique_ptr<PluginProcess>>> reattach(Executor executor, Logger log, Reattach tuple, std::function<void(const PluginLog&)> on_log) {
  const auto gone = [&](const char* why) { return fail(Code::not_found, "plugin \"{}\" (pid {}) cannot be re-attached: {}", tuple.executable, tuple.pid, why); };
  // P-13: the number alone means nothing; all of it must match.
  if (tuple.boot_id != boot_id().value_or("?")) co_return gone("the machine was started anew");
  auto process = Process::open(tuple.pid);
  if (!process) co_return gone("the process is gone");
  if (process_start_ticks(tuple.pid).value_or(0) != tuple.start_ticks) co_return gone("the pid belongs to another process now");
  struct stat info {};
  if (::stat(fmt::format("/proc/{}/exe", tuple.pid).c_str(), &info) != 0 || info.st_dev != tuple.executable_device || info.st_ino != tuple.executable_inode) {
    co_return gone("the process runs another program now");
  }
  const auto target = check_address({tuple.network, tuple.address}, tuple.directory);
  if (!target) co_return fail(target.error(), "re-attaching plugin \"{}\"", tuple.executable);
  const auto impl = std::make_shared<Impl>(executor, std::move(log));
  auto out_tail = Tail::open(tuple.directory + "/stdout", true);
  auto err_tail = Tail::open(tuple.directory + "/stderr", true);
  if (!out_tail || !err_tail) co_return gone("its output files are gone");
  impl->stdout_file = std::move(*out_tail);
  impl->stderr_file = std::move(*err_tail);
  impl->on_log = std::move(on_log);
  impl->process = std::move(*process);
  impl->tuple = std::move(tuple);
  if (const auto connected = connect(*impl, *target); !connected) co_return fail(Code::not_found, "plugin \"{}\" (pid {}) cannot be re-attached: {}", impl->tuple.executable, impl->tuple.pid, connected.error().message());
  impl->scope.spawn(PluginTasks::watch(impl));
  impl->scope.spawn(PluginTasks::follow_stderr(impl));
  impl->scope.spawn(PluginTasks::drain_stdout(impl));
  impl->scope.spawn(PluginTasks::drain_stdio(impl));
  co_return std::unique_ptr<PluginProcess>(new PluginProcess(impl));
}

PluginProcess::PluginProcess(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

PluginProcess::~PluginProcess() {
  impl_->scope.cancel();
  // The members unwind on the loop; the last reference must not go from inside one of them.
  asio::post(impl_->executor, [impl = impl_] {});
}

const std::shared_ptr<rpc::Client>& PluginProcess::client() const { return impl_->client; }
const Reattach& PluginProcess::reattach() const { return impl_->tuple; }
bool PluginProcess::tls_refused() const { return impl_->dialer && impl_->dialer->refused(); }
int PluginProcess::pid() const { return impl_->process.pid(); }

Async<std::string> PluginProcess::wait() {
  const auto impl = impl_;
  co_await impl->ended.wait();
  co_return impl->end_text;
}

Async<Result<>> PluginProcess::ping(std::chrono::nanoseconds limit) {
  const auto impl = impl_;
  std::string service("\x0a\x06plugin");  // HealthCheckRequest{service: "plugin"}
  auto answer = co_await impl->client->call("/grpc.health.v1.Health/Check", std::move(service), limit);
  if (!answer) co_return fail(answer.error());
  co_return Result<>{};
}

std::string PluginProcess::stderr_tail() const {
  const std::string& all = impl_->stderr_tail;
  return all.substr(all.size() - std::min(all.size(), tail_bytes));
}

Async<> PluginProcess::stop() {
  const auto impl = impl_;
  if (!impl->ended.is_set()) {
    // UNAVAILABLE is the usual answer: the process ends while it answers.
    std::string empty;
    [[maybe_unused]] const auto answer = co_await impl->client->call("/plugin.GRPCController/Shutdown", std::move(empty), 2s);
    const bool over = co_await impl->ended.wait_for(2s);
    if (!over) {
      [[maybe_unused]] const auto killed = impl->process.signal(SIGKILL);
      co_await impl->ended.wait();
    }
  }
  co_await impl->scope.close();
}

Async<> PluginProcess::detach() {
  const auto impl = impl_;
  co_await impl->scope.close();
}

std::vector<std::pair<std::string, std::string>> filter_environment(const std::vector<std::pair<std::string, std::string>>& environment) {
  static constexpr std::string_view secret[] = {"TOKEN", "SECRET", "PASSWORD", "KEY", "CREDENTIAL"};
  static constexpr std::string_view own[] = {"NOMAD_", "DROVER_", "PLUGIN_", "VAULT_", "CONSUL_", "AWS_"};
  std::vector<std::pair<std::string, std::string>> out;
  for (const auto& [key, value] : environment) {
    bool keep = key != "TMPDIR";
    for (const auto word : secret) keep = keep && key.find(word) == std::string::npos;
    for (const auto prefix : own) keep = keep && !key.starts_with(prefix);
    // Where executors are and keep their records: no secret, and their plugins need it.
    keep = keep || key == "DROVER_STATE_DIR" || key == "DROVER_EXECUTOR" || key == "DROVER_FAIL_POINTS";
    if (keep) out.emplace_back(key, value);
  }
  return out;
}

}  // namespace drover::plugin
