// Owns coroutines (a nursery): the only place that starts them. Leaving cancels and joins; nothing is detached.
//
// Use on one loop only. `co_await scope.close()` before the Scope dies; a Scope destroyed with running members cancels them
// but cannot wait, so what they refer to must then outlive the loop.
#pragma once

#include <boost/asio/cancellation_signal.hpp>
#include <functional>
#include <list>
#include <memory>

#include "sdk/async/asio.h"
#include "sdk/async/event.h"

namespace drover {

class Scope {
 public:
  explicit Scope(Executor executor);
  ~Scope();
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

  // Starts `work` on the loop. An exception other than cancellation is a bug and ends the process, naming it.
  void spawn(Async<> work);
  // Asks every member to stop; pending waits throw operation_aborted inside them. Members spawned later are not affected.
  void cancel();
  // Waits until no member runs.
  [[nodiscard]] Async<> join();
  // cancel() and join().
  [[nodiscard]] Async<> close();
  [[nodiscard]] std::size_t size() const;
  [[nodiscard]] const Executor& executor() const { return executor_; }

 private:
  struct State;
  Executor executor_;
  std::shared_ptr<State> state_;
};

}  // namespace drover
