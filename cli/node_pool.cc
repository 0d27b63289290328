// node pool apply, delete, info, jobs, list and nodes.
#include <nlohmann/json.hpp>

#include "cli/api_client.h"
#include "cli/commands.h"
#include "cli/output_options.h"
#include "cli/spec_file.h"
#include "lib/model/job_summary.h"
#include "lib/model/node.h"
#include "sdk/base/text.h"

namespace drover::cli {
namespace {
using Pools = model::List<model::NodePool>;
using Json = model::Json;

// How long identities of the pool's nodes are good for: a number of nanoseconds, or text.
std::string ttl_text(const Json& pool) {
  const Json ttl = pool.value("NodeIdentityTTL", Json());
  if (ttl.is_string()) return ttl.get<std::string>();
  return ttl.is_number() ? format_duration(std::chrono::nanoseconds(ttl.get<std::int64_t>())) : "";
}

// The client's type holds the time as text and no hash.
gotemplate::Value pool_value(const Json& pool) {
  std::vector<std::pair<std::string, gotemplate::Value>> fields;
  for (const char* name : {"Name", "Description", "Meta", "NodeIdentityTTL", "SchedulerConfiguration", "CreateIndex", "ModifyIndex"}) {
    fields.emplace_back(name, std::string_view(name) == "NodeIdentityTTL" ? gotemplate::Value(ttl_text(pool)) : json_value(pool.value(name, Json())));
  }
  return record("api.NodePool", std::move(fields));
}

// `-filter`, `-per-page`, `-page-token`.
struct Paging {
  std::string filter, token;
  std::int64_t per_page = 0;

  void flags(FlagSet& set) {
    set.text("filter", filter, "Show those an expression matches.");
    set.integer("per-page", per_page, "How many a page.");
    set.text("page-token", token, "Where to go on.");
  }
  [[nodiscard]] QueryPairs query() const {
    QueryPairs out;
    if (!filter.empty()) out.emplace_back("filter", filter);
    if (per_page > 0) out.emplace_back("per_page", std::to_string(per_page));
    if (!token.empty()) out.emplace_back("next_token", token);
    return out;
  }
  static void tell(Context& context, const ApiAnswer& answer) {
    if (answer.next_token.empty()) return;
    context.ui.out(fmt::format("\nResults have been paginated. To get the next page run:\n\nnomad {} -page-token {}", context.command, answer.next_token));
  }
};

// The exact pool of that name, or the only one of the prefix.
Result<Json> find_pool(Context& context, const std::string& prefix) {
  auto answer = context.api().get("/v1/node/pools", {{"prefix", prefix}});
  if (!answer) return fail(answer.error());
  const Json pools = Json::parse(answer->body, nullptr, false);
  std::string names;
  for (const Json& pool : pools) {
    if (pools.size() == 1 || pool.value("Name", "") == prefix) return pool;
    names += "\n" + pool.value("Name", "");
  }
  if (names.empty()) return fail(Code::not_found, "No node pool with prefix {} found", quote(prefix));
  return fail(Code::invalid_argument, "Prefix matched multiple node pools\n{}", names);
}

class NodePoolList final : public Command {
 public:
  void flags(FlagSet& set) override {
    paging_.flags(set);
    output_.flags(set);
  }
  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (!arguments.empty()) return context.usage_error("This command takes no arguments");
    auto answer = context.api().get("/v1/node/pools", paging_.query());
    if (!answer) return context.failed(fmt::format("Error querying node pools: {}", answer.error().message()));
    const Json pools = Json::parse(answer->body, nullptr, false);
    if (output_.wanted()) {
      std::vector<gotemplate::Value> values;
      for (const Json& pool : pools) values.push_back(pool_value(pool));
      return write_formatted(context, output_, gotemplate::Value::list(std::move(values), "[]*api.NodePool"));
    }
    if (pools.empty()) {
      context.ui.out("No node pools");
      return 0;
    }
    std::vector<std::vector<std::string>> rows{{"Name", "Description"}};
    for (const Json& pool : pools) rows.push_back({pool.value("Name", ""), pool.value("Description", "")});
    context.ui.out(format_table(rows));
    Paging::tell(context, *answer);
    return 0;
  }

 private:
  OutputOptions output_;
  Paging paging_;
};

class NodePoolInfo final : public Command {
 public:
  void flags(FlagSet& set) override { output_.flags(set); }
  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (arguments.size() != 1) return context.usage_error("This command takes one argument: <node-pool>");
    auto pool = find_pool(context, arguments[0]);
    if (!pool) return context.failed(fmt::format("Error retrieving node pool: {}", pool.error().message()));
    if (output_.wanted()) return write_formatted(context, output_, pool_value(*pool));
    std::vector<std::pair<std::string, std::string>> pairs{{"Name", pool->value("Name", "")}, {"Description", pool->value("Description", "")}};
    if (const std::string ttl = ttl_text(*pool); !ttl.empty()) pairs.emplace_back("Node Identity TTL", ttl);
    context.ui.out(format_pairs(pairs));
    const auto section = [&](const char* title, const std::vector<std::pair<std::string, std::string>>& rows, const char* none) {
      context.ui.out(fmt::format("\n{}\n{}", context.ui.heading(title), rows.empty() ? none : format_pairs(rows)));
    };
    std::vector<std::pair<std::string, std::string>> meta, scheduler;
    if (const Json values = pool->value("Meta", Json()); values.is_object()) {
      for (const auto& [key, value] : values.items()) meta.emplace_back(key, value.get<std::string>());
    }
    if (const Json config = pool->value("SchedulerConfiguration", Json()); config.is_object()) {
      if (const Json value = config.value("SchedulerAlgorithm", Json()); value.is_string() && value != "") scheduler.emplace_back("Scheduler Algorithm", value.get<std::string>());
      if (const Json value = config.value("MemoryOversubscriptionEnabled", Json()); value.is_boolean()) scheduler.emplace_back("Memory Oversubscription Enabled", value.get<bool>() ? "true" : "false");
    }
    section("Metadata", meta, "No metadata");
    section("Scheduler Configuration", scheduler, "No scheduler configuration");
    return 0;
  }

 private:
  OutputOptions output_;
};

class NodePoolMembers final : public Command {
 public:
  explicit NodePoolMembers(bool jobs) : jobs_(jobs) {}
  void flags(FlagSet& set) override {
    paging_.flags(set);
    output_.flags(set);
    if (!jobs_) set.boolean("verbose", verbose_, "Show whole ids.");
  }
  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (arguments.size() != 1) return context.usage_error("This command takes one argument: <node-pool>");
    auto pool = find_pool(context, arguments[0]);
    if (!pool) return context.failed(fmt::format("Error retrieving node pool: {}", pool.error().message()));
    auto answer = context.api().get(fmt::format("/v1/node/pool/{}/{}", escape(pool->value("Name", "")), jobs_ ? "jobs" : "nodes"), paging_.query());
    if (!answer) return context.failed(fmt::format("Error querying node pool {}: {}", jobs_ ? "jobs" : "nodes", answer.error().message()));
    const int code = jobs_ ? show_jobs(context, *answer) : show_nodes(context, *answer);
    if (!output_.wanted()) Paging::tell(context, *answer);
    return code;
  }

 private:
  int show_jobs(Context& context, const ApiAnswer& answer) const {
    model::List<model::JobListStub> jobs;
    if (auto decoded = model::from_json(answer.body, jobs); !decoded) return context.failed(decoded.error().message());
    if (output_.wanted()) return write_formatted(context, output_, client_value(jobs));
    std::vector<std::vector<std::string>> rows{{"ID", "Type", "Priority", "Status", "Submit Date"}};
    for (const auto& job : jobs) {
      rows.push_back({job.id, job.type + (job.periodic ? "/periodic" : "") + (job.parameterized_job ? "/parameterized" : ""), std::to_string(job.priority),
                      job.stop ? fmt::format("{} (stopped)", job.status) : job.status, format_time(job.submit_time)});
    }
    context.ui.out(jobs.empty() ? "No jobs" : format_table(rows));
    return 0;
  }

  int show_nodes(Context& context, const ApiAnswer& answer) const {
    model::List<model::NodeListStub> nodes;
    if (auto decoded = model::from_json(answer.body, nodes); !decoded) return context.failed(decoded.error().message());
    if (output_.wanted()) return write_formatted(context, output_, client_value(nodes));
    std::vector<std::vector<std::string>> rows{{"ID", "DC", "Name", "Class", "Drain", "Eligibility", "Status"}};
    for (const auto& node : nodes) {
      rows.push_back({short_id(node.id, verbose_), node.datacenter, node.name, node.node_class, node.drain ? "true" : "false", node.scheduling_eligibility, node.status});
    }
    context.ui.out(nodes.empty() ? "No nodes" : format_table(rows));
    return 0;
  }

  bool jobs_, verbose_ = false;
  OutputOptions output_;
  Paging paging_;
};

class NodePoolApply final : public Command {
 public:
  void flags(FlagSet& set) override { set.boolean("json", json_, "The file is JSON in the API's form."); }
  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (arguments.size() != 1) return context.usage_error("This command takes one argument: <input>");
    static const SpecShape shape{
        .json = "",
        .blocks = {{"node_pool",
                    {.json = "NodePool",
                     .labelled = true,
                     .attributes = {{"description", "Description"}, {"node_identity_ttl", "NodeIdentityTTL"}},
                     .blocks = {{"meta", {.json = "Meta", .free = true}},
                                {"scheduler_config",
                                 {.json = "SchedulerConfiguration",
                                  .attributes = {{"scheduler_algorithm", "SchedulerAlgorithm"}, {"memory_oversubscription_enabled", "MemoryOversubscriptionEnabled"}}}}}}}}};
    auto text = read_spec(arguments[0]);
    if (!text) return context.failed(fmt::format("Failed to read file {}: {}", quote(arguments[0]), text.error().message()));
    Json body;
    if (json_) {
      body = Json::parse(*text, nullptr, false);
    } else {
      auto parsed = parse_spec(arguments[0], *text, shape);
      if (!parsed) return context.failed(fmt::format("Failed to parse input content: {}", parsed.error().message()));
      body = parsed->value("NodePool", Json());
    }
    if (!body.is_object()) return context.failed("Failed to parse input content: the file has no node_pool block");
    auto answer = context.api().put("/v1/node/pools", body.dump(-1, ' ', false, Json::error_handler_t::replace));
    if (!answer) return context.failed(fmt::format("Error applying node pool: {}", answer.error().message()));
    context.ui.out(fmt::format("Successfully applied node pool {}!", quote(body.value("Name", ""))));
    return 0;
  }

 private:
  bool json_ = false;
};

class NodePoolDelete final : public Command {
 public:
  void flags(FlagSet&) override {}
  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (arguments.size() != 1) return context.usage_error("This command takes one argument: <node-pool>");
    auto answer = context.api().remove("/v1/node/pool/" + escape(arguments[0]));
    if (!answer) return context.failed(fmt::format("Error deleting node pool: {}", answer.error().message()));
    context.ui.out(fmt::format("Successfully deleted node pool {}!", quote(arguments[0])));
    return 0;
  }
};
}  // namespace

std::unique_ptr<Command> make_node_pool_apply() { return std::make_unique<NodePoolApply>(); }
std::unique_ptr<Command> make_node_pool_delete() { return std::make_unique<NodePoolDelete>(); }
std::unique_ptr<Command> make_node_pool_info() { return std::make_unique<NodePoolInfo>(); }
std::unique_ptr<Command> make_node_pool_jobs() { return std::make_unique<NodePoolMembers>(true); }
std::unique_ptr<Command> make_node_pool_list() { return std::make_unique<NodePoolList>(); }
std::unique_ptr<Command> make_node_pool_nodes() { return std::make_unique<NodePoolMembers>(false); }

}  // namespace drover::cli
