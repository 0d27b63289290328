// The vocabulary of asynchronous code: `Async<T>` is a coroutine that yields T on its loop.
//
// Each process has one io_context run by one thread, *the loop*; what the loop owns needs no lock. Coroutines are started
// in a Scope and nowhere else. Prefer the plain form: one co_await a statement, initialising a named local.
// Cancelling a Scope makes the pending co_await throw operation_aborted; it unwinds to the Scope, which swallows it.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>

namespace drover {

namespace asio = boost::asio;
using Executor = asio::any_io_executor;
template <class T = void>
using Async = asio::awaitable<T>;
// Completion token for Asio calls: `auto [error, size] = co_await socket.async_read_some(buffer, no_throw);`
inline constexpr auto no_throw = asio::as_tuple(asio::use_awaitable);

// Suspends for `duration` of the monotonic clock.
[[nodiscard]] Async<> sleep_for(std::chrono::nanoseconds duration);
// Throws operation_aborted when the calling coroutine has been cancelled.
[[nodiscard]] Async<> throw_if_cancelled();

}  // namespace drover
