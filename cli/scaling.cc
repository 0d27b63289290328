// scaling policy list and info, eval delete, server force-leave.
#include <nlohmann/json.hpp>

#include "cli/api_client.h"
#include "cli/commands.h"
#include "cli/lookup.h"
#include "cli/output_options.h"
#include "sdk/base/text.h"

namespace drover::cli {
namespace {
using Json = model::Json;

std::string text_of(const Json& object, const char* name) {
  const Json value = object.is_object() ? object.value(name, Json()) : Json();
  return value.is_string() ? value.get<std::string>() : value.is_null() ? "" : value.dump();
}

// `Namespace:default,Job:web,Group:g`, from the outside in.
std::string target_text(const Json& policy) {
  const Json target = policy.value("Target", Json::object());
  std::vector<std::string> parts;
  for (const char* name : {"Namespace", "Job", "Group", "Task"}) {
    if (target.contains(name)) parts.push_back(fmt::format("{}:{}", name, text_of(target, name)));
  }
  for (const auto& [name, value] : target.items()) {
    if (name != "Namespace" && name != "Job" && name != "Group" && name != "Task") parts.push_back(fmt::format("{}:{}", name, text_of(target, name.c_str())));
  }
  return join(parts, ",");
}

class ScalingPolicyList final : public Command {
 public:
  void flags(FlagSet& set) override {
    set.boolean("verbose", verbose_, "Show whole ids.");
    set.text("type", type_, "Show those of one type.");
    set.text("job", job_, "Show those of one job.");
    output_.flags(set);
  }
  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (!arguments.empty()) return context.usage_error("This command takes no arguments");
    QueryPairs query;
    if (!type_.empty()) query.emplace_back("type", type_);
    if (!job_.empty()) query.emplace_back("job", job_);
    auto answer = context.api().get("/v1/scaling/policies", query);
    if (!answer) return context.failed(fmt::format("Error listing scaling policies: {}", answer.error().message()));
    const Json policies = Json::parse(answer->body, nullptr, false);
    if (output_.wanted()) return write_formatted(context, output_, json_value(policies));
    if (!policies.is_array() || policies.empty()) {
      context.ui.out("No policies found");
      return 0;
    }
    std::vector<std::vector<std::string>> rows{{"ID", "Enabled", "Type", "Target"}};
    for (const Json& policy : policies) rows.push_back({short_id(text_of(policy, "ID"), verbose_), text_of(policy, "Enabled"), text_of(policy, "Type"), target_text(policy)});
    context.ui.out(format_table(rows));
    return 0;
  }

 private:
  OutputOptions output_;
  bool verbose_ = false;
  std::string type_, job_;
};

class ScalingPolicyInfo final : public Command {
 public:
  void flags(FlagSet& set) override {
    set.boolean("verbose", verbose_, "Show whole ids.");
    output_.flags(set);
  }
  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (arguments.empty() && output_.wanted()) {
      auto answer = context.api().get("/v1/scaling/policies");
      if (!answer) return context.failed(fmt::format("Error querying scaling policies: {}", answer.error().message()));
      return write_formatted(context, output_, json_value(Json::parse(answer->body, nullptr, false)));
    }
    if (arguments.size() != 1) return context.usage_error("This command takes one of the following argument conditions:\n * A single <policy_id>\n * No arguments, with output format specified");
    auto id = id_of(context, arguments[0]);
    auto answer = id ? context.api().get("/v1/scaling/policy/" + *id) : Result<ApiAnswer>(fail(id.error()));
    if (!answer) return context.failed(fmt::format("Error querying scaling policy: {}", answer.error().message()));
    const Json policy = Json::parse(answer->body, nullptr, false);
    if (output_.wanted()) return write_formatted(context, output_, json_value(policy));
    context.ui.out(format_pairs({{"ID", short_id(text_of(policy, "ID"), verbose_)},
                                 {"Enabled", text_of(policy, "Enabled")},
                                 {"Target", target_text(policy)},
                                 {"Min", text_of(policy, "Min")},
                                 {"Max", text_of(policy, "Max")}}));
    if (const Json rules = policy.value("Policy", Json()); rules.is_object() && !rules.empty()) {
      context.ui.out(fmt::format("\n{}\n{}", context.ui.heading("Policy:"), rules.dump(4)));
    }
    return 0;
  }

 private:
  static Result<std::string> id_of(Context& context, const std::string& prefix) {
    auto answer = context.api().get("/v1/scaling/policies");
    if (!answer) return fail(answer.error());
    std::vector<std::string> ids;
    for (const Json& policy : Json::parse(answer->body, nullptr, false)) {
      if (text_of(policy, "ID").starts_with(prefix)) ids.push_back(text_of(policy, "ID"));
    }
    if (ids.size() == 1) return ids[0];
    if (ids.empty()) return fail(Code::not_found, "no scaling policies with prefix or ID {} found", quote(prefix));
    return fail(Code::invalid_argument, "prefix {} matched multiple scaling policies\n\n{}", quote(prefix), join(ids, "\n"));
  }

  OutputOptions output_;
  bool verbose_ = false;
};

class EvalDelete final : public Command {
 public:
  void flags(FlagSet& set) override {
    set.text("filter", filter_, "Delete those an expression matches.");
    set.boolean("yes", yes_, "Do not ask.");
  }
  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (arguments.empty() && filter_.empty()) return context.failed("Error validating command args and flags: evaluation ID or filter flag required");
    if (!arguments.empty() && !filter_.empty()) return context.failed("Error validating command args and flags: evaluation ID and filter flag cannot be used together");
    if (arguments.size() > 1) return context.failed(fmt::format("Error validating command args and flags: expected 1 argument, got {}", arguments.size()));
    auto config = context.api().get("/v1/operator/scheduler/configuration");
    if (!config) return context.failed(fmt::format("Error querying scheduler configuration: {}", config.error().message()));
    if (!Json::parse(config->body, nullptr, false).value("/SchedulerConfig/PauseEvalBroker"_json_pointer, false)) {
      context.ui.out("To delete evaluations you must first pause the eval broker by running \"nomad operator scheduler set-config -pause-eval-broker=true\"\n"
                     "After the deletion is complete, unpause the eval broker by running \"nomad operator scheduler set-config -pause-eval-broker=false\"");
      return context.failed("Eval broker is not paused");
    }
    return filter_.empty() ? delete_one(context, arguments[0]) : delete_matching(context);
  }

 private:
  static int delete_one(Context& context, const std::string& typed) {
    int code = 0;
    const auto eval = find_eval(context, typed, false, code);
    if (!eval) return code;
    return send(context, Json{{"EvalIDs", Json::array({eval->id})}}, 1);
  }

  int delete_matching(Context& context) const {
    auto count = context.api().get("/v1/evaluations/count", {{"filter", filter_}});
    if (!count) return context.failed(fmt::format("Error querying evaluations: {}", count.error().message()));
    const auto matching = Json::parse(count->body, nullptr, false).value("Count", std::int64_t{0});
    if (matching == 0) {
      context.ui.out("Filter matched no evaluations");
      return 0;
    }
    if (!yes_ && context.ui.ask(fmt::format("Are you sure you want to delete {} evals? [y/N] ", matching)) != "y") {
      context.ui.out("Cancelling eval delete");
      return 0;
    }
    return send(context, Json{{"Filter", filter_}}, matching);
  }

  static int send(Context& context, const Json& body, std::int64_t count) {
    auto answer = context.api().raw("DELETE", "/v1/evaluations", body.dump(), {});
    if (!answer) return context.failed(fmt::format("Error deleting evaluations: {}", answer.error().message()));
    if (answer->status != 200) return context.failed(fmt::format("Error deleting evaluations: {}", api_error(answer->status, answer->body).message()));
    if (const auto reply = Json::parse(answer->body, nullptr, false); reply.is_object()) count = reply.value("Count", count);
    context.ui.out(fmt::format("Successfully deleted {} evaluation{}", count, count == 1 ? "" : "s"));
    return 0;
  }

  std::string filter_;
  bool yes_ = false;
};

class ServerForceLeave final : public Command {
 public:
  void flags(FlagSet& set) override { set.boolean("prune", prune_, "Forget the server altogether."); }
  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (arguments.size() != 1) return context.usage_error("This command takes one argument: <node>");
    QueryPairs query{{"node", arguments[0]}};
    if (prune_) query.emplace_back("prune", "true");
    auto answer = context.api().put("/v1/agent/force-leave", "", query);
    return answer ? 0 : context.failed(fmt::format("Error force-leaving server {}: {}", arguments[0], answer.error().message()));
  }

 private:
  bool prune_ = false;
};
}  // namespace

std::unique_ptr<Command> make_eval_delete() { return std::make_unique<EvalDelete>(); }
std::unique_ptr<Command> make_scaling_policy_info() { return std::make_unique<ScalingPolicyInfo>(); }
std::unique_ptr<Command> make_scaling_policy_list() { return std::make_unique<ScalingPolicyList>(); }
std::unique_ptr<Command> make_server_force_leave() { return std::make_unique<ServerForceLeave>(); }

}  // namespace drover::cli
