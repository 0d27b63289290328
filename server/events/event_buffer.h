// The last transactions as events, for /v1/event/stream (server contract 31).
//
// A ring of batches kept as the changes they came from: events are built only when somebody reads. Loop only. Payloads leave
// out secrets: a node's secret id, an allocation's job.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "lib/model/event.h"
#include "sdk/async/event.h"
#include "server/fsm/messages.h"
#include "server/state/change.h"

namespace drover::events {

struct Batch {
  std::uint64_t index = 0;
  model::List<model::Event> events;
};

struct Filter {
  std::map<std::string, std::set<std::string>> topics;  // topic ("*": all) to keys ("*": all)
  std::string namespace_ = "default";                   // "*": all
};

class EventBuffer;

// Reads on from where it is. A reader that the ring has overtaken is told so by an error.
class Subscription {
 public:
  Subscription(EventBuffer& buffer, Filter filter, std::uint64_t next) : buffer_(buffer), filter_(std::move(filter)), next_(next) {}
  // The next batches with at least one matching event; empty when `limit` passed first (time for a heartbeat).
  [[nodiscard]] Async<Result<std::vector<Batch>>> next(std::chrono::nanoseconds limit);

 private:
  EventBuffer& buffer_;
  Filter filter_;
  std::uint64_t next_;  // sequence number in the ring
};

class EventBuffer {
 public:
  EventBuffer(const Executor& executor, std::size_t size) : changed_(executor), size_(size) {}

  void append(fsm::MessageType type, std::uint64_t index, const state::Changes& changes);
  // From the first batch at or after `index`; the oldest when 0 or no longer there, the newest when in the future.
  [[nodiscard]] Subscription subscribe(Filter filter, std::uint64_t index);

 private:
  friend class Subscription;
  struct Entry {
    fsm::MessageType type;
    std::uint64_t index;
    state::Changes changes;
  };
  [[nodiscard]] std::uint64_t end() const { return first_ + ring_.size(); }

  Condition changed_;
  std::size_t size_;
  std::uint64_t first_ = 0;  // sequence number of the oldest entry
  std::deque<Entry> ring_;
};

// The lines of one transaction; a job's registration or stop makes two.
[[nodiscard]] std::vector<Batch> make_batches(fsm::MessageType type, std::uint64_t index, const state::Changes& changes);

}  // namespace drover::events
