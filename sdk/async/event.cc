#include "sdk/async/event.h"

#include <boost/asio/experimental/awaitable_operators.hpp>

namespace drover {

Async<> Condition::wait() {
  [[maybe_unused]] const auto [error] = co_await timer_.async_wait(no_throw);
  co_await throw_if_cancelled();
}

Async<bool> Condition::wait_for(std::chrono::nanoseconds limit) {
  using namespace asio::experimental::awaitable_operators;
  auto either = wait() || sleep_for(limit);
  const auto first = co_await std::move(either);
  co_return first.index() == 0;
}

Async<> Event::wait() {
  while (!set_) co_await condition_.wait();
}

Async<bool> Event::wait_for(std::chrono::nanoseconds limit) {
  if (set_) co_return true;
  using namespace asio::experimental::awaitable_operators;
  auto either = wait() || sleep_for(limit);
  const auto first = co_await std::move(either);
  co_return first.index() == 0;
}

}  // namespace drover
