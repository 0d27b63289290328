// node drain: mark a node, and follow what leaves it (cli contract 3.8).
#include <nlohmann/json.hpp>

#include <set>

#include "cli/api_client.h"
#include "cli/commands.h"
#include "cli/lookup.h"
#include "lib/model/alloc.h"
#include "sdk/base/clock.h"
#include "sdk/base/text.h"

namespace drover::cli {
namespace {
using Json = model::Json;

class NodeDrain final : public Command {
 public:
  void flags(FlagSet& set) override {
    set.boolean("enable", enable_, "Drain the node.");
    set.boolean("disable", disable_, "Stop draining the node.");
    set.text("deadline", deadline_, "How long allocations may take to leave; then they are stopped. Default 1h.");
    set.boolean("detach", detach_, "Return at once.");
    set.boolean("force", force_, "Stop every allocation at once.");
    set.boolean("no-deadline", no_deadline_, "Let allocations take as long as they need.");
    set.boolean("ignore-system", ignore_system_, "Leave system jobs on the node.");
    set.boolean("keep-ineligible", keep_ineligible_, "With -disable: keep the scheduler from using the node.");
    set.boolean("self", self_, "Take the node that is asked.");
    set.boolean("yes", yes_, "Do not ask.");
    set.boolean("monitor", monitor_, "Only follow a drain that is under way.");
    set.text("m", message_, "Why; kept with the drain.");
    set.list("meta", meta_, "key=value kept with the drain; may be given several times.");
  }

  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (!monitor_ && enable_ == disable_) return context.usage_error("Either the '-enable' or '-disable' flag must be set, unless using '-monitor'");
    if (self_ ? !arguments.empty() : arguments.size() != 1) return context.usage_error("Node ID must be specified if -self isn't being used");
    if (force_ && no_deadline_) return context.usage_error("-force and -no-deadline are mutually exclusive");
    if (force_ && !deadline_.empty()) return context.usage_error("-force and -deadline are mutually exclusive");
    if (no_deadline_ && !deadline_.empty()) return context.usage_error("-no-deadline and -deadline are mutually exclusive");
    std::chrono::nanoseconds deadline = std::chrono::hours(1);
    if (!deadline_.empty()) {
      auto parsed = parse_duration(deadline_);
      if (!parsed) return context.failed(fmt::format("Failed to parse deadline {}: time: invalid duration {}", quote(deadline_), quote(deadline_)));
      if (parsed->count() <= 0) return context.failed("A positive drain duration must be given");
      deadline = *parsed;
    }
    if (force_) deadline = std::chrono::nanoseconds(-1);
    if (no_deadline_) deadline = std::chrono::nanoseconds(0);
    int code = 0;
    std::string id = self_ ? "" : arguments[0];
    if (self_) {
      auto own = own_node(context);
      if (!own) return context.failed(fmt::format("Error querying agent info: {}", own.error().message()));
      id = std::move(*own);
    }
    const auto node = find_node(context, id, true, code, "toggling drain mode");
    if (!node) return code;
    if (monitor_) return follow(context, *node);
    if (!self_ && node->id != id && !yes_ && !confirm(context, *node)) return 0;

    auto answer = context.api().put(fmt::format("/v1/node/{}/drain", node->id), request(node->id, deadline).dump());
    if (!answer) return context.failed(fmt::format("Error updating drain specification: {}", answer.error().message()));
    if (disable_) {
      context.ui.out(fmt::format("Node {} drain strategy unset", quote(node->id)));
      return 0;
    }
    if (detach_) {
      context.ui.out(fmt::format("Node {} drain strategy set", quote(node->id)));
      return 0;
    }
    say(context, "Ctrl-C to stop monitoring: will not cancel the node drain");
    say(context, fmt::format("Node {} drain strategy set", quote(node->id)));
    return follow(context, *node);
  }

 private:
  static void say(Context& context, const std::string& text) { context.ui.out(fmt::format("{}: {}", format_time(system_clock().unix_nanos()), text)); }

  bool confirm(Context& context, const model::Node& node) const {
    const std::string answer = context.ui.ask(fmt::format("Are you sure you want to {} drain mode for node {}? [y/N] ", enable_ ? "enable" : "disable", quote(node.id)));
    if (answer == "y") return true;
    if (answer.empty() || answer[0] == 'n' || answer[0] == 'N') context.ui.out("Canceling drain toggle");
    else context.ui.out("For confirmation, an exact 'y' is required.");
    return false;
  }

  [[nodiscard]] Json request(const std::string& node, std::chrono::nanoseconds deadline) const {
    Json body{{"NodeID", node}, {"DrainSpec", nullptr}, {"MarkEligible", disable_ && !keep_ineligible_}, {"Meta", Json::object()}};
    if (enable_) body["DrainSpec"] = Json{{"Deadline", deadline.count()}, {"IgnoreSystemJobs", ignore_system_}};
    for (const std::string& pair : meta_) {
      const auto [key, value] = split_once(pair, '=');
      body["Meta"][std::string(key)] = value;
    }
    if (!message_.empty()) body["Meta"]["message"] = message_;
    return body;
  }

  // Tells of every change of the node's allocations until the drain is over and nothing runs.
  int follow(Context& context, const model::Node& node) const {
    std::string alloc_index = "0";
    std::map<std::string, std::string> states;
    std::set<std::string> marked;
    for (;;) {
      auto answer = context.api().get("/v1/node/" + node.id);
      if (!answer) return context.failed(fmt::format("Error querying node: {}", answer.error().message()));
      model::Node now;
      if (auto decoded = model::from_json(answer->body, now); !decoded) return context.failed(decoded.error().message());
      const bool draining = static_cast<bool>(now.drain_strategy);
      auto allocs = context.api().get(fmt::format("/v1/node/{}/allocations", node.id), {{"index", alloc_index}, {"wait", "2s"}});
      if (!allocs) return context.failed(fmt::format("Error querying allocations: {}", allocs.error().message()));
      alloc_index = std::to_string(allocs->index);
      model::List<std::shared_ptr<const model::Allocation>> list;
      if (auto decoded = model::from_json(allocs->body, list); !decoded) return context.failed(decoded.error().message());
      bool running = false;
      for (const auto& alloc : list) {
        const bool system = alloc->job && (alloc->job->type == "system" || alloc->job->type == "sysbatch");
        running = running || (alloc->client_status == "running" && !(system && ignore_system_));
        if (alloc->desired_transition.migrate.value_or(false) && marked.insert(alloc->id).second && alloc->client_status == "running") {
          say(context, fmt::format("Alloc {} marked for migration", quote(alloc->id)));
        }
        const auto [at, added] = states.emplace(alloc->id, alloc->client_status);
        if (!added && at->second != alloc->client_status) {
          say(context, fmt::format("Alloc {} status {} -> {}", quote(alloc->id), at->second, alloc->client_status));
          at->second = alloc->client_status;
        }
      }
      if (!draining && !running) {
        say(context, fmt::format("All allocations on node {} have stopped", quote(node.id)));
        say(context, fmt::format("Drain complete for node {}", node.id));
        return 0;
      }
      if (!draining) {
        say(context, fmt::format("Drain complete for node {}", node.id));
        return 0;
      }
    }
  }

  bool enable_ = false, disable_ = false, detach_ = false, force_ = false, no_deadline_ = false, ignore_system_ = false, keep_ineligible_ = false,
       self_ = false, yes_ = false, monitor_ = false;
  std::string deadline_, message_;
  std::vector<std::string> meta_;
};
}  // namespace

std::unique_ptr<Command> make_node_drain() { return std::make_unique<NodeDrain>(); }

}  // namespace drover::cli
