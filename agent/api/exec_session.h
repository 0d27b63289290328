// A command in a task over a websocket (http-api 3.4): JSON messages one way and the other, until the command has ended or the
// user has gone. Loop only.
#pragma once

#include <functional>

#include "lib/http/websocket.h"
#include "sdk/async/asio.h"
#include "sdk/async/channel.h"
#include "sdk/base/error.h"
#include "sdk/driver/driver.h"

namespace drover::agent {

// Runs the command. Cancelled when the user goes away.
using ExecRun = std::function<Async<Result<>>(Channel<driver::ExecInput>& input, Channel<driver::ExecOutput>& output)>;

// When the command has ended, so has the connection, without a close frame. An error is its close frame.
[[nodiscard]] Async<> exec_over_websocket(ExecRun run, http::WebSocket& socket);

// Refuses what is asked for on a socket that was accepted already.
[[nodiscard]] Async<> refuse_socket(Error error, http::WebSocket& socket);

// A client's message as input for the driver; nothing for a heartbeat and for what is no message.
[[nodiscard]] std::optional<driver::ExecInput> parse_exec_message(std::string_view text);
// The messages that tell of an output.
[[nodiscard]] std::vector<std::string> exec_messages(const driver::ExecOutput& output);

}  // namespace drover::agent
