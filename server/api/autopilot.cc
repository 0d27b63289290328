// How servers are looked after: the configuration, and how they are. Durations are texts here, unlike elsewhere in the API.
#include <nlohmann/json.hpp>

#include "sdk/base/text.h"
#include "server/api/answer.h"
#include "server/api/params.h"

namespace drover::api {
namespace {

namespace endpoints = wire::endpoints;
using http::Request;
using http::Response;

model::Json to_json(const model::AutopilotConfiguration& config) {
  model::Json out = model::Json::object();
  out["CleanupDeadServers"] = config.cleanup_dead_servers;
  out["LastContactThreshold"] = format_duration(config.last_contact_threshold);
  out["MaxTrailingLogs"] = config.max_trailing_logs;
  out["MinQuorum"] = config.min_quorum;
  out["ServerStabilizationTime"] = format_duration(config.server_stabilization_time);
  out["EnableRedundancyZones"] = config.enable_redundancy_zones;
  out["DisableUpgradeMigration"] = config.disable_upgrade_migration;
  out["EnableCustomUpgrades"] = config.enable_custom_upgrades;
  out["CreateIndex"] = config.create_index;
  out["ModifyIndex"] = config.modify_index;
  return out;
}

Result<model::Duration> read_duration(const model::Json& value) {
  if (value.is_number_integer()) return model::Duration(value.get<std::int64_t>());
  if (!value.is_string()) return fail(Code::invalid_argument, "a duration is a text or a number of nanoseconds");
  auto parsed = parse_duration(value.get<std::string>());
  if (!parsed) return fail(Code::invalid_argument, "time: invalid duration \"{}\"", value.get<std::string>());
  return model::Duration(*parsed);
}

// What the body does not name is false or zero, as in the reference.
Result<model::AutopilotConfiguration> read_config(const Request& request) {
  const auto document = model::Json::parse(request.body, nullptr, false);
  if (document.is_discarded()) return fail(Code::invalid_argument, "unexpected EOF");
  if (!document.is_object()) return fail(Code::invalid_argument, "json: cannot unmarshal into Go value of type api.AutopilotConfiguration");
  model::AutopilotConfiguration out;
  const auto flag = [&](const char* name, bool& to) {
    if (const auto at = document.find(name); at != document.end() && at->is_boolean()) to = at->get<bool>();
  };
  const auto count = [&](const char* name, std::uint64_t& to) {
    if (const auto at = document.find(name); at != document.end() && at->is_number_unsigned()) to = at->get<std::uint64_t>();
  };
  flag("CleanupDeadServers", out.cleanup_dead_servers);
  flag("EnableRedundancyZones", out.enable_redundancy_zones);
  flag("DisableUpgradeMigration", out.disable_upgrade_migration);
  flag("EnableCustomUpgrades", out.enable_custom_upgrades);
  count("MaxTrailingLogs", out.max_trailing_logs);
  count("MinQuorum", out.min_quorum);
  for (const auto& [name, to] : {std::pair("LastContactThreshold", &out.last_contact_threshold),
                                 std::pair("ServerStabilizationTime", &out.server_stabilization_time)}) {
    const auto at = document.find(name);
    if (at == document.end() || at->is_null()) continue;
    auto duration = read_duration(*at);
    if (!duration) return fail(duration.error());
    *to = *duration;
  }
  return out;
}

Async<Response> get_config(const Context& c, Request request) {
  model::EmptyRequest query;
  if (auto read = read_query(c, request, query); !read) co_return error_answer(read.error());
  auto reply = co_await c.caller.call(endpoints::autopilot_get, std::move(query));
  if (!reply) co_return error_answer(reply.error());
  co_return json_answer(request, to_json(reply->config).dump());
}

Async<Response> set_config(const Context& c, Request request) {
  const auto wrong = [](const std::string& text) { return error_answer(Error(Code::invalid_argument, text)); };
  auto config = read_config(request);
  if (!config) co_return wrong("Error parsing autopilot config: " + config.error().message());
  model::AutopilotSetRequest body;
  body.config = std::move(*config);
  if (auto read = read_write(c, request, body); !read) co_return error_answer(read.error());
  if (const auto text = request.query.get("cas"); !text.empty()) {
    body.check_index = parse_unsigned(text);
    if (!body.check_index) co_return wrong(fmt::format("Error parsing cas value: strconv.ParseUint: parsing \"{}\": invalid syntax", text));
  }
  auto reply = co_await c.caller.call(endpoints::autopilot_set, std::move(body));
  if (!reply) co_return error_answer(reply.error());
  co_return json_answer(request, reply->updated ? "true" : "false");
}

Async<Response> health(const Context& c, Request request) {
  model::EmptyRequest query;
  if (auto read = read_query(c, request, query); !read) co_return error_answer(read.error());
  query.allow_stale = false;  // only the leader asks the others
  auto reply = co_await c.caller.call(endpoints::cluster_health, std::move(query));
  if (!reply) co_return error_answer(reply.error());
  model::Json out = model::Json::object();
  out["Healthy"] = reply->healthy;
  out["FailureTolerance"] = reply->failure_tolerance;
  model::Json servers = model::Json::array(), voters = model::Json::array();
  std::string leader;
  for (const auto& one : reply->servers) {
    model::Json server = model::Json::object();
    server["ID"] = one.id;
    server["Name"] = one.name + "." + c.options.region;
    server["Address"] = one.address;
    server["SerfStatus"] = one.serf_status;
    server["Version"] = one.version;
    server["Leader"] = one.leader;
    server["LastContact"] = format_duration(one.last_contact);
    server["LastTerm"] = one.last_term;
    server["LastIndex"] = one.last_index;
    server["Healthy"] = one.healthy;
    server["Voter"] = one.voter;
    server["StableSince"] = model::Json::parse(model::to_json(one), nullptr, false).value("StableSince", std::string());
    servers.push_back(std::move(server));
    if (one.voter) voters.push_back(one.id);
    if (one.leader) leader = one.id;
  }
  out["Servers"] = std::move(servers);
  out["Leader"] = leader;
  out["Voters"] = std::move(voters);
  auto answer = json_answer(request, out.dump());
  if (!reply->healthy) answer.status = 429;
  co_return answer;
}

}  // namespace

void add_autopilot(http::Router& router, const ContextPtr& context) {
  router.add("GET", "/v1/operator/autopilot/configuration", bind<get_config>(context));
  router.add("PUT", "/v1/operator/autopilot/configuration", bind<set_config>(context));
  router.add("GET", "/v1/operator/autopilot/health", bind<health>(context));
  router.on_wrong_method("/v1/operator/autopilot/configuration", 404, "Invalid method");
  router.on_wrong_method("/v1/operator/autopilot/health", 404, "Invalid method");
}

}  // namespace drover::api
