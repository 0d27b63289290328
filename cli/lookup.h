// Turning what a user typed, a prefix, into one object (cli contract 1.4). Each function prints its own error or list and
// returns nothing when the command should end with the exit code in `code`.
#pragma once

#include <optional>
#include <string>

#include "cli/api_client.h"
#include "lib/model/alloc.h"
#include "lib/model/deployment.h"
#include "lib/model/eval.h"
#include "lib/model/job.h"
#include "lib/model/job_summary.h"
#include "lib/model/node.h"

namespace drover::cli {

struct JobName {
  std::string id;
  std::string namespace_;
};

// The only job, or the exact one, of that prefix. `kind` names those that count ("periodic job"), `counts` picks them.
[[nodiscard]] std::optional<JobName> find_job(Context& context, const std::string& prefix, int& code, std::string_view kind = "job",
                                              bool (*counts)(const model::JobListStub&) = nullptr);
[[nodiscard]] std::optional<model::Deployment> find_deployment(Context& context, const std::string& prefix, bool verbose, int& code);
[[nodiscard]] std::optional<model::Allocation> find_alloc(Context& context, const std::string& prefix, bool verbose, int& code);
// `step` says what an error of the API was met at.
[[nodiscard]] std::optional<model::Node> find_node(Context& context, const std::string& prefix, bool verbose, int& code,
                                                   std::string_view step = "querying node info");
[[nodiscard]] std::optional<model::Evaluation> find_eval(Context& context, const std::string& prefix, bool verbose, int& code);
// An allocation of a job to look at: a running one when there is one (`-job`, `-group`).
[[nodiscard]] std::optional<model::Allocation> alloc_of_job(Context& context, const std::string& job, const std::string& group, int& code);
// The node of the agent that is asked.
[[nodiscard]] Result<std::string> own_node(Context& context);
// Whether the allocation's group has the task; says which it has when not.
[[nodiscard]] bool has_task(Context& context, const model::Allocation& alloc, const std::string& task);
// The task to act on: the named one, or the only one.
[[nodiscard]] std::optional<std::string> pick_task(Context& context, const model::Allocation& alloc, const std::string& wanted, int& code);

// An id prefix as the API takes it: an odd last hex digit is left out. Empty and an error printed when shorter than two.
[[nodiscard]] std::optional<std::string> id_prefix(Context& context, const std::string& typed);

}  // namespace drover::cli
