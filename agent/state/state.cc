#include "agent/state/state.h"

#include <pthread.h>

#include <boost/asio/post.hpp>

#include "agent/state/table.h"
#include "sdk/async/event.h"
#include "sdk/async/pool.h"

namespace drover {
namespace {
std::size_t bytes_of(const std::vector<StateChange>& changes) {
  std::size_t out = 0;
  for (const auto& change : changes) out += 64 + change.key.name.size() + (change.value ? change.value->size() : 0);
  return out;
}
}  // namespace

// Runs on the loop, but for the table, which only the thread touches.
struct StateStore::Impl : std::enable_shared_from_this<StateStore::Impl> {
  struct Waiter {
    explicit Waiter(const Executor& executor) : done(executor) {}
    Event done;
    Result<> result;
  };
  using WaiterPtr = std::shared_ptr<Waiter>;
  struct Request {
    std::vector<StateChange> changes;
    WaiterPtr waiter;
  };
  struct Outcome {
    Result<> result;
    bool reserve_used = false;
    std::size_t transactions = 0;
    std::vector<Result<>> each;  // of every request
  };

  Impl(Options given, StateTable opened) : options(std::move(given)), table(std::move(opened)), idle(options.executor) {
    asio::post(thread, [] { ::pthread_setname_np(::pthread_self(), "agent-state"); });
    note_reserve(table.reserve_used());
  }

  void note_reserve(bool used) {
    if (!used) health = {};
    else health = fail(Code::resource_exhausted, "the disk of \"{}\" is full: only stops and exits are recorded, free space", options.path);
  }

  void write_next() {
    if (writing || queue.empty()) return;
    writing = true;
    auto batch = std::make_shared<std::vector<Request>>(std::exchange(queue, {}));
    for (const auto& request : *batch) waiting_bytes -= bytes_of(request.changes);
    asio::post(thread, [self = shared_from_this(), batch]() mutable {
      auto outcome = std::make_shared<Outcome>(self->write(*batch));
      const Executor loop = self->options.executor;
      asio::post(loop, [self = std::move(self), batch = std::move(batch), outcome = std::move(outcome)] { self->written(*batch, *outcome); });
    });
  }

  // On the thread. One transaction for all; when that fails, each for itself, so that one cannot spoil the others.
  Outcome write(const std::vector<Request>& batch) {
    Outcome out;
    std::vector<StateChange> all;
    for (const auto& request : batch) all.insert(all.end(), request.changes.begin(), request.changes.end());
    out.result = table.apply(all);
    out.transactions = 1;
    out.each.assign(batch.size(), out.result);
    if (!out.result && batch.size() > 1) {
      for (std::size_t i = 0; i < batch.size(); ++i, ++out.transactions) {
        out.each[i] = table.apply(batch[i].changes);
        if (!out.each[i]) out.result = out.each[i];
      }
    }
    out.reserve_used = table.reserve_used();
    return out;
  }

  void written(const std::vector<Request>& batch, const Outcome& outcome) {
    writing = false;
    stats.transactions += outcome.transactions;
    stats.commits += batch.size();
    if (outcome.result) {
      note_reserve(outcome.reserve_used);
    } else {
      ++stats.failures;
      health = outcome.result;
    }
    for (std::size_t i = 0; i < batch.size(); ++i) {
      batch[i].waiter->result = outcome.each[i];
      batch[i].waiter->done.set();
    }
    write_next();
    idle.notify_all();
  }

  Options options;
  StateTable table;
  std::vector<Request> queue;
  std::size_t waiting_bytes = 0;
  bool writing = false;
  bool closing = false;
  Result<> health;
  Stats stats;
  Condition idle;
  Pool thread{1};
};

StateStore::StateStore(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
StateStore::~StateStore() { impl_->thread.join(); }

Result<StateStore::Opened> StateStore::open(Options options) {
  StoredState state;
  auto table = StateTable::open(options, state);
  if (!table) return fail(std::move(table).error());
  auto impl = std::make_shared<Impl>(std::move(options), std::move(*table));
  return Opened{.store = std::unique_ptr<StateStore>(new StateStore(std::move(impl))), .state = std::move(state)};
}

Async<Result<>> StateStore::commit(std::vector<StateChange> changes) {
  const auto impl = impl_;
  if (impl->closing) co_return fail(Code::cancelled, "the client is shutting down");
  if (changes.empty()) co_return Result<>{};
  const std::size_t size = bytes_of(changes);
  if (impl->waiting_bytes + size > impl->options.max_waiting_bytes) {
    co_return fail(Code::resource_exhausted, "{} bytes of client state wait for the disk already, try again later", impl->waiting_bytes);
  }
  impl->waiting_bytes += size;
  const auto waiter = std::make_shared<Impl::Waiter>(impl->options.executor);
  impl->queue.push_back({.changes = std::move(changes), .waiter = waiter});
  impl->write_next();
  co_await waiter->done.wait();
  co_return waiter->result;
}

Result<> StateStore::health() const { return impl_->health; }

StateStore::Stats StateStore::stats() const {
  Stats out = impl_->stats;
  out.waiting = impl_->queue.size();
  return out;
}

Async<> StateStore::close() {
  const auto impl = impl_;
  impl->closing = true;
  while (impl->writing || !impl->queue.empty()) co_await impl->idle.wait();
  impl->thread.join();
}

}  // namespace drover
