// Counters and list entries of jobs.
// Field names, types and order are wire facts (HTTP API contract, appendix A); `describe` lists each once.
#pragma once

#include <memory>
#include <string>

#include "lib/model/types.h"
#include "lib/model/job.h"

namespace drover::model {

struct JobChildrenSummary {
  std::int64_t pending = 0;
  std::int64_t running = 0;
  std::int64_t dead = 0;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Pending", self.pending);
    v("Running", self.running);
    v("Dead", self.dead);
  }
  friend bool operator==(const JobChildrenSummary&, const JobChildrenSummary&) = default;
};

struct TaskGroupSummary {
  std::int64_t queued = 0;
  std::int64_t complete = 0;
  std::int64_t failed = 0;
  std::int64_t running = 0;
  std::int64_t starting = 0;
  std::int64_t lost = 0;
  std::int64_t unknown = 0;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Queued", self.queued);
    v("Complete", self.complete);
    v("Failed", self.failed);
    v("Running", self.running);
    v("Starting", self.starting);
    v("Lost", self.lost);
    v("Unknown", self.unknown);
  }
  friend bool operator==(const TaskGroupSummary&, const TaskGroupSummary&) = default;
};

struct JobSummary {
  std::string job_id;
  std::string namespace_;
  Map<TaskGroupSummary> summary;
  Box<JobChildrenSummary> children;
  std::uint64_t create_index = 0;
  std::uint64_t modify_index = 0;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("JobID", self.job_id);
    v("Namespace", self.namespace_);
    v("Summary", self.summary);
    v("Children", self.children);
    v("CreateIndex", self.create_index);
    v("ModifyIndex", self.modify_index);
  }
  friend bool operator==(const JobSummary&, const JobSummary&) = default;
};

struct JobListStub {
  std::string id;
  std::string parent_id;
  std::string name;
  std::string namespace_;
  List<std::string> datacenters;
  std::string node_pool;
  Box<Multiregion> multiregion;
  std::string type;
  std::int64_t priority = 0;
  bool periodic = false;
  bool parameterized_job = false;
  bool stop = false;
  std::string status;
  std::string status_description;
  Box<JobSummary> job_summary;
  std::uint64_t create_index = 0;
  std::uint64_t modify_index = 0;
  std::uint64_t job_modify_index = 0;
  std::int64_t submit_time = 0;
  Map<std::string> meta;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("ID", self.id);
    v("ParentID", self.parent_id);
    v("Name", self.name);
    v("Namespace", self.namespace_, omit_empty);
    v("Datacenters", self.datacenters);
    v("NodePool", self.node_pool);
    v("Multiregion", self.multiregion);
    v("Type", self.type);
    v("Priority", self.priority);
    v("Periodic", self.periodic);
    v("ParameterizedJob", self.parameterized_job);
    v("Stop", self.stop);
    v("Status", self.status);
    v("StatusDescription", self.status_description);
    v("JobSummary", self.job_summary);
    v("CreateIndex", self.create_index);
    v("ModifyIndex", self.modify_index);
    v("JobModifyIndex", self.job_modify_index);
    v("SubmitTime", self.submit_time);
    v("Meta", self.meta, omit_empty);
  }
  friend bool operator==(const JobListStub&, const JobListStub&) = default;
};

}  // namespace drover::model
