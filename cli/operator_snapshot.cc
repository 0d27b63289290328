// operator snapshot save, restore and inspect; server join.
#include <nlohmann/json.hpp>

#include "cli/api_client.h"
#include "cli/commands.h"
#include "cli/snapshot_file.h"
#include "sdk/base/clock.h"

namespace drover::cli {
namespace {

std::string bytes_text(std::uint64_t bytes) {
  if (bytes < 1024) return fmt::format("{}B", bytes);
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; value >= 1024 && unit < 4; ++unit) value /= 1024;
  return fmt::format("{:.1f}{}B", value, " KMGT"[unit]);
}

class SnapshotSave final : public Command {
 public:
  void flags(FlagSet& set) override {
    set.boolean("stale", stale_, "Let any server answer, also without a leader.");
  }
  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (arguments.size() > 1) return context.usage_error("This command takes either no arguments or one: <file>");
    const std::int64_t now = system_clock().unix_nanos();
    const std::string path = !arguments.empty() ? arguments[0]
                                                : fmt::format("nomad-state-{}-{}.snap", format_utc(now, "%Y%m%d"), now / 1'000'000'000);
    if (auto saved = fetch_snapshot(context.api(), path, stale_); !saved) return context.failed(saved.error().message());
    context.ui.out("State file written to " + path);
    return 0;
  }

 private:
  bool stale_ = false;
};

class SnapshotRestore final : public Command {
 public:
  void flags(FlagSet&) override {}
  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (arguments.size() != 1) return context.usage_error("This command takes one argument: <file>");
    auto file = open_snapshot(arguments[0]);
    if (!file) return context.failed(fmt::format("Error opening snapshot file: \"{}\"", file.error().message()));
    const auto bytes = file_bytes(*file);
    if (!bytes) return context.failed(fmt::format("Error opening snapshot file: \"{}\"", bytes.error().message()));
    auto answer = context.api().put_file("/v1/operator/snapshot", {.file = file->get(), .bytes = *bytes});
    if (!answer) return context.failed(fmt::format("Failed to restore snapshot: {}", answer.error().message()));
    context.ui.out("Snapshot Restored");
    return 0;
  }
};

class SnapshotInspect final : public Command {
 public:
  void flags(FlagSet& set) override { set.boolean("json", json_, "Write JSON."); }
  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (arguments.size() != 1) return context.usage_error("This command takes one argument: <filename>");
    auto file = open_snapshot(arguments[0]);
    if (!file) return context.failed(fmt::format("Error opening snapshot file: {}", file.error().message()));
    snapshot::RecordCounter counter;
    const auto archive = snapshot::read_archive(file->get(), [&](std::string_view bytes) -> Result<> {
      counter.take(bytes);
      return {};
    });
    if (!archive) return context.failed(fmt::format("Error verifying snapshot: {}", archive.error().message()));
    auto counts = counter.counts();
    if (!counts) return context.failed(fmt::format("Error reading snapshot: {}", counts.error().message()));
    const snapshot::Meta& meta = *archive;
    std::uint64_t total = 0;
    for (const auto& one : *counts) total += one.bytes;
    if (json_) {
      nlohmann::ordered_json out;
      out["Meta"] = {{"ID", meta.id}, {"Size", meta.size}, {"Index", meta.index}, {"Term", meta.term}, {"Version", meta.version},
                     {"Created", format_utc(meta.created, "%Y-%m-%dT%H:%M:%SZ")}, {"Build", meta.build}};
      out["Stats"] = nlohmann::ordered_json::array();
      for (const auto& one : *counts) out["Stats"].push_back({{"Name", one.name}, {"Count", one.count}, {"Sum", one.bytes}});
      out["TotalSize"] = total;
      context.ui.out(out.dump(4));
      return 0;
    }
    context.ui.out(format_pairs({{"Created", format_utc(meta.created, "%Y-%m-%dT%H:%M:%SZ")},
                                 {"ID", meta.id},
                                 {"Size", bytes_text(meta.size)},
                                 {"Index", std::to_string(meta.index)},
                                 {"Term", std::to_string(meta.term)},
                                 {"Version", std::to_string(meta.version)}}));
    std::vector<std::vector<std::string>> rows{{"Type", "Count", "Size"}};
    for (const auto& one : *counts) rows.push_back({one.name, std::to_string(one.count), bytes_text(one.bytes)});
    rows.push_back({"Total", "-", bytes_text(total)});
    context.ui.out("\n" + format_table(rows));
    return 0;
  }

 private:
  bool json_ = false;
};

class ServerJoin final : public Command {
 public:
  void flags(FlagSet&) override {}
  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (arguments.empty()) return context.usage_error("One or more node addresses must be given as arguments");
    QueryPairs query;
    for (const auto& address : arguments) query.emplace_back("address", address);
    auto answer = context.api().put("/v1/agent/join", "", query);
    if (!answer) return context.failed(fmt::format("Error joining: {}", answer.error().message()));
    const auto reply = nlohmann::json::parse(answer->body, nullptr, false);
    if (!reply.is_object()) return context.failed("Error joining: the answer makes no sense");
    if (const std::string error = reply.value("error", ""); !error.empty()) return context.failed("Error joining: " + error);
    context.ui.out(fmt::format("Joined {} servers successfully", reply.value("num_joined", 0)));
    return 0;
  }
};

}  // namespace

std::unique_ptr<Command> make_operator_snapshot_save() { return std::make_unique<SnapshotSave>(); }
std::unique_ptr<Command> make_operator_snapshot_restore() { return std::make_unique<SnapshotRestore>(); }
std::unique_ptr<Command> make_operator_snapshot_inspect() { return std::make_unique<SnapshotInspect>(); }
std::unique_ptr<Command> make_server_join() { return std::make_unique<ServerJoin>(); }

}  // namespace drover::cli
