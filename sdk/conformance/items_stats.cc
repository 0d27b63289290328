// Items 83 and 84: what a task uses.
#include <unistd.h>

#include <cmath>

#include "sdk/base/text.h"
#include "sdk/conformance/rig.h"

namespace drover::conformance {
namespace {
using namespace std::chrono_literals;
const Wanted sleeps{"sleep", "echo run >> \"$NOMAD_TASK_DIR/starts\"; exec sleep 600"};

std::string request_of(const Task& task, std::chrono::nanoseconds interval) {
  pb::TaskStatsRequest out;
  out.set_task_id(task.id());
  *out.mutable_collection_interval() = to_duration(interval);
  return out.SerializeAsString();
}

// The parts whose absence ends a host written in Go.
void check_sample(Check& check, const std::string& bytes) {
  pb::TaskStatsResponse sample;
  if (!check.expect(sample.ParseFromString(bytes), "a well-formed sample", "another one")) return;
  if (!check.expect(sample.has_stats(), "stats in each sample", "none")) return;
  const pb::TaskStats& stats = sample.stats();
  check.expect(stats.has_timestamp() && stats.timestamp().seconds() > 0, "a timestamp in each sample", "none");
  if (!check.expect(stats.has_agg_resource_usage(), "agg_resource_usage in each sample", "none")) return;
  const auto& usage = stats.agg_resource_usage();
  check.expect(usage.has_cpu() && usage.has_memory(), "cpu and memory in each sample", usage.has_cpu() ? "no memory" : "no cpu");
  check.expect(usage.cpu().measured_fields_size() + usage.memory().measured_fields_size() > 0, "measured_fields that say which numbers are real", "none");
  check.should(std::isfinite(usage.cpu().percent()) && std::isfinite(usage.cpu().total_ticks()), "finite numbers", fmt::format("percent {}, ticks {}", usage.cpu().percent(), usage.cpu().total_ticks()));
}

Async<> at_interval(Bench& bench, Check& check, Run& run, const Task& task, std::chrono::nanoseconds interval, std::size_t count) {
  const auto began = std::chrono::steady_clock::now();
  Watch samples(bench.executor(), run.client(), driver_service + "TaskStats", request_of(task, interval));
  const bool first = co_await samples.messages_within(1, interval + 30s);
  if (!check.expect(first, "a sample", samples.status_text())) co_return;
  const auto took = samples.times().front() - began;
  check.expect(took <= interval + 2s, fmt::format("the first sample within {}", format_duration(interval + 2s)), format_duration(took));
  const bool more = co_await samples.messages_within(count, interval * static_cast<std::int64_t>(count) * 3);
  if (!check.expect(more, fmt::format("{} samples", count), fmt::format("{}; {}", samples.messages().size(), samples.status_text()))) co_return;
  // The first gap may be shorter: the first sample is sent at once.
  const auto whole = samples.times()[count - 1] - samples.times()[1];
  const double each = std::chrono::duration<double>(whole).count() / static_cast<double>(count - 2), wanted = std::chrono::duration<double>(interval).count();
  check.expect(each >= wanted * 0.5 && each <= wanted * 1.5, fmt::format("a sample each {:g} s, give or take the half", wanted), fmt::format("one each {:.2f} s", each));
  for (const std::string& bytes : samples.messages()) {
    if (check.failed()) break;
    check_sample(check, bytes);
  }
}

Async<> item_83(Bench& bench, Check& check) {
  const RunPtr run = co_await bench.ready(check);
  const TaskPtr task = run ? co_await start_task(bench, check, *run, {.wanted = sleeps}) : nullptr;
  if (!task) co_return;
  co_await at_interval(bench, check, *run, *task, 1s, 5);
  if (!check.failed()) co_await at_interval(bench, check, *run, *task, 5s, 3);
  {
    Watch samples(bench.executor(), run->client(), driver_service + "TaskStats", request_of(*task, 1s));
    const bool first = co_await samples.messages_within(1, 10s);
    [[maybe_unused]] const auto stopped = co_await stop_task(*run, task->id(), 0s, "");
    [[maybe_unused]] const auto ended = co_await wait_task(*run, task->id(), 20s);
    const bool over = co_await samples.ended_within(3s);
    check.note(fmt::format("after the end of the task: {}{}", over ? samples.status_text() : "the stream stays open", first ? "" : " (it sent nothing)"));
  }
  [[maybe_unused]] const auto destroyed = co_await destroy_task(*run, task->id(), true);
  check.expect(run->alive(), "the plugin keeps running", run->epitaph());
}

Async<> item_84(Bench& bench, Check& check) {
  const RunPtr run = co_await bench.ready(check);
  // dd fills a buffer of 100 MiB and then waits for somebody to read it.
  const TaskPtr task = run ? co_await start_task(bench, check, *run, {.wanted = {"", "dd if=/dev/zero bs=104857600 count=1 2>/dev/null | sleep 600"}}) : nullptr;
  if (!task) co_return;
  co_await sleep_for(3s);
  pb::TaskStatsResponse sample;
  {
    Watch samples(bench.executor(), run->client(), driver_service + "TaskStats", request_of(*task, 1s));
    const bool came = co_await samples.messages_within(2, 30s);
    if (check.expect(came, "samples", samples.status_text())) static_cast<void>(sample.ParseFromString(samples.messages().back()));
  }
  [[maybe_unused]] const auto destroyed = co_await destroy_task(*run, task->id(), true);
  const auto& memory = sample.stats().agg_resource_usage().memory();
  const std::uint64_t used = std::max(memory.rss(), memory.usage());
  check.expect(used >= 50U << 20 && used <= 200U << 20, "about 100 MiB for a task that holds 100 MiB", fmt::format("rss {} MiB, usage {} MiB", memory.rss() >> 20, memory.usage() >> 20));

  const TaskPtr spinner = co_await start_task(bench, check, *run, {.wanted = {"", "while :; do :; done"}});
  if (!spinner) co_return;
  co_await sleep_for(1s);
  double percent = 0, truth = 0;
  {
    // The truth: what the kernel says of the task's processes, since a busy machine gives none of them a whole core.
    const auto ticks = [&] {
      double out = 0;
      for (const pid_t pid : processes_of(*spinner)) {
        const auto fields = split(read_file(fmt::format("/proc/{}/stat", pid)).value_or(""), ' ');
        if (fields.size() > 14) out += std::atof(fields[13].c_str()) + std::atof(fields[14].c_str());
      }
      return out / static_cast<double>(::sysconf(_SC_CLK_TCK));
    };
    Watch samples(bench.executor(), run->client(), driver_service + "TaskStats", request_of(*spinner, 1s));
    [[maybe_unused]] const bool came = co_await samples.messages_within(1, 30s);
    const double before = ticks();
    const auto began = std::chrono::steady_clock::now();
    const bool more = co_await samples.messages_within(6, 30s);
    truth = (ticks() - before) / std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count() * 100;
    const auto& messages = samples.messages();
    for (std::size_t i = 1; more && i < messages.size(); ++i) {
      static_cast<void>(sample.ParseFromString(messages[i]));
      percent += sample.stats().agg_resource_usage().cpu().percent() / static_cast<double>(messages.size() - 1);
    }
  }
  [[maybe_unused]] const auto ended = co_await destroy_task(*run, spinner->id(), true);
  if (truth > 0) check.expect(percent >= truth * 0.5 && percent <= truth * 1.5, fmt::format("about {:.0f} % for a task that spins", truth), fmt::format("{:.0f} %", percent));
}
}  // namespace

std::vector<ItemCheck> stats_checks() { return {{83, item_83}, {84, item_84}}; }

}  // namespace drover::conformance
