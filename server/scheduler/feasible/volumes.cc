#include "server/scheduler/feasible/volumes.h"

#include <fmt/format.h>

#include <algorithm>

#include "server/scheduler/alloc_state.h"

namespace drover::scheduler {
namespace {

constexpr std::string_view reader_only = "single-node-reader-only";
constexpr std::string_view writer = "single-node-writer";
constexpr std::string_view single_writer = "single-node-single-writer";
constexpr std::string_view multi_writer = "single-node-multi-writer";

bool for_host(const model::VolumeRequest& request) { return request.type == "host" || request.type.empty(); }

}  // namespace

VolumeCheck::VolumeCheck(const StateView& view, const model::Job& job, const model::TaskGroup& group) : view_(view), namespace_(job.namespace_) {
  bool sticky = false;
  for (const auto& [name, request] : group.volumes) {
    if (!for_host(request)) continue;
    requests_.push_back(&request);
    sticky |= request.sticky;
  }
  if (!sticky) return;
  for (auto& claim : view.volume_claims(job.namespace_, job.id, group.name)) {
    const auto holder = view.alloc(claim->alloc_id);
    if (holder == nullptr || terminal(*holder)) claims_.push_back(std::move(claim));
  }
}

bool VolumeCheck::feasible(const model::Node& node, std::string_view alloc_name, const std::vector<AllocPtr>& on_node) const {
  return std::ranges::all_of(requests_, [&](const model::VolumeRequest* request) {
    std::string source = request->source;
    if (request->per_alloc) source += fmt::format("[{}]", name_index(alloc_name));
    const auto* offered = node.host_volumes.get(source);
    if (offered == nullptr) return false;
    if (offered->id.empty()) return !offered->read_only || request->read_only;
    const auto volume = view_.host_volume(namespace_, offered->id);
    return volume != nullptr && available(*volume, *request, on_node) && !(request->sticky && claimed_elsewhere(*volume));
  });
}

bool VolumeCheck::available(const model::HostVolume& volume, const model::VolumeRequest& request, const std::vector<AllocPtr>& on_node) const {
  if (volume.state != "ready") return false;
  // What is not said depends on the volume, which is not known before.
  std::string_view access = request.access_mode;
  if (access.empty()) access = request.read_only ? reader_only : writer;
  const std::string_view attachment = request.attachment_mode.empty() ? std::string_view("file-system") : std::string_view(request.attachment_mode);
  const bool capable = std::ranges::any_of(volume.requested_capabilities, [&](const model::HostVolumeCapability& capability) {
    return capability.access_mode == access && capability.attachment_mode == attachment;
  });
  if (!capable) return false;
  if (access == reader_only) return request.read_only;
  if (access == writer) return !request.read_only;
  if (access == multi_writer) return true;
  if (access != single_writer) return false;
  return std::ranges::none_of(on_node, [&](const AllocPtr& alloc) {
    // A planned allocation has no job of its own: it is of the job that is placed, or its job is in the state.
    const auto job = alloc->job != nullptr ? alloc->job : view_.job(alloc->namespace_, alloc->job_id);
    const auto* group = find_group(job.get(), alloc->task_group);
    if (group == nullptr) return false;
    return std::ranges::any_of(group->volumes, [&](const auto& entry) {
      return for_host(entry.second) && entry.second.source == volume.name && !entry.second.read_only;
    });
  });
}

bool VolumeCheck::claimed_elsewhere(const model::HostVolume& volume) const {
  if (claims_.empty()) return false;
  return std::ranges::none_of(claims_, [&](const auto& claim) { return claim->volume_id == volume.id; });
}

}  // namespace drover::scheduler
