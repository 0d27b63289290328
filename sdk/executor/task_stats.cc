// Statistics of tasks under executors: of one, as every host asks for them, and of all in one stream.
#include <boost/asio/post.hpp>
#include <unordered_map>

#include "sdk/executor/executor_driver.h"

namespace drover {
namespace {
using namespace std::chrono_literals;
// Of one message: a millisecond in which the driver does nothing else, and less than what makes malloc tidy up at every free.
constexpr std::size_t most_at_once = 64;
}  // namespace

Async<Result<>> ExecutorDriver::task_stats(std::string id, std::chrono::nanoseconds interval, Channel<driver::TaskStats>& out) {
  const auto task = find(id);
  if (!task) co_return fail(task.error());
  if (interval <= 0ns) co_return fail(Code::invalid_argument, "the collection interval is not positive");
  const auto running = (*task)->running;
  const ExecutorStatus& status = running->status();
  StatsSampler sampler(id, status.cgroup, status.executor_pid, core_mhz_);
  while (!running->ended()) {
    const bool sent = co_await out.send(sampler.sample(clock_));
    if (!sent) break;
    const bool ended = co_await running->wait_for(until_next_sample(clock_.monotonic().time_since_epoch(), interval));
    if (ended) break;
  }
  co_return Result<>{};
}

// One pass over the tasks each tenth of an interval, in which nothing is looked up by name.
Async<Result<>> ExecutorDriver::all_task_stats(std::chrono::nanoseconds interval, Channel<std::vector<driver::TaskStats>>& out) {
  if (interval <= 0ns) co_return fail(Code::invalid_argument, "the collection interval is not positive");
  struct Measured {
    std::shared_ptr<Task> task;  // keeps the address from being another task's
    StatsSampler sampler;
    nanoseconds next{};
    std::uint64_t seen = 0;
  };
  std::unordered_map<const Task*, Measured> known;
  StatsRound round(interval);
  const bool begun = co_await out.send({});
  if (!begun) co_return Result<>{};
  for (std::uint64_t number = 1;; ++number) {
    const nanoseconds now = clock_.monotonic().time_since_epoch();
    std::vector<Measured*> turn;
    nanoseconds earliest = nanoseconds::max();
    for (const auto& [id, task] : tasks_) {
      if (!task->running || task->running->ended()) continue;
      auto at = known.find(task.get());
      if (at == known.end()) {
        const ExecutorStatus& status = task->running->status();
        at = known.emplace(task.get(), Measured{task, StatsSampler(id, status.cgroup, status.executor_pid, core_mhz_)}).first;
      }
      at->second.seen = number;
      if (round.take(at->second.next, now)) turn.push_back(&at->second);
      earliest = std::min(earliest, at->second.next);
    }
    std::erase_if(known, [&](const auto& entry) { return entry.second.seen != number; });
    std::vector<driver::TaskStats> message;
    for (std::size_t i = 0; i < turn.size(); ++i) {
      message.push_back(turn[i]->sampler.sample(clock_));
      if (message.size() < most_at_once && i + 1 < turn.size()) continue;
      const bool sent = co_await out.send(std::exchange(message, {}));
      if (!sent) co_return Result<>{};
      co_await asio::post(loop_, asio::use_awaitable);
    }
    if (known.empty()) co_await has_tasks_.wait();
    else [[maybe_unused]] const bool more = co_await has_tasks_.wait_for(round.pause(earliest, clock_.monotonic().time_since_epoch()));
    // A new task is looked at at once; of many that are started one after the other those of a tenth of the interval come together.
    const nanoseconds rest = now + interval / 10 - clock_.monotonic().time_since_epoch();
    if (rest > 0ns) co_await sleep_for(rest);
  }
}

}  // namespace drover
