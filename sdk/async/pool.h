// Threads for work that blocks or burns CPU: values in, a value out, nothing shared with the loop.
#pragma once

#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <memory>
#include <optional>
#include <type_traits>

#include "sdk/async/asio.h"

namespace drover {

using Pool = asio::thread_pool;

// Runs `work()` on the pool and resumes the caller on its own loop with the value. `work` must not throw.
// Cancellation does not interrupt it: the caller resumes when the work is done.
template <class F>
[[nodiscard]] Async<std::invoke_result_t<F>> run_blocking(Pool& pool, F work) {
  using R = std::invoke_result_t<F>;
  auto out = std::make_shared<std::optional<R>>();
  auto initiate = [&pool, out, work = std::move(work)](auto handler) mutable {
    auto loop = asio::get_associated_executor(handler);
    auto guard = asio::make_work_guard(loop);
    asio::post(pool, [loop, guard = std::move(guard), handler = std::move(handler), out, work = std::move(work)]() mutable {
      out->emplace(work());
      asio::post(loop, [handler = std::move(handler)]() mutable { std::move(handler)(); });
    });
  };
  co_await asio::async_initiate<const asio::use_awaitable_t<>, void()>(std::move(initiate), asio::use_awaitable);
  co_return std::move(**out);
}

}  // namespace drover
