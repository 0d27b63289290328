#include "cli/exec_session.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <nlohmann/json.hpp>

#include "lib/http/websocket.h"
#include "sdk/async/channel.h"
#include "sdk/async/pool.h"
#include "sdk/base/encoding.h"
#include "sdk/base/fd.h"

namespace drover::cli {
namespace {
using Json = nlohmann::json;
using namespace std::chrono_literals;
constexpr std::size_t chunk = 32 << 10;

// The terminal hands over every key as it is pressed while this lives.
class RawTerminal {
 public:
  explicit RawTerminal(int fd) : fd_(fd) {
    termios raw{};
    if (::tcgetattr(fd_, &before_) != 0) return;
    raw = before_;
    ::cfmakeraw(&raw);
    changed_ = ::tcsetattr(fd_, TCSANOW, &raw) == 0;
  }
  ~RawTerminal() {
    if (changed_) ::tcsetattr(fd_, TCSADRAIN, &before_);
  }
  RawTerminal(const RawTerminal&) = delete;
  RawTerminal& operator=(const RawTerminal&) = delete;

 private:
  int fd_;
  termios before_{};
  bool changed_ = false;
};

// Standard input, which may be anything, read on a thread of its own so that nothing has to be made non-blocking.
class StandardInput {
 public:
  static Result<std::unique_ptr<StandardInput>> open() {
    auto wake = make_pipe();
    if (!wake) return fail(wake.error());
    return std::unique_ptr<StandardInput>(new StandardInput(std::move(*wake)));
  }
  ~StandardInput() {
    stop();
    pool_.join();
  }
  StandardInput(const StandardInput&) = delete;
  StandardInput& operator=(const StandardInput&) = delete;

  // Empty at its end, and after stop().
  Async<std::string> read() {
    auto work = [wake = wake_.read_end.get()] { return read_blocking(wake); };
    return run_blocking(pool_, std::move(work));
  }
  void stop() { wake_.write_end.reset(); }

 private:
  explicit StandardInput(Pipe wake) : wake_(std::move(wake)) {}
  static std::string read_blocking(int wake) {
    std::string out(chunk, '\0');
    for (;;) {
      pollfd watched[2] = {{STDIN_FILENO, POLLIN, 0}, {wake, POLLIN, 0}};
      if (::poll(watched, 2, -1) < 0 && errno != EINTR) return {};
      if (watched[1].revents != 0) return {};
      if (watched[0].revents == 0) continue;
      const ssize_t size = ::read(STDIN_FILENO, out.data(), out.size());
      if (size < 0 && errno == EINTR) continue;
      out.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
      return out;
    }
  }
  Pipe wake_;
  Pool pool_{1};
};

struct Session {
  Session(const Executor& loop, Context& to, ExecTerminal how) : context(to), terminal(how), outgoing(loop, 8), filter(how.tty ? how.escape : '\0') {}
  Context& context;
  ExecTerminal terminal;
  Channel<std::string> outgoing;
  EscapeFilter filter;
  StandardInput* input = nullptr;
  Result<int> result = fail(Code::cancelled, "the session was ended by its escape sequence");
};

Async<> for_ever() {
  for (;;) co_await sleep_for(24h);
}

std::string size_message() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) return {};
  return fmt::format(R"({{"tty_size":{{"height":{},"width":{}}}}})", size.ws_row, size.ws_col);
}

Async<> send_queued(Session& session, http::WebSocket& socket) {
  for (;;) {
    const auto message = co_await session.outgoing.receive();
    if (!message) break;
    const bool open = co_await socket.send_text(*message);
    if (!open) break;
  }
  // How the session ended is for the receiving side to say.
  session.outgoing.close();
  co_await for_ever();
}

Async<> queue(Session& session, std::string message) {
  const bool taken = co_await session.outgoing.send(std::move(message));
  if (!taken) co_await for_ever();
}

// Returns when the user ended the session.
Async<> send_input(Session& session) {
  while (session.input != nullptr) {
    const std::string typed = co_await session.input->read();
    if (typed.empty()) break;
    const std::string data = session.filter.feed(typed);
    if (!data.empty()) co_await queue(session, fmt::format(R"({{"stdin":{{"data":"{}"}}}})", base64_encode(data)));
    if (session.filter.ended()) co_return;
  }
  co_await queue(session, R"({"stdin":{"close":true}})");
  co_await for_ever();
}

Async<> send_heartbeats(Session& session) {
  for (;;) {
    co_await sleep_for(10s);
    co_await queue(session, "{}");
  }
}

Async<> send_sizes(Session& session) {
  if (!session.terminal.tty) co_await for_ever();
  asio::signal_set resized(co_await asio::this_coro::executor, SIGWINCH);
  for (;;) {
    [[maybe_unused]] const auto [error, number] = co_await resized.async_wait(no_throw);
    co_await throw_if_cancelled();
    std::string message = size_message();
    if (!message.empty()) co_await queue(session, std::move(message));
  }
}

// Whoever ends this program gets the terminal back as it was.
Async<> until_signalled(Session& session) {
  asio::signal_set ending(co_await asio::this_coro::executor, SIGTERM, SIGHUP);
  [[maybe_unused]] const auto [error, number] = co_await ending.async_wait(no_throw);
  co_await throw_if_cancelled();
  session.result = fail(Code::cancelled, "ended by a signal");
}

void show(Ui& ui, const Json& message, const char* name, bool is_error) {
  const auto part = message.find(name);
  if (part == message.end() || !part->is_object()) return;
  const auto data = part->find("data");
  if (data == part->end() || !data->is_string()) return;
  const auto bytes = base64_decode(data->get_ref<const std::string&>());
  if (!bytes) return;
  if (is_error) ui.error_raw(*bytes);
  else ui.out_raw(*bytes);
}

Async<> receive_output(Session& session, http::WebSocket& socket) {
  for (;;) {
    const auto received = co_await socket.receive();
    if (!received) break;
    const Json message = Json::parse(received->data, nullptr, false);
    if (!message.is_object()) continue;
    show(session.context.ui, message, "stdout", false);
    show(session.context.ui, message, "stderr", true);
    if (message.value("exited", Json(false)) != Json(true)) continue;
    const auto result = message.find("result");
    const auto code = result != message.end() && result->is_object() ? result->find("exit_code") : message.end();
    session.result = result != message.end() && result->is_object() && code != result->end() && code->is_number_integer() ? code->get<int>() : 0;
    co_return;
  }
  const std::string reason = socket.close_reason();
  session.result = fail(Code::unavailable, "{}", !reason.empty() ? reason : "the connection ended before the command did");
}

// A read of standard input cannot be cancelled, only woken.
Async<> receive_then_stop(Session& session, http::WebSocket& socket) {
  co_await receive_output(session, socket);
  if (session.input != nullptr) session.input->stop();
}
Async<> signal_then_stop(Session& session) {
  co_await until_signalled(session);
  if (session.input != nullptr) session.input->stop();
}

Async<Result<int>> run_session(Context& context, ExecTerminal terminal, http::WebSocket& socket) {
  Session session(co_await asio::this_coro::executor, context, terminal);
  std::unique_ptr<StandardInput> input;
  std::optional<RawTerminal> raw;
  if (terminal.interactive) {
    auto opened = StandardInput::open();
    if (!opened) co_return fail(opened.error());
    input = std::move(*opened);
    session.input = input.get();
    if (terminal.tty && ::isatty(STDIN_FILENO) != 0) raw.emplace(STDIN_FILENO);
  }
  if (std::string size = terminal.tty ? size_message() : std::string(); !size.empty()) [[maybe_unused]] const bool sent = session.outgoing.try_send(std::move(size));
  using namespace asio::experimental::awaitable_operators;
  auto any = receive_then_stop(session, socket) || send_input(session) || send_queued(session, socket) || send_heartbeats(session) ||
             send_sizes(session) || signal_then_stop(session);
  co_await std::move(any);
  co_return session.result;
}
}  // namespace

std::string EscapeFilter::feed(std::string_view typed) {
  std::string out;
  for (const char c : typed) {
    if (held_) {
      held_ = false;
      if (c == '.') {
        ended_ = true;
        return out;
      }
      // Twice means once.
      if (c != escape_) out.push_back(escape_);
    } else if (line_start_ && escape_ != '\0' && c == escape_) {
      held_ = true;
      continue;
    }
    out.push_back(c);
    line_start_ = c == '\r' || c == '\n';
  }
  return out;
}

Result<char> parse_escape(std::string_view text) {
  if (text == "none") return '\0';
  if (text.size() == 1) return text[0];
  return fail(Code::invalid_argument, "-e requires 'none' or a single character");
}

Result<int> run_exec_session(Context& context, const std::string& path, QueryPairs query, ExecTerminal terminal) {
  return context.api().websocket(path, std::move(query), [&context, terminal](http::WebSocket& socket) { return run_session(context, terminal, socket); });
}

}  // namespace drover::cli
