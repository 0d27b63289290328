#include "sdk/conformance/watch.h"

#include <boost/asio/post.hpp>

#include "sdk/async/event.h"
#include "sdk/async/scope.h"
#include "sdk/rpc/client.h"

namespace drover::conformance {
namespace {
using namespace std::chrono_literals;
constexpr std::size_t most_messages = 10'000;
}  // namespace

struct Watch::State {
  explicit State(const Executor& loop) : executor(loop), changed(loop), scope(loop) {}
  Executor executor;
  std::unique_ptr<rpc::Stream> stream;
  std::vector<std::string> messages;
  std::vector<std::chrono::steady_clock::time_point> times;
  bool ended = false;
  Result<> status;
  Condition changed;
  Scope scope;
};

namespace {
Async<> follow(std::shared_ptr<Watch::State> state, std::optional<std::string> request) {
  if (request) {
    [[maybe_unused]] const bool sent = co_await state->stream->send(std::move(*request));
    state->stream->close_send();
  }
  for (;;) {
    auto message = co_await state->stream->receive();
    if (!message) break;
    if (state->messages.size() < most_messages) {
      state->messages.push_back(std::move(*message));
      state->times.push_back(std::chrono::steady_clock::now());
    }
    state->changed.notify_all();
  }
  state->ended = true;
  state->status = state->stream->status();
  state->changed.notify_all();
}
}  // namespace

Watch::Watch(Executor executor, rpc::Client& client, const std::string& path, std::optional<std::string> request)
    : state_(std::make_shared<State>(executor)) {
  state_->stream = client.open(path);
  state_->scope.spawn(follow(state_, std::move(request)));
}

Watch::~Watch() {
  state_->scope.cancel();
  asio::post(state_->executor, [state = state_] {});
}

Async<bool> Watch::messages_within(std::size_t count, std::chrono::nanoseconds limit) {
  const auto state = state_;
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (state->messages.size() < count) {
    const auto left = deadline - std::chrono::steady_clock::now();
    if (state->ended || left <= 0ns) co_return false;
    [[maybe_unused]] const bool more = co_await state->changed.wait_for(left);
  }
  co_return true;
}

Async<bool> Watch::ended_within(std::chrono::nanoseconds limit) {
  const auto state = state_;
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!state->ended) {
    const auto left = deadline - std::chrono::steady_clock::now();
    if (left <= 0ns) co_return false;
    [[maybe_unused]] const bool more = co_await state->changed.wait_for(left);
  }
  co_return true;
}

const std::vector<std::string>& Watch::messages() const { return state_->messages; }
const std::vector<std::chrono::steady_clock::time_point>& Watch::times() const { return state_->times; }
bool Watch::ended() const { return state_->ended; }
bool Watch::unimplemented() const { return state_->ended && !state_->status && state_->status.error().code() == Code::unimplemented; }

std::string Watch::status_text() const {
  if (!state_->ended) return "open";
  return state_->status ? "ended without an error" : "ended: " + state_->status.error().message();
}

}  // namespace drover::conformance
