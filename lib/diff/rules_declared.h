// The types that have rules of their own; each is defined in the file of its name. Declared here so that no file can use the common case
// for one of them by accident.
#pragma once

#include "lib/diff/rules.h"
#include "lib/model/job.h"

namespace drover::diff {

template <>
struct Rules<model::NetworkResource> : PlainRules {
  static constexpr Names skip{"Device", "CIDR", "IP", "MBits"};
  static void nested(Nested<model::NetworkResource>& n);
};
template <>
struct Rules<model::Resources> : PlainRules {
  static void nested(Nested<model::Resources>& n);
};
template <>
struct Rules<model::NUMA> : PlainRules {
  static void nested(Nested<model::NUMA>& n);
};
template <>
struct Rules<model::Service> : PlainRules {
  static void nested(Nested<model::Service>& n);
};
template <>
struct Rules<model::ServiceCheck> : PlainRules {
  static void nested(Nested<model::ServiceCheck>& n);
};
template <>
struct Rules<model::WorkloadIdentity> : PlainRules {
  static void nested(Nested<model::WorkloadIdentity>& n);
};
template <>
struct Rules<model::ConsulConnect> : PlainRules {
  static void nested(Nested<model::ConsulConnect>& n);
};

// The services of a group or a task: matched by name, port and place, so that an edited one is not shown as two.
void service_diffs(const List<model::Service>& before, const List<model::Service>& after, bool contextual, List<ObjectDiff>& out);

[[nodiscard]] List<model::TaskDiff> task_diffs(const List<model::Task>& before, const List<model::Task>& after, bool contextual);

}  // namespace drover::diff
