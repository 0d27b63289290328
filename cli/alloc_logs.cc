// alloc logs: a task's stdout or stderr, from the start, the end, or followed.
#include "cli/api_client.h"
#include "cli/commands.h"
#include "cli/frames.h"
#include "cli/lookup.h"

namespace drover::cli {
namespace {
class AllocLogs final : public Command {
 public:
  void flags(FlagSet& set) override {
    set.boolean("verbose", verbose_, "Show whole ids.");
    set.boolean("job", by_job_, "Take an allocation of the named job.");
    set.boolean("tail", tail_, "Show the end of the log.");
    set.boolean("f", follow_, "Go on as the log grows.");
    set.boolean("stderr", stderr_, "Show stderr.");
    set.boolean("stdout", stdout_, "Show stdout (the default).");
    set.integer("n", lines_, "With -tail: how many lines.");
    set.integer("c", bytes_, "With -tail: how many bytes.");
    set.text("task", task_, "The task, when the allocation has several.");
    set.text("group", group_, "With -job: the task group.");
  }

  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (arguments.empty()) return context.usage_error(by_job_ ? "A job ID is required" : "An allocation ID is required");
    if (arguments.size() > 2) return context.usage_error("This command takes one or two arguments");
    int code = 0;
    const auto alloc = by_job_ ? alloc_of_job(context, arguments[0], group_, code) : find_alloc(context, arguments[0], verbose_, code);
    if (!alloc) return code;
    const auto task = pick_task(context, *alloc, !task_.empty() ? task_ : arguments.size() == 2 ? arguments[1] : "", code);
    if (!task) return code;
    if (!stderr_ || stdout_) code = show(context, alloc->id, *task, "stdout");
    if (stderr_ && (code == 0 || !stdout_)) code = show(context, alloc->id, *task, "stderr");
    return code;
  }

 private:
  int show(Context& context, const std::string& alloc, const std::string& task, const std::string& type) {
    QueryPairs query{{"task", task}, {"type", type}, {"follow", follow_ ? "true" : "false"}};
    std::int64_t last_lines = -1;
    if (tail_ || lines_ >= 0 || bytes_ >= 0) {
      last_lines = bytes_ >= 0 ? -1 : lines_ >= 0 ? lines_ : 10;
      // Enough bytes for that many lines; the surplus is cut after it has come.
      const std::int64_t offset = bytes_ >= 0 ? bytes_ : last_lines * 120;
      query.emplace_back("origin", "end");
      query.emplace_back("offset", std::to_string(offset));
    } else {
      query.emplace_back("origin", "start");
      query.emplace_back("offset", "0");
    }
    const auto done = write_frames(context, fmt::format("/v1/client/fs/logs/{}", alloc), std::move(query), follow_, last_lines);
    if (!done) return context.failed(fmt::format("Failed to read {} file: error reading file: {}", type, done.error().message()));
    return 0;
  }

  bool verbose_ = false, by_job_ = false, tail_ = false, follow_ = false, stderr_ = false, stdout_ = false;
  std::int64_t lines_ = -1, bytes_ = -1;
  std::string task_, group_;
};
}  // namespace

std::unique_ptr<Command> make_alloc_logs() { return std::make_unique<AllocLogs>(); }

}  // namespace drover::cli
