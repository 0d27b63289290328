#include "agent/logs/collector.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

#include "sdk/async/process.h"
#include "sdk/base/file.h"

namespace drover::agent {
namespace {
using namespace std::chrono_literals;
constexpr const char* kinds[] = {"stdout", "stderr"};
constexpr auto first_pause = 100ms;
constexpr auto longest_pause = 10s;

// One stream of a task; held until its release.
struct Held {
  Fd fifo, directory;
  std::string request;
};

Result<> send_packet(int socket, std::string_view text, std::initializer_list<int> descriptors) {
  alignas(cmsghdr) char control[CMSG_SPACE(2 * sizeof(int))] = {};
  iovec io{const_cast<char*>(text.data()), text.size()};
  msghdr message{};
  message.msg_iov = &io;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = CMSG_SPACE(descriptors.size() * sizeof(int));
  cmsghdr* const part = CMSG_FIRSTHDR(&message);
  part->cmsg_level = SOL_SOCKET;
  part->cmsg_type = SCM_RIGHTS;
  part->cmsg_len = CMSG_LEN(descriptors.size() * sizeof(int));
  std::memcpy(CMSG_DATA(part), descriptors.begin(), descriptors.size() * sizeof(int));
  if (::sendmsg(socket, &message, MSG_NOSIGNAL) < 0) return fail_errno("asking the log collector");
  return {};
}

Result<Fd> connect_to(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return fail(Code::invalid_argument, "the socket path \"{}\" is too long; choose a shorter data_dir", path);
  std::memcpy(address.sun_path, path.c_str(), path.size());
  Fd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket || ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return fail_errno("connecting to \"{}\"", path);
  return socket;
}

// N-002: a task may have put a link where its FIFO was; what is opened must be a FIFO in this directory.
Result<Fd> make_fifo(int directory, const std::string& name) {
  for (int attempt = 0;; ++attempt) {
    if (::mkfifoat(directory, name.c_str(), 0600) != 0 && errno != EEXIST) return fail_errno("making \"{}\"", name);
    Fd fifo(::openat(directory, name.c_str(), O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC));
    struct stat info {};
    if (fifo && ::fstat(fifo.get(), &info) == 0 && S_ISFIFO(info.st_mode)) return fifo;
    if (attempt > 0) return fail(Code::conflict, "\"{}\" is no FIFO", name);
    ::unlinkat(directory, name.c_str(), 0);
  }
}

std::string fifo_name(const std::string& task, const char* kind) { return fmt::format(".{}.{}.fifo", task, kind); }
}  // namespace

struct LogCollector::Impl {
  Impl(Executor loop, Logger logger, LogCollectorOptions given)
      : executor(loop), log(std::move(logger)), options(std::move(given)), free(loop), scope(loop) {}

  Executor executor;
  Logger log;
  LogCollectorOptions options;
  std::map<std::string, Held> held;  // by directory, task and kind
  Fd socket;
  Process process;                   // when this agent started it
  std::uint64_t connections = 0;
  bool asking = false;
  Condition free;
  Scope scope;

  Result<> start_program() {
    SpawnOptions spawn{.executable = options.program, .arguments = {options.socket}, .environment = {}, .new_session = true};
    auto started = spawn_process(spawn);
    if (!started) return fail(started.error(), "starting the log collector \"{}\"", options.program);
    process = std::move(*started);
    return {};
  }

  // Connected when it returns: to one that runs, else to a new one.
  Async<Result<>> connect() {
    auto connected = connect_to(options.socket);
    bool started = false;
    for (int attempt = 0; !connected && attempt < 100; ++attempt) {
      if (!started) {
        auto begun = start_program();
        if (!begun) co_return begun;
        started = true;
      }
      co_await sleep_for(20ms);
      connected = connect_to(options.socket);
    }
    if (!connected) co_return fail(connected.error(), "the log collector \"{}\" does not answer", options.program);
    auto copy = connected->duplicate();
    if (!copy) co_return fail(copy.error());
    socket = std::move(*connected);
    scope.spawn(watch(std::move(*copy), ++connections));
    co_return Result<>{};
  }

  Async<Result<>> exchange(std::string_view text, std::initializer_list<int> descriptors) {
    auto sent = send_packet(socket.get(), text, descriptors);
    if (!sent) co_return sent;
    char reply[512];
    for (;;) {
      const ssize_t size = ::recv(socket.get(), reply, sizeof reply, 0);
      if (size > 0) {
        const std::string_view answer(reply, static_cast<std::size_t>(size));
        if (answer == "ok") co_return Result<>{};
        co_return fail(Code::internal, "the log collector refuses \"{}\": {}", text, answer);
      }
      if (size == 0 || (errno != EAGAIN && errno != EINTR)) co_return fail(Code::unavailable, "the log collector has gone");
      [[maybe_unused]] const auto ready = co_await wait_readable(socket.get());
    }
  }

  // One request at a time; a collector that has gone is replaced once.
  Async<Result<>> ask(std::string text, const Held* stream) {
    while (asking) co_await free.wait();
    asking = true;
    struct Leave {
      Impl& impl;
      ~Leave() {
        impl.asking = false;
        impl.free.notify_all();
      }
    } leave{*this};
    Result<> done = fail(Code::unavailable, "not connected");
    for (int attempt = 0; attempt < 2 && !done && done.error().code() == Code::unavailable; ++attempt) {
      if (!socket) {
        auto connected = co_await connect();
        if (!connected) co_return connected;
        auto again = co_await hand_over();
        if (!again) co_return again;
      }
      if (stream == nullptr) co_return Result<>{};
      if (text == "release") done = co_await exchange(text, {stream->fifo.get()});
      else done = co_await exchange(text, {stream->fifo.get(), stream->directory.get()});
      if (!done && done.error().code() == Code::unavailable) socket.reset();
    }
    co_return done;
  }

  // A new process gets everything that is held.
  Async<Result<>> hand_over() {
    std::vector<std::string> names;
    for (const auto& [name, stream] : held) names.push_back(name);
    for (const std::string& name : names) {
      const auto at = held.find(name);
      if (at == held.end()) continue;
      const std::string request = at->second.request;
      auto done = co_await exchange(request, {at->second.fifo.get(), at->second.directory.get()});
      if (!done) co_return done;
    }
    co_return Result<>{};
  }

  // F-20: it is replaced as soon as it has gone, also when nobody asks.
  Async<> watch(Fd connection, std::uint64_t number) {
    char byte;
    for (;;) {
      [[maybe_unused]] const auto ready = co_await wait_readable(connection.get());
      // Answers are for whoever asked.
      while (asking) co_await free.wait();
      if (::recv(connection.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0) break;
    }
    // Whoever asked meanwhile has seen it as well, and has a new one.
    if (number != connections) co_return;
    socket.reset();
    if (held.empty()) co_return;
    log.warn("the log collector has gone and is started again", "streams", held.size());
    std::chrono::nanoseconds pause = first_pause;
    for (;;) {
      const auto back = co_await ask({}, nullptr);
      if (back) co_return;
      log.error("the log collector cannot be started", "error", back.error());
      co_await sleep_for(pause);
      pause = std::min<std::chrono::nanoseconds>(pause * 2, longest_pause);
    }
  }

  static std::string key(const std::string& alloc_dir, const std::string& task, const char* kind) { return fmt::format("{}/{}.{}", alloc_dir, task, kind); }
};

LogCollector::LogCollector(Executor executor, Logger log, LogCollectorOptions options)
    : impl_(std::make_shared<Impl>(std::move(executor), std::move(log), std::move(options))) {}
LogCollector::~LogCollector() { impl_->scope.cancel(); }

Async<Result<>> LogCollector::collect(std::string alloc_dir, std::string task, std::uint64_t max_files, std::uint64_t max_bytes) {
  const auto impl = impl_;
  for (const char* kind : kinds) {
    const std::string name = Impl::key(alloc_dir, task, kind);
    if (!impl->held.contains(name)) {
      Held stream;
      auto directory = open_file(alloc_dir + "/alloc/logs", O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
      if (!directory) co_return fail(directory.error());
      stream.directory = std::move(*directory);
      auto fifo = make_fifo(stream.directory.get(), fifo_name(task, kind));
      if (!fifo) co_return fail(fifo.error(), "in \"{}/alloc/logs\"", alloc_dir);
      stream.fifo = std::move(*fifo);
      stream.request = fmt::format("collect {}.{} {} {}", task, kind, max_files, max_bytes);
      impl->held[name] = std::move(stream);
    }
    const Held& stream = impl->held[name];
    auto done = co_await impl->ask(stream.request, &stream);
    if (done) continue;
    for (const char* each : kinds) {
      const auto at = impl->held.find(Impl::key(alloc_dir, task, each));
      if (at == impl->held.end()) continue;
      ::unlinkat(at->second.directory.get(), fifo_name(task, each).c_str(), 0);
      impl->held.erase(at);
    }
    co_return done;
  }
  co_return Result<>{};
}

Async<> LogCollector::release(std::string alloc_dir, std::string task) {
  const auto impl = impl_;
  for (const char* kind : kinds) {
    const auto at = impl->held.find(Impl::key(alloc_dir, task, kind));
    if (at == impl->held.end()) continue;
    const auto done = co_await impl->ask("release", &at->second);
    if (!done) impl->log.warn("the end of a log may be missing", "task", task, "error", done.error());
    if (::unlinkat(at->second.directory.get(), fifo_name(task, kind).c_str(), 0) != 0) impl->log.debug("a FIFO was gone already", "task", task);
    impl->held.erase(at);
  }
}

Async<> LogCollector::detach() {
  const auto impl = impl_;
  co_await impl->scope.close();
  impl->socket.reset();
}

}  // namespace drover::agent
