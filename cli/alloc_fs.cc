// alloc fs: look into an allocation's directory: list, stat, print, tail and follow.
#include "cli/api_client.h"
#include "cli/commands.h"
#include "cli/frames.h"
#include "cli/lookup.h"
#include "lib/model/api_agent.h"

namespace drover::cli {
namespace {
class AllocFs final : public Command {
 public:
  void flags(FlagSet& set) override {
    set.boolean("verbose", verbose_, "Show whole ids.");
    set.boolean("H", machine_, "Show sizes as plain numbers.");
    set.boolean("job", by_job_, "Take an allocation of the named job.");
    set.text("group", group_, "With -job: the task group.");
    set.boolean("stat", stat_, "Show the file itself instead of its content.");
    set.boolean("f", follow_, "Go on as the file grows.");
    set.boolean("tail", tail_, "Show the end of the file.");
    set.integer("n", lines_, "With -tail: how many lines.");
    set.integer("c", bytes_, "With -tail: how many bytes.");
  }

  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (arguments.empty()) return context.usage_error(by_job_ ? "A job ID is required" : "An allocation ID is required");
    if (arguments.size() > 2) return context.usage_error("This command takes one or two arguments: <alloc-id> [<path>]");
    int code = 0;
    const auto alloc = by_job_ ? alloc_of_job(context, arguments[0], group_, code) : find_alloc(context, arguments[0], verbose_, code);
    if (!alloc) return code;
    const std::string path = arguments.size() == 2 ? arguments[1] : "/";
    auto file = context.api().read<model::AllocFileInfo>("/v1/client/fs/stat/" + alloc->id, {{"path", path}});
    if (!file) return context.failed(file.error().message());
    if (stat_) {
      context.ui.out(format_table({{"Mode", "Size", "Modified Time", "Content Type", "Name"},
                                   {file->file_mode, size_of(file->size), format_time(file->mod_time.unix_nanos()), file->content_type, file->name + (file->is_dir ? "/" : "")}}));
      return 0;
    }
    if (file->is_dir) return list(context, alloc->id, path);
    return print(context, alloc->id, path);
  }

 private:
  [[nodiscard]] std::string size_of(std::int64_t bytes) const {
    return machine_ ? std::to_string(bytes) : format_bytes(static_cast<std::uint64_t>(bytes));
  }

  int list(Context& context, const std::string& alloc, const std::string& path) const {
    auto files = context.api().read<model::List<model::AllocFileInfo>>("/v1/client/fs/ls/" + alloc, {{"path", path}});
    if (!files) return context.failed(files.error().message());
    std::vector<std::vector<std::string>> rows{{"Mode", "Size", "Modified Time", "Name"}};
    for (const auto& file : *files) {
      rows.push_back({file.file_mode, size_of(file.size), format_time(file.mod_time.unix_nanos()), file.name + (file.is_dir ? "/" : "")});
    }
    context.ui.out(format_table(rows));
    return 0;
  }

  int print(Context& context, const std::string& alloc, const std::string& path) const {
    if (!follow_ && !tail_) {
      auto answer = context.api().get("/v1/client/fs/cat/" + alloc, {{"path", path}});
      if (!answer) return context.failed(fmt::format("Error reading file: {}", answer.error().message()));
      context.ui.out_raw(answer->body);
      return 0;
    }
    const std::int64_t last_lines = bytes_ >= 0 ? -1 : lines_ >= 0 ? lines_ : tail_ ? 10 : -1;
    const std::int64_t offset = bytes_ >= 0 ? bytes_ : last_lines >= 0 ? last_lines * 120 : 0;
    QueryPairs query{{"path", path}, {"offset", std::to_string(offset)}, {"origin", tail_ ? "end" : "start"}, {"follow", follow_ ? "true" : "false"}};
    const auto done = write_frames(context, "/v1/client/fs/stream/" + alloc, std::move(query), follow_, last_lines);
    return done ? 0 : context.failed(fmt::format("Error reading file: {}", done.error().message()));
  }

  bool verbose_ = false, machine_ = false, by_job_ = false, stat_ = false, follow_ = false, tail_ = false;
  std::int64_t lines_ = -1, bytes_ = -1;
  std::string group_;
};
}  // namespace

std::unique_ptr<Command> make_alloc_fs() { return std::make_unique<AllocFs>(); }

}  // namespace drover::cli
