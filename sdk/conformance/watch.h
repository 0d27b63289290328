// A server stream of the plugin, followed in the background: what came, when, and how it ended. Loop only.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sdk/async/asio.h"
#include "sdk/base/error.h"

namespace drover::rpc { class Client; }

namespace drover::conformance {

class Watch {
 public:
  struct State;
  // Opens the stream with `request` as its only message; without one nothing is sent and the stream is not half-closed.
  Watch(Executor executor, rpc::Client& client, const std::string& path, std::optional<std::string> request);
  ~Watch();  // cancels the stream
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  // Waits until `count` messages have come; false when the stream ended or `limit` passed before.
  [[nodiscard]] Async<bool> messages_within(std::size_t count, std::chrono::nanoseconds limit);
  [[nodiscard]] Async<bool> ended_within(std::chrono::nanoseconds limit);
  [[nodiscard]] const std::vector<std::string>& messages() const;
  [[nodiscard]] const std::vector<std::chrono::steady_clock::time_point>& times() const;
  [[nodiscard]] bool ended() const;
  [[nodiscard]] bool unimplemented() const;
  // "open", "ended without an error" or "ended: <text>".
  [[nodiscard]] std::string status_text() const;

 private:
  std::shared_ptr<State> state_;
};

}  // namespace drover::conformance
