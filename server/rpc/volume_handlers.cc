// Host volumes and what groups have claimed of them.
#include <algorithm>

#include "lib/model/rpc_volume.h"
#include "sdk/base/text.h"
#include "sdk/base/uuid.h"
#include "server/rpc/query.h"
#include "server/rpc/stubs.h"
#include "server/scheduler/feasible/constraint.h"
#include "server/scheduler/feasible/group_checks.h"

namespace drover::rpc {
namespace {

using state::HostVolumePtr;
using state::NodePtr;
using state::Snapshot;
using state::Table;
using state::VolumeClaimPtr;
using state::WatchSet;

model::HostVolumeStub stub_of(const model::HostVolume& volume) {
  return {.namespace_ = volume.namespace_, .id = volume.id, .name = volume.name, .plugin_id = volume.plugin_id, .node_pool = volume.node_pool,
          .node_id = volume.node_id, .capacity_bytes = volume.capacity_bytes, .state = volume.state, .create_index = volume.create_index,
          .create_time = volume.create_time, .modify_index = volume.modify_index, .modify_time = volume.modify_time};
}

// The index of a table that was never written to is 1, as for every table that starts empty.
std::uint64_t index_of(const Snapshot& s, Table table) { return std::max<std::uint64_t>(1, s.index_of(table)); }

Result<model::ListReply<model::HostVolumeStub>> read_list(const Context& c, const model::HostVolumeListRequest& request, const Snapshot& s,
                                                          WatchSet& watch) {
  auto match = make_matcher(c, request);
  if (!match) return fail(match.error());
  const std::string ns = request.all_namespaces ? "*" : namespace_or_default(request.namespace_);
  model::ListReply<model::HostVolumeStub> reply;
  reply.items.allocate();
  using Volumes = decltype(s.tables().host_volumes);
  const auto token = [](const HostVolumePtr& volume) { return volume->namespace_ + "." + volume->id; };
  const auto emit = [&](const HostVolumePtr& volume) { reply.items.push_back(stub_of(*volume)); };
  const auto dot = request.next_token.find('.');
  const std::string start_ns = request.next_token.substr(0, dot);
  const std::string start_id = dot == std::string::npos ? "" : request.next_token.substr(dot + 1);
  std::optional<Volumes::Key> start;
  if (!request.next_token.empty()) start = Volumes::Key{start_ns, start_id};
  const std::string high = after_prefix(request.prefix);
  const std::string_view end = "\xff";
  const bool everywhere = ns == "*";
  std::function<bool(const HostVolumePtr&)> also = [&](const HostVolumePtr& volume) {
    return volume->id.starts_with(request.prefix) && (request.node_id.empty() || volume->node_id == request.node_id) &&
           (request.node_pool.empty() || volume->node_pool == request.node_pool);
  };
  auto next = everywhere ? walk<Volumes, HostVolumePtr>(s.tables().host_volumes, {"", ""}, {end, end}, start, request, *match, token, emit, also)
                         : walk<Volumes, HostVolumePtr>(s.tables().host_volumes, {ns, request.prefix}, {ns, high}, start, request, *match, token,
                                                        emit, also);
  if (!next) return fail(next.error());
  reply.next_token = std::move(*next);
  watch.add(Table::host_volumes, state::Scope::all, "");
  reply.index = index_of(s, Table::host_volumes);
  return reply;
}

Async<Result<model::ListReply<model::HostVolumeStub>>> list(Context& c, model::HostVolumeListRequest request) {
  using Reply = model::ListReply<model::HostVolumeStub>;
  std::function<Result<Reply>(const Snapshot&, WatchSet&)> read = [&c, &request](const Snapshot& s, WatchSet& watch) {
    return read_list(c, request, s, watch);
  };
  auto reply = co_await query<Reply>(c, request, std::move(read));
  co_return reply;
}

Async<Result<model::ObjectReply<model::HostVolume>>> get(Context& c, model::ObjectRequest request) {
  using Reply = model::ObjectReply<model::HostVolume>;
  std::function<Result<Reply>(const Snapshot&, WatchSet&)> read = [&request](const Snapshot& s, WatchSet& watch) -> Result<Reply> {
    Reply reply;
    watch.add(Table::host_volumes, state::Scope::all, "");
    const auto stored = s.host_volume(namespace_or_default(request.namespace_), request.id);
    reply.index = stored ? stored->modify_index : index_of(s, Table::host_volumes);
    if (!stored) return reply;
    // With the allocations that use it.
    auto volume = std::make_shared<model::HostVolume>(*stored);
    volume->allocations.allocate();
    for (const auto& alloc : s.live_allocs_by_node(volume->node_id)) {
      if (!alloc->job || alloc->namespace_ != volume->namespace_) continue;
      const auto group = std::ranges::find(alloc->job->task_groups, alloc->task_group, &model::TaskGroup::name);
      if (group == alloc->job->task_groups.end()) continue;
      const bool uses = std::ranges::any_of(group->volumes, [&](const auto& entry) { return entry.second.source == volume->name; });
      if (uses) volume->allocations.push_back(alloc_stub(alloc, false, true));
    }
    reply.item = std::move(volume);
    return reply;
  };
  auto reply = co_await query<Reply>(c, request, std::move(read));
  co_return reply;
}

Result<> check_volume(const model::Box<model::HostVolume>& volume) {
  if (!volume) return fail(Code::internal, "missing volume definition");
  if (volume->name.empty()) return fail(Code::internal, "volume validation failed: missing name");
  if (volume->requested_capacity_max_bytes != 0 && volume->requested_capacity_max_bytes < volume->requested_capacity_min_bytes) {
    return fail(Code::internal, "volume validation failed: capacity_max ({}) must be larger than capacity_min ({})",
                volume->requested_capacity_max_bytes, volume->requested_capacity_min_bytes);
  }
  return {};
}

// A node with the plugin that suits the constraints and has no volume of that name.
Result<NodePtr> place(const Snapshot& s, const model::HostVolume& volume) {
  std::size_t taken = 0;
  std::size_t unfit = 0;
  NodePtr found;
  std::vector<scheduler::ConstraintCheck> checks;
  for (const auto& constraint : volume.constraints) checks.emplace_back(constraint);
  s.tables().nodes.scan([&](const NodePtr& node) {
    if (!volume.node_id.empty() && node->id != volume.node_id) return true;
    if (!volume.node_pool.empty() && node->node_pool != volume.node_pool) return true;
    const bool has_plugin = node->attributes.get(fmt::format("plugins.host_volume.{}.version", volume.plugin_id)) != nullptr;
    if (node->host_volumes.get(volume.name) != nullptr) ++taken;
    else if (!has_plugin || !scheduler::is_ready(*node) || !std::ranges::all_of(checks, [&](const auto& check) { return check.matches(*node); })) ++unfit;
    else found = node;
    return found == nullptr;
  });
  if (found) return found;
  return fail(Code::internal,
              "could not place volume {}: no node meets constraints: {} nodes had existing volume, 0 nodes filtered by node pool governance, {} nodes "
              "were infeasible", quote(volume.name), taken, unfit);
}

Async<Result<model::HostVolumeCreateResponse>> create(Context& c, model::HostVolumeCreateRequest request) {
  DROVER_CO_TRY(check_volume(request.volume));
  const auto node = place(*c.fsm.store().snapshot(), *request.volume);
  if (!node) co_return fail(node.error());
  co_return fail(Code::unimplemented, "node {} cannot be asked to create a volume by this version: create the directory on it and register the volume",
                 (*node)->id);
}

Async<Result<model::HostVolumeRegisterResponse>> register_volume(Context& c, model::HostVolumeRegisterRequest request) {
  DROVER_CO_TRY(check_volume(request.volume));
  model::HostVolume volume = *request.volume;
  if (volume.node_id.empty()) co_return fail(Code::internal, "cannot register volume: node ID is required");
  const auto snapshot = c.fsm.store().snapshot();
  if (!snapshot->node(volume.node_id)) co_return fail(Code::internal, "cannot register volume: node {} does not exist", quote(volume.node_id));
  if (volume.host_path.empty()) co_return fail(Code::internal, "cannot register volume: host path is required");
  volume.namespace_ = namespace_or_default(volume.namespace_.empty() ? request.namespace_ : volume.namespace_);
  if (!snapshot->name_space(volume.namespace_)) co_return fail(Code::internal, "namespace {} does not exist", quote(volume.namespace_));
  const auto stored = volume.id.empty() ? nullptr : snapshot->host_volume(volume.namespace_, volume.id);
  if (!volume.id.empty() && !stored) co_return fail(Code::internal, "cannot register volume: no such volume {}", quote(volume.id));
  if (stored && stored->node_id != volume.node_id) co_return fail(Code::internal, "cannot register volume: a volume stays on its node");
  if (volume.id.empty()) volume.id = make_uuid(c.rng);
  const auto now = c.clock.unix_nanos();
  volume.create_time = stored ? stored->create_time : now;
  volume.modify_time = now;
  if (volume.requested_capabilities.empty()) volume.requested_capabilities.push_back({.attachment_mode = "file-system", .access_mode = "single-node-writer"});
  fsm::HostVolumeUpsert message;
  const std::string ns = volume.namespace_;
  const std::string id = volume.id;
  message.volume = std::make_shared<const model::HostVolume>(std::move(volume));
  auto index = co_await c.writer.write(std::move(message));
  if (!index) co_return fail(index.error());
  model::HostVolumeRegisterResponse reply;
  reply.index = *index;
  if (const auto kept = c.fsm.store().snapshot()->host_volume(ns, id)) reply.volume = *kept;
  co_return reply;
}

Async<Result<model::WriteMeta>> remove(Context& c, model::HostVolumeDeleteRequest request) {
  fsm::HostVolumeDelete message;
  message.namespace_ = namespace_or_default(request.namespace_);
  message.id = request.volume_id;
  message.force = request.force;
  auto index = co_await c.writer.write(std::move(message));
  if (!index) co_return fail(index.error());
  co_return model::WriteMeta{*index};
}

Async<Result<model::ListReply<VolumeClaimPtr>>> claims(Context& c, model::VolumeClaimsRequest request) {
  using Reply = model::ListReply<VolumeClaimPtr>;
  std::function<Result<Reply>(const Snapshot&, WatchSet&)> read = [&c, &request](const Snapshot& s, WatchSet& watch) -> Result<Reply> {
    auto match = make_matcher(c, request);
    if (!match) return fail(match.error());
    Reply reply;
    reply.items.allocate();
    using Claims = decltype(s.tables().volume_claims);
    const std::string ns = request.all_namespaces ? "*" : namespace_or_default(request.namespace_);
    std::optional<std::string_view> start;
    if (!request.next_token.empty()) start = request.next_token;
    const std::string high = after_prefix(request.prefix);
    std::function<bool(const VolumeClaimPtr&)> also = [&](const VolumeClaimPtr& claim) {
      return (ns == "*" || claim->namespace_ == ns) && (request.job_id.empty() || claim->job_id == request.job_id) &&
             (request.task_group.empty() || claim->task_group_name == request.task_group) &&
             (request.volume_name.empty() || claim->volume_name == request.volume_name);
    };
    auto next = walk<Claims, VolumeClaimPtr>(s.tables().volume_claims, request.prefix, high, start, request, *match,
                                             [](const VolumeClaimPtr& claim) { return claim->id; },
                                             [&](const VolumeClaimPtr& claim) { reply.items.push_back(claim); }, also);
    if (!next) return fail(next.error());
    reply.next_token = std::move(*next);
    watch.add(Table::task_group_volumes, state::Scope::all, "");
    reply.index = index_of(s, Table::task_group_volumes);
    return reply;
  };
  auto reply = co_await query<Reply>(c, request, std::move(read));
  co_return reply;
}

Async<Result<model::WriteMeta>> delete_claim(Context& c, model::NameRequest request) {
  fsm::VolumeClaimDelete message;
  message.id = request.name;
  auto index = co_await c.writer.write(std::move(message));
  if (!index) co_return fail(index.error());
  co_return model::WriteMeta{*index};
}

}  // namespace

void add_volume_handlers(Context& c, wire::Registry& registry) {
  namespace e = wire::endpoints;
  registry.add(e::host_volume_list, std::function([&c](model::HostVolumeListRequest r) { return list(c, std::move(r)); }));
  registry.add(e::host_volume_get, std::function([&c](model::ObjectRequest r) { return get(c, std::move(r)); }));
  registry.add(e::host_volume_create, std::function([&c](model::HostVolumeCreateRequest r) { return create(c, std::move(r)); }));
  registry.add(e::host_volume_register, std::function([&c](model::HostVolumeRegisterRequest r) { return register_volume(c, std::move(r)); }));
  registry.add(e::host_volume_delete, std::function([&c](model::HostVolumeDeleteRequest r) { return remove(c, std::move(r)); }));
  registry.add(e::volume_claims, std::function([&c](model::VolumeClaimsRequest r) { return claims(c, std::move(r)); }));
  registry.add(e::volume_claim_delete, std::function([&c](model::NameRequest r) { return delete_claim(c, std::move(r)); }));
}

}  // namespace drover::rpc
