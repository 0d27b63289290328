// Search: ids that begin with a prefix, and names that hold a text, over every kind of object.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "sdk/base/text.h"
#include "server/rpc/query.h"

namespace drover::rpc {
namespace {

using state::Snapshot;
using state::Table;
using state::WatchSet;

constexpr std::size_t max_prefix_matches = 20;
constexpr std::size_t max_fuzzy_matches = 100;
constexpr std::size_t min_fuzzy_text = 2;

constexpr std::string_view contexts[] = {"allocs",  "jobs",           "nodes", "node_pools", "evals",       "deployment", "plugins",
                                         "volumes", "scaling_policy", "vars",  "namespaces", "host_volumes"};

Result<> check_context(const std::string& context) {
  if (context.empty() || context == "all" || std::ranges::find(contexts, context) != std::end(contexts)) return {};
  std::string all;
  for (const auto word : contexts) all += (all.empty() ? "" : " ") + std::string(word);
  return fail(Code::internal, "context must be one of [{}] or 'all' for all contexts; got {}", all, quote(context));
}

bool asks(const std::string& context, std::string_view word) { return context.empty() || context == "all" || context == word; }

// Kinds of objects whose ids are UUIDs: another text than digits can be no prefix of one.
bool by_uuid(std::string_view context) { return context == "allocs" || context == "nodes" || context == "evals" || context == "deployment"; }

struct Found {
  std::vector<std::string> ids;
  std::uint64_t index = 0;
};

// The ids of one kind that begin with `prefix`, one more than can be shown.
Found find_ids(const Snapshot& s, std::string_view context, const std::string& ns, const std::string& prefix) {
  const state::Tables& t = s.tables();
  Found out;
  const auto scan = [&](const auto& tree, auto from, auto id_of, auto visible, Table table) {
    out.index = s.index_of(table);
    tree.scan(from, [&](const auto& item) {
      if (!std::string_view(id_of(*item)).starts_with(prefix)) return false;
      if (visible(*item)) out.ids.push_back(id_of(*item));
      return out.ids.size() <= max_prefix_matches;
    });
  };
  const auto id = [](const auto& item) -> const std::string& { return item.id; };
  const auto name = [](const auto& item) -> const std::string& { return item.name; };
  const auto in_namespace = [&](const auto& item) { return ns == "*" || item.namespace_ == ns; };
  const auto always = [](const auto&) { return true; };
  const std::string_view from = prefix;
  if (context == "allocs") scan(t.allocs, from, id, in_namespace, Table::allocs);
  else if (context == "evals") scan(t.evals, from, id, in_namespace, Table::evals);
  else if (context == "deployment") scan(t.deployments, from, id, in_namespace, Table::deployment);
  else if (context == "nodes") scan(t.nodes, from, id, always, Table::nodes);
  else if (context == "node_pools") scan(t.node_pools, from, name, always, Table::node_pools);
  else if (context == "namespaces") scan(t.namespaces, from, name, always, Table::namespaces);
  else if (context == "scaling_policy") {
    const auto of_namespace = [&](const model::ScalingPolicy& policy) {
      const std::string* value = policy.target.get("Namespace");
      return ns == "*" || (value != nullptr && *value == ns);
    };
    scan(t.scaling_policies, from, id, of_namespace, Table::scaling_policy);
  } else if (context == "jobs") {
    out.index = s.index_of(Table::jobs);
    t.jobs.scan([&](const state::JobPtr& job) {
      if (in_namespace(*job) && job->id.starts_with(prefix)) out.ids.push_back(job->id);
      return out.ids.size() <= max_prefix_matches;
    });
  }
  return out;
}

model::SearchResponse search(const model::SearchRequest& request, const Snapshot& s) {
  const std::string ns = namespace_or_default(request.namespace_);
  model::SearchResponse reply;
  reply.matches.allocate();
  reply.truncations.allocate();
  for (const auto context : contexts) {
    if (!asks(request.context, context)) continue;
    std::string prefix = request.prefix;
    if (by_uuid(context)) {
      // An odd last digit says too little for a whole byte.
      if (std::ranges::count_if(prefix, [](char c) { return c != '-'; }) % 2 != 0) prefix.pop_back();
      auto canonical = uuid_prefix("", prefix);
      if (!canonical) {
        reply.index = std::max(reply.index, s.index());
        continue;
      }
      prefix = std::move(*canonical);
    }
    Found found = find_ids(s, context, ns, prefix);
    reply.index = std::max(reply.index, found.index);
    const std::string key(context);
    reply.truncations[key] = found.ids.size() > max_prefix_matches;
    if (found.ids.size() > max_prefix_matches) found.ids.resize(max_prefix_matches);
    auto& list = reply.matches[key];
    for (auto& one : found.ids) list.push_back(std::move(one));
  }
  return reply;
}

// Matches of one kind: those that begin earlier first, then by name.
class Ranked {
 public:
  explicit Ranked(std::string text) : text_(to_lower(text)) {}
  void offer(std::string_view kind, const std::string& name, std::vector<std::string> scope) {
    const auto at = to_lower(name).find(text_);
    if (at == std::string::npos) return;
    model::FuzzyMatch match;
    match.id = name;
    for (auto& part : scope) match.scope.push_back(std::move(part));
    found_[std::string(kind)].emplace(std::pair(at, name), std::move(match));
  }
  void write(model::FuzzySearchResponse& reply) const {
    for (const auto& [kind, matches] : found_) {
      auto& list = reply.matches[kind];
      for (const auto& [rank, match] : matches) {
        if (list.size() == max_fuzzy_matches) break;
        list.push_back(match);
      }
      // What is found inside jobs is no context of its own and tells of nothing left out.
      if (bool* truncated = reply.truncations.get(kind)) *truncated = matches.size() > max_fuzzy_matches;
    }
  }

 private:
  std::string text_;
  std::map<std::string, std::multimap<std::pair<std::size_t, std::string>, model::FuzzyMatch>> found_;
};

void offer_task(Ranked& ranked, const model::Job& job, const model::TaskGroup& group, const model::Task& task) {
  const std::vector<std::string> in_group = {job.namespace_, job.id, group.name};
  const std::vector<std::string> in_task = {job.namespace_, job.id, group.name, task.name};
  ranked.offer("tasks", task.name, in_group);
  for (const auto& service : task.services) ranked.offer("services", service.name, in_task);
  if (!task.config.json().is_object()) return;
  const auto value = [&](const char* key) {
    const auto at = task.config.json().find(key);
    return at != task.config.json().end() && at->is_string() ? at->get<std::string>() : std::string();
  };
  if (task.driver == "docker" || task.driver == "podman") ranked.offer("images", value("image"), in_task);
  if (task.driver == "exec" || task.driver == "raw_exec") ranked.offer("commands", value("command"), in_task);
  if (task.driver == "java") ranked.offer("classes", value("class"), in_task);
}

void offer_job(Ranked& ranked, const model::Job& job) {
  ranked.offer("jobs", job.name, {job.namespace_, job.id});
  for (const auto& group : job.task_groups) {
    ranked.offer("groups", group.name, {job.namespace_, job.id});
    for (const auto& service : group.services) ranked.offer("services", service.name, {job.namespace_, job.id, group.name});
    for (const auto& task : group.tasks) offer_task(ranked, job, group, task);
  }
}

model::FuzzySearchResponse fuzzy(const model::FuzzySearchRequest& request, const Snapshot& s) {
  const state::Tables& t = s.tables();
  const std::string ns = namespace_or_default(request.namespace_);
  const auto in_namespace = [&](const std::string& name) { return ns == "*" || name == ns; };
  model::FuzzySearchResponse reply;
  reply.matches.allocate();
  reply.truncations.allocate();
  Ranked ranked(request.text);
  const auto look = [&](std::string_view context, Table table) {
    if (!asks(request.context, context)) return false;
    reply.index = std::max(reply.index, s.index_of(table));
    reply.truncations[std::string(context)] = false;
    return true;
  };
  if (look("jobs", Table::jobs)) t.jobs.scan([&](const auto& job) { if (in_namespace(job->namespace_)) offer_job(ranked, *job); return true; });
  if (look("nodes", Table::nodes)) t.nodes.scan([&](const auto& node) { ranked.offer("nodes", node->name, {node->id}); return true; });
  if (look("node_pools", Table::node_pools)) t.node_pools.scan([&](const auto& pool) { ranked.offer("node_pools", pool->name, {}); return true; });
  if (look("namespaces", Table::namespaces)) t.namespaces.scan([&](const auto& item) { ranked.offer("namespaces", item->name, {}); return true; });
  if (look("allocs", Table::allocs)) {
    t.allocs.scan([&](const auto& alloc) {
      if (in_namespace(alloc->namespace_)) ranked.offer("allocs", alloc->name, {alloc->namespace_, alloc->id});
      return true;
    });
  }
  for (const std::string_view context : {"plugins", "vars"}) {
    if (asks(request.context, context)) reply.truncations[std::string(context)] = false;
  }
  ranked.write(reply);
  // Objects without a name are found by the beginning of their id.
  for (const std::string_view context : {"evals", "deployment", "volumes", "scaling_policy", "host_volumes"}) {
    if (!asks(request.context, context)) continue;
    const std::string prefix = request.text;
    Found found = find_ids(s, context, ns, prefix);
    reply.index = std::max(reply.index, found.index);
    const std::string key(context);
    auto& list = reply.matches[key];
    list.allocate();
    for (auto& id : found.ids) {
      if (list.size() == max_prefix_matches) break;
      model::FuzzyMatch match;
      match.id = std::move(id);
      list.push_back(std::move(match));
    }
    reply.truncations[key] = found.ids.size() > max_prefix_matches;
  }
  return reply;
}

Async<Result<model::SearchResponse>> prefix_search(Context& c, model::SearchRequest request) {
  DROVER_CO_TRY(check_context(request.context));
  std::function<Result<model::SearchResponse>(const Snapshot&, WatchSet&)> read = [&request](const Snapshot& s, WatchSet&) {
    return Result<model::SearchResponse>(search(request, s));
  };
  model::QueryOptions now;  // a search never waits
  auto reply = co_await query<model::SearchResponse>(c, now, std::move(read));
  co_return reply;
}

Async<Result<model::FuzzySearchResponse>> fuzzy_search(Context& c, model::FuzzySearchRequest request) {
  DROVER_CO_TRY(check_context(request.context));
  if (request.text.size() < min_fuzzy_text) {
    co_return fail(Code::internal, "fuzzy search query must be at least {} characters, got {}", min_fuzzy_text, request.text.size());
  }
  std::function<Result<model::FuzzySearchResponse>(const Snapshot&, WatchSet&)> read = [&request](const Snapshot& s, WatchSet&) {
    return Result<model::FuzzySearchResponse>(fuzzy(request, s));
  };
  model::QueryOptions now;
  auto reply = co_await query<model::FuzzySearchResponse>(c, now, std::move(read));
  co_return reply;
}

}  // namespace

void add_search_handlers(Context& c, wire::Registry& registry) {
  namespace e = wire::endpoints;
  registry.add(e::search_prefix, std::function([&c](model::SearchRequest r) { return prefix_search(c, std::move(r)); }));
  registry.add(e::search_fuzzy, std::function([&c](model::FuzzySearchRequest r) { return fuzzy_search(c, std::move(r)); }));
}

}  // namespace drover::rpc
