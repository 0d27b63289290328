// state-file PATH MIB: a snapshot file whose state has at least that many MiB, most of it allocations that have run, each with its task's
// states and metrics, as a cluster that has been up for long has them.
#include <fcntl.h>

#include <cstdlib>

#include "lib/snapshot/archive.h"
#include "lib/snapshot/spool.h"
#include "sdk/base/clock.h"
#include "sdk/base/file.h"
#include "sdk/base/uuid.h"
#include "server/fsm/fsm.h"
#include "server/state/txn.h"

using namespace drover;

namespace {
constexpr std::size_t allocs_a_job = 1000;

std::shared_ptr<model::Job> make_job(std::size_t number, Rng& rng) {
  auto job = std::make_shared<model::Job>();
  job->id = job->name = fmt::format("job-{:06}", number);
  job->namespace_ = "default";
  job->type = "batch";
  job->status = "dead";
  job->create_index = job->modify_index = job->job_modify_index = 10 + number;
  for (int i = 0; i < 12; ++i) job->meta[fmt::format("team_meta_key_{}", i)] = make_uuid(rng);
  return job;
}

state::AllocPtr make_alloc(const state::JobPtr& job, std::size_t number, Rng& rng) {
  auto alloc = std::make_shared<model::Allocation>();
  alloc->id = make_uuid(rng);
  alloc->eval_id = make_uuid(rng);
  alloc->node_id = make_uuid(rng);
  alloc->node_name = fmt::format("node-{}", number % 5000);
  alloc->name = fmt::format("{}.g[{}]", job->id, number);
  alloc->namespace_ = "default";
  alloc->job_id = job->id;
  alloc->job = job;
  alloc->task_group = "g";
  alloc->desired_status = "run";
  alloc->client_status = "complete";
  alloc->client_description = "All tasks have completed";
  alloc->create_index = alloc->modify_index = alloc->alloc_modify_index = 1000 + number;
  alloc->create_time = alloc->modify_time = 1'800'000'000'000'000'000;
  model::TaskState task;
  task.state = "dead";
  for (const char* type : {"Received", "Task Setup", "Started", "Terminated"}) {
    model::TaskEvent event;
    event.type = type;
    event.time = 1'800'000'000'000'000'000 + static_cast<std::int64_t>(number);
    event.display_message = fmt::format("{} by client {}", type, make_uuid(rng));
    task.events.push_back(event);
  }
  alloc->task_states["t"] = task;
  return alloc;
}

Result<> write_file(const std::string& path, std::uint64_t bytes) {
  Rng rng(1);
  fsm::StateLoader loaded;
  loaded.complete();
  loaded.tables.node_pools = state::Store().tables().node_pools;
  loaded.tables.index = 1'000'000;
  // About 700 bytes each; looked at again when they are written.
  state::JobPtr job;
  for (std::size_t number = 0; number < bytes / 700; ++number) {
    if (number % allocs_a_job == 0) {
      job = make_job(number / allocs_a_job, rng);
      loaded.tables.jobs.put(job);
      loaded.tables.versions.put(job);
    }
    add_to(loaded.tables, make_alloc(job, number, rng));
  }
  fsm::Fsm fsm;
  fsm.take_over(loaded);
  std::uint64_t records = 0, size = 0;
  const auto write = [&](const snapshot::ByteSink& sink) {
    return fsm.snapshot()([&](std::string_view record) -> Result<> {
      ++records;
      size += 4 + record.size();
      DROVER_TRY(sink(fsm::frame_of(record.size())));
      return sink(record);
    });
  };
  auto file = open_file(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  if (!file) return fail(file.error());
  const auto written = snapshot::write_archive({.id = "bench", .index = 1'000'000, .build = "bench", .created = 1'800'000'000'000'000'000}, write, "/tmp",
                                               [&](std::string_view bytes_out) { return write_all(file->get(), bytes_out); });
  if (!written) return fail(written.error());
  fmt::print("{} records, {:.0f} MiB, packed {:.0f} MiB\n", records, static_cast<double>(size) / (1 << 20), static_cast<double>(written->bytes) / (1 << 20));
  return {};
}
}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    fmt::print(stderr, "usage: state-file PATH MIB\n");
    return 2;
  }
  const auto done = write_file(argv[1], std::strtoull(argv[2], nullptr, 10) << 20);
  if (!done) fmt::print(stderr, "state-file: {}\n", done.error().message());
  return done ? 0 : 1;
}
