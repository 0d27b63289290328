#include <algorithm>

#include "sdk/base/text.h"
#include "server/state/txn.h"

namespace drover::state {
namespace {

bool for_host(const model::VolumeRequest& request) { return request.type == "host" || request.type.empty(); }

const model::TaskGroup* group_of(const model::Allocation& alloc) {
  if (!alloc.job) return nullptr;
  const auto at = std::ranges::find(alloc.job->task_groups, alloc.task_group, &model::TaskGroup::name);
  return at == alloc.job->task_groups.end() ? nullptr : &*at;
}

// `data` or, of a volume for each allocation, `data[3]`.
std::string source_of(const model::VolumeRequest& request, std::string_view alloc_name) {
  if (!request.per_alloc) return request.source;
  const auto open = alloc_name.rfind('[');
  return request.source + std::string(open == std::string_view::npos ? std::string_view() : alloc_name.substr(open));
}

// An id that every server derives alike: the allocation's, told apart by the volume's place.
std::string claim_id(const model::Allocation& alloc, std::size_t place) {
  std::string out = alloc.id;
  constexpr std::string_view digits = "0123456789abcdef";
  if (out.empty() || place == 0) return out;
  const auto at = digits.find(out.back());
  out.back() = digits[((at == std::string_view::npos ? 0 : at) + place) % digits.size()];
  return out;
}

}  // namespace

void add_to(Tables& tables, const HostVolumePtr& volume) {
  tables.host_volumes.put(volume);
  tables.host_volumes_node.put(volume);
}

void add_to(Tables& tables, const VolumeClaimPtr& claim) {
  tables.volume_claims.put(claim);
  tables.volume_claims_group.put(claim);
}

void Txn::store_host_volume(const HostVolumePtr& before, model::HostVolume volume) {
  if (before && (before->node_id != volume.node_id || before->name != volume.name)) {
    t_.host_volumes_node.erase({before->node_id, before->name, before->id});
  }
  volume.create_index = before ? before->create_index : index_;
  volume.modify_index = index_;
  auto stored = std::make_shared<const model::HostVolume>(std::move(volume));
  add_to(t_, stored);
  record(Table::host_volumes, before ? Object(before) : Object(), std::move(stored));
}

void Txn::put_host_volume(model::HostVolume volume) {
  const HostVolumePtr* found = t_.host_volumes.find({volume.namespace_, volume.id});
  const HostVolumePtr before = found != nullptr ? *found : nullptr;
  const NodePtr* node = t_.nodes.find(volume.node_id);
  const auto* offered = node == nullptr ? nullptr : (*node)->host_volumes.get(volume.name);
  volume.state = offered != nullptr && offered->id == volume.id ? "ready" : "pending";
  if (node != nullptr) volume.node_pool = (*node)->node_pool;
  store_host_volume(before, std::move(volume));
}

void Txn::match_host_volumes(const model::Node& node) {
  std::vector<HostVolumePtr> volumes;
  t_.host_volumes_node.scan({node.id, {}, {}}, [&](const HostVolumePtr& volume) {
    if (volume->node_id != node.id) return false;
    volumes.push_back(volume);
    return true;
  });
  for (const auto& before : volumes) {
    const auto* offered = node.host_volumes.get(before->name);
    const bool ready = offered != nullptr && offered->id == before->id;
    // A pending one waits for its node; one that was there and is not any more cannot be used.
    const std::string state = ready ? "ready" : before->state == "pending" ? "pending" : "unavailable";
    if (state == before->state) continue;
    model::HostVolume volume = *before;
    volume.state = state;
    store_host_volume(before, std::move(volume));
  }
}

Result<> Txn::delete_host_volume(std::string_view namespace_, std::string_view id, bool force) {
  const HostVolumePtr* found = t_.host_volumes.find({namespace_, id});
  if (found == nullptr) return fail(Code::internal, "no such volume: {}", id);
  const HostVolumePtr before = *found;
  std::vector<std::string> users;
  t_.allocs_node.scan({before->node_id, false, {}}, [&](const AllocPtr& alloc) {
    if (alloc->node_id != before->node_id || client_terminal(*alloc)) return false;
    const auto* group = group_of(*alloc);
    if (group == nullptr || alloc->namespace_ != namespace_) return true;
    const bool uses = std::ranges::any_of(group->volumes, [&](const auto& entry) {
      return for_host(entry.second) && source_of(entry.second, alloc->name) == before->name;
    });
    if (uses) users.push_back(alloc->id);
    return true;
  });
  if (!users.empty() && !force) return fail(Code::internal, "volume {} in use by allocations: [{}]", id, join(users, " "));
  t_.host_volumes_node.erase({before->node_id, before->name, before->id});
  t_.host_volumes.erase({before->namespace_, before->id});
  record(Table::host_volumes, before, {});
  return {};
}

void Txn::claim_volumes(const model::Allocation& alloc) {
  const auto* group = group_of(alloc);
  const NodePtr* node = t_.nodes.find(alloc.node_id);
  if (group == nullptr || node == nullptr) return;
  std::size_t place = 0;
  for (const auto& [name, request] : group->volumes) {
    if (!request.sticky || !for_host(request)) continue;
    const auto* offered = (*node)->host_volumes.get(source_of(request, alloc.name));
    if (offered == nullptr || offered->id.empty()) continue;
    const VolumeClaimPtr* found = t_.volume_claims_group.find({alloc.namespace_, alloc.job_id, alloc.task_group, offered->id});
    const VolumeClaimPtr before = found != nullptr ? *found : nullptr;
    auto claim = std::make_shared<model::TaskGroupHostVolumeClaim>();
    if (before) *claim = *before;
    else claim->id = claim_id(alloc, place);
    ++place;
    claim->namespace_ = alloc.namespace_;
    claim->job_id = alloc.job_id;
    claim->task_group_name = alloc.task_group;
    claim->alloc_id = alloc.id;
    claim->volume_id = offered->id;
    claim->volume_name = offered->name;
    claim->create_index = before ? before->create_index : index_;
    claim->modify_index = index_;
    VolumeClaimPtr stored = std::move(claim);
    add_to(t_, stored);
    record(Table::task_group_volumes, before ? Object(before) : Object(), std::move(stored));
  }
}

Result<> Txn::delete_volume_claim(std::string_view id) {
  const VolumeClaimPtr* found = t_.volume_claims.find(id);
  if (found == nullptr) return fail(Code::internal, "claim not found: {}", id);
  const VolumeClaimPtr before = *found;
  t_.volume_claims_group.erase({before->namespace_, before->job_id, before->task_group_name, before->volume_id});
  t_.volume_claims.erase(before->id);
  record(Table::task_group_volumes, before, {});
  return {};
}

}  // namespace drover::state
