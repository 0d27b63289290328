// A bounded queue between coroutines of one loop. Not thread-safe; from another thread, asio::post to the loop first.
#pragma once

#include <deque>
#include <optional>

#include "sdk/async/event.h"
#include "sdk/base/error.h"

namespace drover {

template <class T>
class Channel {
 public:
  // Holds at most `limit` values.
  Channel(const Executor& executor, std::size_t limit) : changed_(executor), limit_(limit) {}

  // False when the channel is full or closed; the value is dropped.
  [[nodiscard]] bool try_send(T value) {
    if (closed_ || queue_.size() >= limit_) return false;
    queue_.push_back(std::move(value));
    changed_.notify_all();
    return true;
  }
  // Waits for room. False when the channel was closed.
  [[nodiscard]] Async<bool> send(T value) {
    while (!closed_ && queue_.size() >= limit_) co_await changed_.wait();
    co_return try_send(std::move(value));
  }
  // The next value; empty when the channel is closed and drained.
  [[nodiscard]] Async<std::optional<T>> receive() {
    while (queue_.empty() && !closed_) co_await changed_.wait();
    co_return try_receive();
  }
  [[nodiscard]] std::optional<T> try_receive() {
    if (queue_.empty()) return std::nullopt;
    std::optional<T> out(std::move(queue_.front()));
    queue_.pop_front();
    changed_.notify_all();
    return out;
  }
  void close() { closed_ = true; changed_.notify_all(); }
  [[nodiscard]] bool closed() const { return closed_; }
  [[nodiscard]] std::size_t size() const { return queue_.size(); }

 private:
  std::deque<T> queue_;
  Condition changed_;
  std::size_t limit_;
  bool closed_ = false;
};

}  // namespace drover
