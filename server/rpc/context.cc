#include "server/rpc/context.h"

#include <fmt/format.h>

#include <cctype>

#include "sdk/base/text.h"
#include "sdk/base/uuid.h"

namespace drover::rpc {

bool has_evals(const model::Job& job) { return !job.periodic && (!job.parameterized_job || job.dispatched); }

std::shared_ptr<model::Evaluation> new_eval(Context& c, const model::Job& job, std::string_view trigger) {
  auto eval = std::make_shared<model::Evaluation>();
  eval->id = make_uuid(c.rng);
  eval->namespace_ = job.namespace_;
  eval->priority = job.priority;
  eval->type = job.type;
  eval->triggered_by = trigger;
  eval->job_id = job.id;
  eval->job_modify_index = job.job_modify_index;
  eval->status = "pending";
  eval->create_time = eval->modify_time = c.clock.unix_nanos();
  return eval;
}

std::string error_list(const std::vector<std::string>& errors) {
  if (errors.empty()) return {};
  std::string out = errors.size() == 1 ? "1 error occurred:\n" : fmt::format("{} errors occurred:\n", errors.size());
  for (const auto& error : errors) out += "\t* " + error + "\n";
  return out + "\n";
}

std::string warning_list(const std::vector<std::string>& warnings) {
  if (warnings.empty()) return {};
  std::string out = warnings.size() == 1 ? "1 warning:\n" : fmt::format("{} warnings:\n", warnings.size());
  // One that lists others ends in blank lines.
  for (const auto& warning : warnings) out += "\n* " + std::string(trim(warning));
  return out;
}

Result<> check_uuid(std::string_view what, std::string_view id) {
  if (id.size() == 36) return {};
  return fail(Code::internal, "{} lookup failed: index error: UUID must be 36 characters", what);
}

Result<std::string> uuid_prefix(std::string_view what, std::string_view prefix) {
  const std::string lookup = what.empty() ? "" : fmt::format("{} lookup failed: ", what);
  std::string digits;
  for (const char c : prefix) {
    if (c != '-') digits.push_back(static_cast<char>(std::tolower(static_cast<unsigned char>(c))));
  }
  if (digits.size() % 2 != 0) return fail(Code::internal, "{}index error: Input (without hyphens) must be even length", lookup);
  for (const char c : digits) {
    if (std::isxdigit(static_cast<unsigned char>(c)) != 0) continue;
    return fail(Code::internal, "{}index error: Invalid UUID: encoding/hex: invalid byte: U+{:04X} '{}'", lookup,
                static_cast<unsigned>(static_cast<unsigned char>(c)), c);
  }
  std::string out;
  for (std::size_t i = 0; i < digits.size() && i < 32; ++i) {
    if (i == 8 || i == 12 || i == 16 || i == 20) out.push_back('-');
    out.push_back(digits[i]);
  }
  return out;
}

void register_endpoints(Context& c, wire::Registry& registry) {
  add_job_reads(c, registry);
  add_job_writes(c, registry);
  add_job_plan(c, registry);
  add_job_scaling(c, registry);
  add_job_versions(c, registry);
  add_job_dispatch(c, registry);
  add_job_why(c, registry);
  add_job_statuses(c, registry);
  add_space_handlers(c, registry);
  add_search_handlers(c, registry);
  add_alloc_handlers(c, registry);
  add_eval_handlers(c, registry);
  add_deployment_handlers(c, registry);
  add_deployment_writes(c, registry);
  add_node_reads(c, registry);
  add_node_writes(c, registry);
  add_node_drain(c, registry);
  add_volume_handlers(c, registry);
  add_operator_handlers(c, registry);
  add_cluster_handlers(c, registry);
}

}  // namespace drover::rpc
