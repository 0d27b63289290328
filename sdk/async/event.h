// A flag coroutines of one loop can wait for, and a condition without a flag. Not thread-safe: set and wait on the loop.
#pragma once

#include <boost/asio/steady_timer.hpp>

#include "sdk/async/asio.h"

namespace drover {

// Wakes every waiter at each notify(). A notification without a waiter is lost.
class Condition {
 public:
  explicit Condition(const Executor& executor) : timer_(executor, asio::steady_timer::time_point::max()) {}
  void notify_all() { timer_.cancel(); }
  [[nodiscard]] Async<> wait();
  // False when `limit` passed first.
  [[nodiscard]] Async<bool> wait_for(std::chrono::nanoseconds limit);
  [[nodiscard]] Executor executor() { return timer_.get_executor(); }

 private:
  asio::steady_timer timer_;
};

// Stays set until reset(): waiting on a set event returns at once.
class Event {
 public:
  explicit Event(const Executor& executor) : condition_(executor) {}
  void set() { set_ = true; condition_.notify_all(); }
  void reset() { set_ = false; }
  [[nodiscard]] bool is_set() const { return set_; }
  [[nodiscard]] Async<> wait();
  // False when `limit` passed before the event was set.
  [[nodiscard]] Async<bool> wait_for(std::chrono::nanoseconds limit);

 private:
  Condition condition_;
  bool set_ = false;
};

}  // namespace drover
