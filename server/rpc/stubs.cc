#include "server/rpc/stubs.h"

namespace drover::rpc {

model::AllocListStub alloc_stub(const std::shared_ptr<const model::Allocation>& from, bool resources, bool task_states) {
  const model::Allocation& alloc = *from;
  model::AllocListStub out;
  out.id = alloc.id;
  out.eval_id = alloc.eval_id;
  out.name = alloc.name;
  out.namespace_ = alloc.namespace_;
  out.node_id = alloc.node_id;
  out.node_name = alloc.node_name;
  out.job_id = alloc.job_id;
  if (alloc.job) {
    out.job_type = alloc.job->type;
    out.job_version = alloc.job->version;
  }
  out.task_group = alloc.task_group;
  if (resources) out.allocated_resources = alloc.allocated_resources;
  out.desired_status = alloc.desired_status;
  out.desired_description = alloc.desired_description;
  out.client_status = alloc.client_status;
  out.client_description = alloc.client_description;
  out.desired_transition = alloc.desired_transition;
  if (task_states) out.task_states = {from, &alloc.task_states};
  out.deployment_status = alloc.deployment_status;
  out.followup_eval_id = alloc.followup_eval_id;
  out.next_allocation = alloc.next_allocation;
  out.reschedule_tracker = alloc.reschedule_tracker;
  out.preempted_allocations = alloc.preempted_allocations;
  out.preempted_by_allocation = alloc.preempted_by_allocation;
  out.create_index = alloc.create_index;
  out.modify_index = alloc.modify_index;
  out.create_time = alloc.create_time;
  out.modify_time = alloc.modify_time;
  return out;
}

model::JobListStub job_stub(const model::Job& job, const model::JobSummary* summary, bool meta) {
  model::JobListStub out;
  out.id = job.id;
  out.parent_id = job.parent_id;
  out.name = job.name;
  out.namespace_ = job.namespace_;
  out.datacenters = job.datacenters;
  out.node_pool = job.node_pool;
  out.multiregion = job.multiregion;
  out.type = job.type;
  out.priority = job.priority;
  out.periodic = static_cast<bool>(job.periodic);
  out.parameterized_job = job.parameterized_job && !job.dispatched;
  out.stop = job.stop;
  out.status = job.status;
  out.status_description = job.status_description;
  if (summary != nullptr) out.job_summary = *summary;
  out.create_index = job.create_index;
  out.modify_index = job.modify_index;
  out.job_modify_index = job.job_modify_index;
  out.submit_time = job.submit_time;
  if (meta) out.meta = job.meta;
  return out;
}

model::NodeListStub node_stub(const model::Node& node, bool resources, bool os) {
  model::NodeListStub out;
  out.address = node.http_addr.substr(0, node.http_addr.rfind(':'));
  if (out.address.size() > 2 && out.address.front() == '[' && out.address.back() == ']') out.address = out.address.substr(1, out.address.size() - 2);
  out.id = node.id;
  out.datacenter = node.datacenter;
  out.name = node.name;
  out.node_pool = node.node_pool;
  out.node_class = node.node_class;
  if (const std::string* version = node.attributes.get("nomad.version")) out.version = *version;
  out.drain = static_cast<bool>(node.drain_strategy);
  out.scheduling_eligibility = node.scheduling_eligibility;
  out.status = node.status;
  out.status_description = node.status_description;
  out.drivers = node.drivers;
  out.host_volumes = node.host_volumes;
  if (os) {
    const std::string* name = node.attributes.get("os.name");
    out.attributes["os.name"] = name == nullptr ? "" : *name;
  }
  if (resources) {
    out.node_resources = node.node_resources;
    out.reserved_resources = node.reserved_resources;
  }
  out.last_drain = node.last_drain;
  out.create_index = node.create_index;
  out.modify_index = node.modify_index;
  return out;
}

}  // namespace drover::rpc
