// A running task until its end: watched, stopped when asked, measured.
#include <boost/asio/experimental/awaitable_operators.hpp>

#include "agent/task/events.h"
#include "agent/task/task_runner.h"
#include "sdk/async/scope.h"
#include "sdk/base/fail_point.h"
#include "sdk/driver/client.h"

namespace drover::agent {
namespace {
// In intervals of statistics: how long a stream may be silent, and the longest pause between streams that bring nothing.
constexpr int stats_silence = 10, stats_pause = 5;
}  // namespace

Async<driver::ExitResult> TaskRunner::wait_for_end(TaskDriver& driver) {
  Scope side(services_.executor);
  side.spawn(stop_when_asked(driver));
  side.spawn(sample_stats(driver));
  driver::ExitResult out;
  for (bool recovered = false;;) {
    auto ended = co_await driver.wait(local_.driver_task_id);
    if (ended) {
      out = std::move(*ended);
      break;
    }
    // How it ended is not known; users see what the reference shows them.
    out.error = driver::rpc_text(ended.error());
    const bool gone = ended.error().code() == Code::unavailable;
    // A new instance does not know the task until it is told.
    if (!gone && (recovered || ended.error().code() != Code::not_found)) break;
    if (gone) {
      // The plugin went away; the task did not (F-23).
      log_.warn("the driver plugin went away; waiting for its next instance", "driver", task_.driver);
      co_await wait_for_plugin(driver);
    }
    const auto taken = co_await driver.recover(local_.handle);
    recovered = taken.has_value();
    if (!taken && taken.error().code() != Code::unavailable) {
      out.exit_code = -1;
      out.error = fmt::format("the driver plugin could not take the task over: {}", taken.error().message());
      break;
    }
  }
  co_await side.close();
  co_return out;
}

Async<> TaskRunner::stop_when_asked(TaskDriver& driver) {
  co_await stop_asked_.wait();
  if (killed_ && task_.shutdown_delay.count() > 0) {
    add_event(events::shutdown_delay(now(), task_.shutdown_delay, skip_shutdown_delay_));
    if (!skip_shutdown_delay_) co_await sleep_for(task_.shutdown_delay);
  }
  const nanoseconds timeout = kill_timeout();
  if (killed_ && local_.stopping != "kill") add_event(events::killing(now(), timeout, ""));
  local_.stopping = killed_ ? "kill" : "restart";
  co_await store();
  fail_point("task.stop_stored");
  nanoseconds pause = std::chrono::seconds(5);
  for (int attempt = 0; attempt < 5;) {
    const auto stopped = co_await driver.stop(local_.driver_task_id, timeout, task_.kill_signal);
    if (stopped) co_return;
    const Code code = stopped.error().code();
    if (code == Code::unavailable || code == Code::not_found) {
      // The next instance of the plugin is told of the task before it is asked again; one that has nothing of it has nothing
      // to stop, which wait_for_end() sees as well.
      if (code == Code::unavailable) co_await wait_for_plugin(driver);
      else ++attempt;
      const auto taken = co_await driver.recover(local_.handle);
      if (!taken && taken.error().code() != Code::unavailable) co_return;
      continue;
    }
    ++attempt;
    log_.error("stopping the task failed", "attempt", attempt, "error", stopped.error());
    co_await sleep_for(pause);
    pause = std::min<nanoseconds>(pause * 4, std::chrono::minutes(2));
  }
  add_event(events::killed(now(), "Resources may have been leaked"));
}

namespace {
using namespace asio::experimental::awaitable_operators;

struct Heard {
  bool any = false, lately = false;
};

Async<> keep_latest(Channel<driver::TaskStats>& samples, std::optional<driver::TaskStats>& out, Heard& heard) {
  for (;;) {
    auto next = co_await samples.receive();
    if (!next) co_return;
    out = std::move(*next);
    heard = {true, true};
  }
}

// Ends when nothing has come for a while: one timer now and then, and none for each sample.
Async<> until_silent(Heard& heard, nanoseconds silence) {
  do {
    heard.lately = false;
    co_await sleep_for(silence);
  } while (heard.lately);
}
}  // namespace

// One stream after another: a plugin that was replaced is asked again as soon as it answers, and a stream that has gone silent is given
// up, since some drivers never answer for a task they have not been told of yet (plugin protocol 5.3).
Async<> TaskRunner::sample_stats(TaskDriver& driver) {
  const nanoseconds interval = services_.stats_interval;
  nanoseconds pause = interval;
  for (;;) {
    Channel<driver::TaskStats> samples(services_.executor, 4);
    Heard heard;
    auto both = driver.stats(local_.driver_task_id, interval, samples) || keep_latest(samples, stats_, heard) || until_silent(heard, stats_silence * interval);
    const auto ended = co_await std::move(both);
    const auto* result = std::get_if<0>(&ended);
    const bool failed = result != nullptr && !*result;
    // A driver without statistics is not asked again (plugin protocol 5.1).
    if (failed && result->error().code() == Code::unimplemented) co_return;
    if (failed && result->error().code() == Code::unavailable) co_await wait_for_plugin(driver);
    pause = heard.any ? interval : std::min<nanoseconds>(pause * 2, stats_pause * interval);
    co_await sleep_for(pause);
  }
}

}  // namespace drover::agent
