// A number of things that may be done at once; whoever comes later waits for his turn, first come first served. Loop only; outlives what
// it has given.
#pragma once

#include <list>
#include <utility>

#include "sdk/async/event.h"
#include "sdk/base/defer.h"

namespace drover {

class Permits {
 public:
  // One of them, given back by the destructor.
  class Held {
   public:
    explicit Held(Permits& from) : from_(&from) {}
    Held(Held&& other) noexcept : from_(std::exchange(other.from_, nullptr)) {}
    Held& operator=(Held&&) = delete;
    ~Held() { if (from_ != nullptr) from_->give_back(); }

   private:
    Permits* from_;
  };

  Permits(Executor executor, std::size_t count) : executor_(std::move(executor)), free_(count) {}

  [[nodiscard]] Async<Held> take() {
    if (free_ > 0) {
      --free_;
      co_return Held(*this);
    }
    const auto own = waiting_.emplace(waiting_.end(), executor_);
    Defer leave([&] {
      // Cancelled while it waited, or after its turn had come.
      const bool called = own->turn.is_set();
      (called ? called_ : waiting_).erase(own);
      if (called) give_back();
    });
    co_await own->turn.wait();
    leave.dismiss();
    called_.erase(own);
    co_return Held(*this);
  }
  [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }

 private:
  struct Waiter {
    explicit Waiter(const Executor& executor) : turn(executor) {}
    Event turn;
  };
  void give_back() {
    if (waiting_.empty()) {
      ++free_;
      return;
    }
    waiting_.front().turn.set();
    called_.splice(called_.end(), waiting_, waiting_.begin());
  }

  Executor executor_;
  std::size_t free_;
  std::list<Waiter> waiting_;
  std::list<Waiter> called_;  // their turn has come, and they have yet to wake
};

}  // namespace drover
