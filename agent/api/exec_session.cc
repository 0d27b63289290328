#include "agent/api/exec_session.h"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <nlohmann/json.hpp>

#include "sdk/base/encoding.h"

namespace drover::agent {
namespace {
using Json = nlohmann::json;
constexpr std::size_t queued = 8;          // messages each way
constexpr std::size_t largest_data = 4096; // in a message to the client

// Clients take 1011 for a fault here and 1008 for one of theirs.
std::uint16_t close_code_of(const Error& error) { return error.http_status() == 0 || error.http_status() == 500 ? 1011 : 1008; }

Async<> run_and_keep(const ExecRun& run, Channel<driver::ExecInput>& input, Channel<driver::ExecOutput>& output, Result<>& result) {
  result = co_await run(input, output);
  output.close();
}

Async<> write_output(Channel<driver::ExecOutput>& output, http::WebSocket& socket) {
  for (;;) {
    const auto value = co_await output.receive();
    if (!value) co_return;
    for (const std::string& message : exec_messages(*value)) {
      const bool open = co_await socket.send_text(message);
      if (open) continue;
      output.close();
      co_return;
    }
  }
}

// Returns when the user has gone.
Async<> read_input(http::WebSocket& socket, Channel<driver::ExecInput>& input) {
  for (;;) {
    const auto message = co_await socket.receive();
    if (!message) co_return;
    auto value = parse_exec_message(message->data);
    // What comes after the end of the command is read and dropped.
    if (value) [[maybe_unused]] const bool taken = co_await input.send(std::move(*value));
  }
}

Async<> run_session(const ExecRun& run, http::WebSocket& socket, Channel<driver::ExecInput>& input) {
  Channel<driver::ExecOutput> output(co_await asio::this_coro::executor, queued);
  Result<> result;
  using namespace asio::experimental::awaitable_operators;
  auto both = run_and_keep(run, input, output, result) && write_output(output, socket);
  co_await std::move(both);
  input.close();
  if (result) co_await http::end_socket(socket, http::vanished, {});
  else co_await http::end_socket(socket, close_code_of(result.error()), result.error().message());
}

Async<> read_until_gone(http::WebSocket& socket) {
  for (;;) {
    const auto message = co_await socket.receive();
    if (!message) co_return;
  }
}
}  // namespace

std::optional<driver::ExecInput> parse_exec_message(std::string_view text) {
  const Json message = Json::parse(text, nullptr, false);
  if (!message.is_object()) return std::nullopt;
  driver::ExecInput out;
  if (const auto in = message.find("stdin"); in != message.end() && in->is_object()) {
    const auto data = in->find("data");
    if (data != in->end() && data->is_string()) out.stdin_data = base64_decode(data->get_ref<const std::string&>()).value_or("");
    out.stdin_eof = in->value("close", Json(false)) == Json(true);
  }
  if (const auto size = message.find("tty_size"); size != message.end() && size->is_object()) {
    const auto number = [&](const char* name) {
      const auto at = size->find(name);
      return at != size->end() && at->is_number_integer() ? at->get<std::int32_t>() : 0;
    };
    out.resize = driver::TerminalSize{.height = number("height"), .width = number("width")};
  }
  if (out.stdin_data.empty() && !out.stdin_eof && !out.resize) return std::nullopt;
  return out;
}

std::vector<std::string> exec_messages(const driver::ExecOutput& output) {
  std::vector<std::string> out;
  const auto add = [&](const char* name, const std::string& data, bool close) {
    for (std::size_t at = 0; at < data.size(); at += largest_data) {
      out.push_back(fmt::format(R"({{"{}":{{"data":"{}"}}}})", name, base64_encode(std::string_view(data).substr(at, largest_data))));
    }
    if (close) out.push_back(fmt::format(R"({{"{}":{{"close":true}}}})", name));
  };
  add("stdout", output.stdout_data, output.stdout_eof);
  add("stderr", output.stderr_data, output.stderr_eof);
  if (output.exit_code) {
    out.push_back(*output.exit_code == 0 ? std::string(R"({"exited":true,"result":{}})")
                                         : fmt::format(R"({{"exited":true,"result":{{"exit_code":{}}}}})", *output.exit_code));
  }
  return out;
}

Async<> exec_over_websocket(ExecRun run, http::WebSocket& socket) {
  Channel<driver::ExecInput> input(co_await asio::this_coro::executor, queued);
  using namespace asio::experimental::awaitable_operators;
  auto either = run_session(run, socket, input) || read_input(socket, input);
  co_await std::move(either);
}

Async<> refuse_socket(Error error, http::WebSocket& socket) {
  using namespace asio::experimental::awaitable_operators;
  auto either = http::end_socket(socket, close_code_of(error), error.message()) || read_until_gone(socket);
  co_await std::move(either);
}

}  // namespace drover::agent
