#include <fcntl.h>

#include <cstdio>

#include "agent/task/hooks/hook.h"
#include "sdk/base/file.h"

namespace drover::agent {
namespace {

// Where a task's output goes and how it rotates. Our drivers read the settings file beside the paths; paths keep the names that
// third-party drivers rely on (plugin protocol 7.3).
class LogConfigHook final : public TaskHook {
 public:
  [[nodiscard]] std::string_view name() const override { return "logmon"; }
  Async<Result<>> prestart(TaskStart& start) override {
    model::LogConfig log;
    log.max_files = 10;
    log.max_file_size_mb = 10;
    if (start.task.log_config) log = *start.task.log_config;
    const bool disabled = log.disabled || start.driver.capabilities().disable_log_collection;
    const std::string base = start.paths.logs() + "/." + start.task.name;
    start.config.stdout_path = disabled ? "/dev/null" : base + ".stdout.fifo";
    start.config.stderr_path = disabled ? "/dev/null" : base + ".stderr.fifo";
    std::string text = fmt::format(R"({{"max_files":{},"max_file_size_mb":{},"disabled":{}}})", log.max_files, log.max_file_size_mb, disabled);
    const std::string path = base + ".logs.json";
    auto written = co_await run_blocking(start.context.pool, [path, text]() -> Result<> {
      // A task may have put a link there: write beside it and rename over it (N-002).
      const std::string fresh = path + ".new";
      if (std::remove(fresh.c_str()) != 0 && errno != ENOENT) return fail_errno("removing \"{}\"", fresh);
      auto file = open_file(fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0644);
      if (!file) return fail(file.error());
      DROVER_TRY(write_all(file->get(), text));
      if (std::rename(fresh.c_str(), path.c_str()) != 0) return fail_errno("writing \"{}\"", path);
      return {};
    });
    co_return written;
  }
};

}  // namespace

std::unique_ptr<TaskHook> make_log_config_hook() { return std::make_unique<LogConfigHook>(); }

}  // namespace drover::agent
