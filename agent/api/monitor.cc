#include "agent/api/monitor.h"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/post.hpp>

#include "agent/api/parameters.h"
#include "agent/fs/stream.h"
#include "sdk/async/channel.h"

namespace drover::agent {
namespace {
using http::Request;
using http::Response;

constexpr std::chrono::seconds heartbeat{1};
constexpr std::size_t most_lines = 512;      // that wait for a slow reader; more are dropped and counted
constexpr std::size_t largest_frame = 64 << 10;

struct Format {
  LogLevel level = LogLevel::info;
  bool json = false;
  bool plain = false;
};

struct Lines {
  explicit Lines(const Executor& executor) : queue(executor, most_lines) {}
  Channel<std::string> queue;  // loop only
  std::size_t dropped = 0;
};

// Listens while it lives.
class Listening {
 public:
  Listening(std::shared_ptr<LogTap> log, const Executor& executor, std::shared_ptr<Lines> lines, Format format) : log_(std::move(log)) {
    id_ = log_->listen(format.level, [executor, lines, json = format.json](const LogRecord& record) {
      std::string line = (json ? format_json(record) : format_text(record)) + "\n";
      asio::post(executor, [lines, line = std::move(line)]() mutable {
        if (!lines->queue.try_send(std::move(line))) ++lines->dropped;
      });
    });
  }
  ~Listening() { log_->stop(id_); }
  Listening(const Listening&) = delete;
  Listening& operator=(const Listening&) = delete;

 private:
  std::shared_ptr<LogTap> log_;
  std::uint64_t id_ = 0;
};

// The first line and what else is there already.
std::string gather(std::string first, Lines& lines) {
  std::string out = std::move(first);
  while (out.size() < largest_frame) {
    auto more = lines.queue.try_receive();
    if (!more) break;
    out += *more;
  }
  if (lines.dropped > 0) {
    out += fmt::format("{} lines of the log came faster than they were read and are left out\n", lines.dropped);
    lines.dropped = 0;
  }
  return out;
}

Async<> follow_log(std::shared_ptr<LogTap> log, Format format, http::ResponseStream& out) {
  using namespace asio::experimental::awaitable_operators;
  using Steady = std::chrono::steady_clock;
  const Executor executor = co_await asio::this_coro::executor;
  const auto lines = std::make_shared<Lines>(executor);
  const Listening listening(std::move(log), executor, lines, format);
  std::int64_t offset = 0;
  auto next_beat = Steady::now() + heartbeat;
  for (;;) {
    const auto left = format.plain ? std::chrono::nanoseconds(std::chrono::hours(1))
                                   : std::max<std::chrono::nanoseconds>(next_beat - Steady::now(), {});
    auto either = lines->queue.receive() || sleep_for(left);
    auto first = co_await std::move(either);
    std::string text;
    if (first.index() == 0 && std::get<0>(first)) {
      std::string data = gather(std::move(*std::get<0>(first)), *lines);
      offset += static_cast<std::int64_t>(data.size());
      text = format.plain ? std::move(data) : encode_frame("", offset, data, "log");
    }
    if (!format.plain && Steady::now() >= next_beat) {
      text += "{}";
      next_beat = Steady::now() + heartbeat;
    }
    if (text.empty()) continue;
    bool open = co_await out.write(text);
    if (open) open = co_await out.flush();
    if (!open) co_return;
  }
}

Response refuse(std::string text, int status = 400) { return Response::text(status, std::move(text)); }

Result<Format> read_format(const Request& request) {
  Format out;
  if (const auto name = request.query.get("log_level"); !name.empty()) {
    const auto level = parse_log_level(name);
    if (!level) return fail(status_error(400, fmt::format("Unknown log level: {}", name)));
    out.level = *level;
  }
  const auto read = [&](const char* name, std::string_view shown, bool& to) -> Result<> {
    auto value = parse_bool_parameter(request, name, false);
    // Go's complaint, behind the words of this endpoint.
    if (!value) {
      const std::string& text = value.error().message();
      return fail(status_error(400, fmt::format("Unknown option for {}: {}", shown, text.substr(text.find("strconv")))));
    }
    to = *value;
    return {};
  };
  bool location = false;  // lines carry the component's name instead
  DROVER_TRY(read("log_json", "log json", out.json));
  DROVER_TRY(read("log_include_location", "log_include_location", location));
  DROVER_TRY(read("plain", "plain", out.plain));
  return out;
}

// Errors of other agents show how they came, here and nowhere else.
Async<Response> ask_node(Elsewhere& elsewhere, std::string node, Request request) {
  if (node.size() != 36) co_return refuse("RPC Error:: 500,node lookup failed: index error: UUID must be 36 characters", 500);
  auto answer = co_await elsewhere.ask_node(node, request);
  if (answer.status == 200) co_return answer;
  const std::string text = answer.body == "Unknown node " + node ? fmt::format("Unknown node \"{}\"", node) : answer.body;
  co_return refuse(fmt::format("RPC Error:: {},{}", answer.status, text), 500);
}

Async<Response> monitor(const MonitorOptions& options, Request request) {
  auto format = read_format(request);
  if (!format) co_return Response::error(format.error());
  std::string node(request.query.get("node_id"));
  const std::string server(request.query.get("server_id"));
  if (!node.empty() && !server.empty()) co_return refuse("Cannot target node and server simultaneously");
  if (options.elsewhere != nullptr && !node.empty() && node != options.ops.node_id()) {
    auto answer = co_await ask_node(*options.elsewhere, std::move(node), std::move(request));
    co_return answer;
  }
  if (!server.empty() && options.ask_server) {
    auto answer = co_await options.ask_server(std::move(request));
    co_return answer;
  }
  if (!server.empty() && !(options.is_this_server && options.is_this_server(server))) {
    co_return refuse(fmt::format("unknown Nomad server {}", server));
  }
  Response response;
  response.headers.set("Content-Type", format->plain ? "text/plain" : "application/json");
  response.early_head = !format->plain;
  response.stream = [log = options.log, chosen = *format](http::ResponseStream& out) { return follow_log(log, chosen, out); };
  co_return response;
}

}  // namespace

void add_monitor_route(http::Router& router, MonitorOptions options) {
  const auto held = std::make_shared<const MonitorOptions>(std::move(options));
  router.add("*", "/v1/agent/monitor", [held](Request request) { return monitor(*held, std::move(request)); });
}

}  // namespace drover::agent
