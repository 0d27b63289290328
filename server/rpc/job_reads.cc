#include "lib/diff/diff.h"
#include "server/rpc/query.h"
#include "server/rpc/stubs.h"

namespace drover::rpc {
namespace {

using state::Scope;
using state::Snapshot;
using state::Table;
using state::WatchSet;

Result<model::ListReply<model::JobListStub>> read_list(const Context& c, const model::ListRequest& request, const Snapshot& s, WatchSet& watch) {
  auto match = make_matcher(c, request);
  if (!match) return fail(match.error());
  const std::string ns = request.all_namespaces ? "*" : namespace_or_default(request.namespace_);
  model::ListReply<model::JobListStub> reply;
  reply.items.allocate();
  bool any = false;
  const auto emit = [&](const state::JobPtr& job) {
    reply.items.push_back(job_stub(*job, s.summary(job->namespace_, job->id).get(), request.include_meta));
  };
  const auto token = [](const state::JobPtr& job) { return job->namespace_ + "." + job->id; };
  const auto dot = request.next_token.find('.');
  const std::string start_ns = request.next_token.substr(0, dot);
  const std::string start_id = dot == std::string::npos ? "" : request.next_token.substr(dot + 1);
  using Jobs = decltype(s.tables().jobs);
  std::optional<Jobs::Key> start;
  if (!request.next_token.empty()) start = Jobs::Key{start_ns, start_id};
  const std::string high = after_prefix(request.prefix);
  const std::string_view end = "\xff";
  const bool everywhere = ns == "*";
  std::function<bool(const state::JobPtr&)> also = [&](const state::JobPtr& job) {
    if (!job->id.starts_with(request.prefix) || (!request.node_pool.empty() && job->node_pool != request.node_pool)) return false;
    any = true;
    return true;
  };
  auto next = everywhere
                  ? walk<Jobs, state::JobPtr>(s.tables().jobs, {"", ""}, {end, end}, start, request, *match, token, emit, also)
                  : walk<Jobs, state::JobPtr>(s.tables().jobs, {ns, request.prefix}, {ns, high}, start, request, *match, token, emit, also);
  if (!next) return fail(next.error());
  reply.next_token = std::move(*next);
  watch_list(watch, Table::jobs, ns, request.prefix, any);
  watch_list(watch, Table::job_summary, ns, request.prefix, any);
  reply.index = std::max(s.index_of(Table::jobs), s.index_of(Table::job_summary));
  return reply;
}

Async<Result<model::ListReply<model::JobListStub>>> list(Context& c, model::ListRequest request) {
  std::function<Result<model::ListReply<model::JobListStub>>(const Snapshot&, WatchSet&)> read =
      [&c, &request](const Snapshot& s, WatchSet& watch) { return read_list(c, request, s, watch); };
  auto reply = co_await query<model::ListReply<model::JobListStub>>(c, request, std::move(read));
  co_return reply;
}

Async<Result<model::ObjectReply<model::Job>>> get(Context& c, model::ObjectRequest request) {
  using Reply = model::ObjectReply<model::Job>;
  std::function<Result<Reply>(const Snapshot&, WatchSet&)> read = [&request](const Snapshot& s, WatchSet& watch) -> Result<Reply> {
    const std::string ns = namespace_or_default(request.namespace_);
    Reply reply;
    reply.item = s.job(ns, request.id);
    if (reply.item) watch.add(Table::jobs, Scope::key, ns, request.id);
    else watch.add(Table::jobs, Scope::all);
    reply.index = reply.item ? reply.item->modify_index : s.index_of(Table::jobs);
    return reply;
  };
  auto reply = co_await query<Reply>(c, request, std::move(read));
  co_return reply;
}

Result<> add_diffs(const model::JobVersionsRequest& request, const Snapshot& s, const std::string& ns,
                   model::JobVersionsResponse& reply) {
  if (!request.diffs) return {};
  state::JobPtr base;
  if (!request.diff_tag.empty()) {
    for (const auto& version : reply.versions) {
      if (version->version_tag && version->version_tag->name == request.diff_tag) base = version;
    }
    if (!base) return fail(Code::internal, "tag \"{}\" not found", request.diff_tag);
  } else if (request.diff_version) {
    base = s.job_version(ns, request.id, *request.diff_version);
    if (!base) return fail(Code::internal, "version {} not found", *request.diff_version);
  }
  // Against a base, each version has its difference, the base itself an empty one; a single version has none to be told (null).
  for (std::size_t i = 0; i < reply.versions.size(); ++i) {
    if (base) {
      reply.diffs.push_back(diff::diff_jobs(base.get(), reply.versions[i].get(), true));
    } else if (i + 1 < reply.versions.size()) {
      reply.diffs.push_back(diff::diff_jobs(reply.versions[i + 1].get(), reply.versions[i].get(), true));
    }
  }
  return {};
}

Async<Result<model::JobVersionsResponse>> versions(Context& c, model::JobVersionsRequest request) {
  using Reply = model::JobVersionsResponse;
  std::function<Result<Reply>(const Snapshot&, WatchSet&)> read = [&request](const Snapshot& s, WatchSet& watch) -> Result<Reply> {
    const std::string ns = namespace_or_default(request.namespace_);
    Reply reply;
    for (auto& job : s.job_versions(ns, request.id)) reply.versions.push_back(std::move(job));
    if (reply.versions.empty()) {
      watch.add(Table::job_version, Scope::all);
      reply.index = s.index_of(Table::job_version);
      return reply;
    }
    watch.add(Table::job_version, Scope::key, ns, request.id);
    for (const auto& job : reply.versions) reply.index = std::max(reply.index, job->modify_index);
    DROVER_TRY(add_diffs(request, s, ns, reply));
    return reply;
  };
  auto reply = co_await query<Reply>(c, request, std::move(read));
  co_return reply;
}

Async<Result<model::ObjectReply<model::JobSubmission>>> submission(Context& c, model::JobSubmissionRequest request) {
  using Reply = model::ObjectReply<model::JobSubmission>;
  std::function<Result<Reply>(const Snapshot&, WatchSet&)> read = [&request](const Snapshot& s, WatchSet& watch) -> Result<Reply> {
    const std::string ns = namespace_or_default(request.namespace_);
    watch.add(Table::job_submission, Scope::key, ns, request.id);
    Reply reply;
    reply.item = s.submission(ns, request.id, request.version);
    // One that does not exist answers 0 (http-api 1.6).
    reply.index = reply.item ? reply.item->job_modify_index : 0;
    return reply;
  };
  auto reply = co_await query<Reply>(c, request, std::move(read));
  co_return reply;
}

Async<Result<model::ObjectReply<model::JobSummary>>> summary(Context& c, model::ObjectRequest request) {
  using Reply = model::ObjectReply<model::JobSummary>;
  std::function<Result<Reply>(const Snapshot&, WatchSet&)> read = [&request](const Snapshot& s, WatchSet& watch) -> Result<Reply> {
    const std::string ns = namespace_or_default(request.namespace_);
    Reply reply;
    reply.item = s.summary(ns, request.id);
    if (reply.item) watch.add(Table::job_summary, Scope::key, ns, request.id);
    else watch.add(Table::job_summary, Scope::all);
    reply.index = reply.item ? reply.item->modify_index : s.index_of(Table::job_summary);
    return reply;
  };
  auto reply = co_await query<Reply>(c, request, std::move(read));
  co_return reply;
}

Async<Result<model::ListReply<model::AllocListStub>>> allocations(Context& c, model::JobAllocationsRequest request) {
  using Reply = model::ListReply<model::AllocListStub>;
  std::function<Result<Reply>(const Snapshot&, WatchSet&)> read = [&request](const Snapshot& s, WatchSet& watch) -> Result<Reply> {
    const std::string ns = namespace_or_default(request.namespace_);
    watch.add(Table::allocs, Scope::job, ns, request.id);
    Reply reply;
    reply.items.allocate();
    for (const auto& alloc : s.allocs_by_job(ns, request.id, request.all)) reply.items.push_back(alloc_stub(alloc, false, true));
    reply.index = s.index_of(Table::allocs);
    return reply;
  };
  auto reply = co_await query<Reply>(c, request, std::move(read));
  co_return reply;
}

Async<Result<model::ListReply<state::EvalPtr>>> evaluations(Context& c, model::ObjectRequest request) {
  using Reply = model::ListReply<state::EvalPtr>;
  std::function<Result<Reply>(const Snapshot&, WatchSet&)> read = [&request](const Snapshot& s, WatchSet& watch) -> Result<Reply> {
    const std::string ns = namespace_or_default(request.namespace_);
    watch.add(Table::evals, Scope::job, ns, request.id);
    Reply reply;
    reply.items = s.evals_by_job(ns, request.id);
    reply.index = s.index_of(Table::evals);
    return reply;
  };
  auto reply = co_await query<Reply>(c, request, std::move(read));
  co_return reply;
}

Async<Result<model::ListReply<state::DeploymentPtr>>> deployments(Context& c, model::ObjectRequest request) {
  using Reply = model::ListReply<state::DeploymentPtr>;
  std::function<Result<Reply>(const Snapshot&, WatchSet&)> read = [&request](const Snapshot& s, WatchSet& watch) -> Result<Reply> {
    const std::string ns = namespace_or_default(request.namespace_);
    watch.add(Table::deployment, Scope::job, ns, request.id);
    Reply reply;
    reply.items = s.deployments_by_job(ns, request.id);
    reply.index = s.index_of(Table::deployment);
    return reply;
  };
  auto reply = co_await query<Reply>(c, request, std::move(read));
  co_return reply;
}

}  // namespace

void add_job_reads(Context& c, wire::Registry& registry) {
  namespace e = wire::endpoints;
  registry.add(e::job_list, std::function([&c](model::ListRequest r) { return list(c, std::move(r)); }));
  registry.add(e::job_get, std::function([&c](model::ObjectRequest r) { return get(c, std::move(r)); }));
  registry.add(e::job_versions, std::function([&c](model::JobVersionsRequest r) { return versions(c, std::move(r)); }));
  registry.add(e::job_submission, std::function([&c](model::JobSubmissionRequest r) { return submission(c, std::move(r)); }));
  registry.add(e::job_summary, std::function([&c](model::ObjectRequest r) { return summary(c, std::move(r)); }));
  registry.add(e::job_allocations, std::function([&c](model::JobAllocationsRequest r) { return allocations(c, std::move(r)); }));
  registry.add(e::job_evaluations, std::function([&c](model::ObjectRequest r) { return evaluations(c, std::move(r)); }));
  registry.add(e::job_deployments, std::function([&c](model::ObjectRequest r) { return deployments(c, std::move(r)); }));
}

}  // namespace drover::rpc
