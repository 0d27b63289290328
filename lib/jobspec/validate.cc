#include "lib/jobspec/validate.h"

#include <map>

#include "lib/jobspec/problems.h"

namespace drover::jobspec {

std::string Problems::text() const {
  std::string out = list_.size() == 1 ? "1 error occurred:" : fmt::format("{} errors occurred:", list_.size());
  for (const std::string& problem : list_) out += "\n\t* " + problem;
  return out + "\n\n";
}

std::string Validation::error_text() const {
  if (errors.empty()) return {};
  Problems all;
  for (const std::string& error : errors) all.add_text(error);
  return all.text();
}

std::string Validation::warning_text() const {
  if (warnings.empty()) return {};
  std::string out = warnings.size() == 1 ? "1 warning:\n" : fmt::format("{} warnings:\n", warnings.size());
  for (const std::string& warning : warnings) out += "\n* " + std::string(trim(warning));
  return out;
}

namespace {

bool has_null(const std::string& text) { return text.find('\0') != std::string::npos; }

void check_identity_of(const model::Job& job, Problems& out) {
  if (job.region.empty()) out.add("Missing job region");
  if (job.id.empty()) out.add("Missing job ID");
  else if (job.id.find(' ') != std::string::npos) out.add("Job ID contains a space");
  else if (has_null(job.id)) out.add("Job ID contains a null character");
  if (job.name.empty()) out.add("Missing job name");
  else if (has_null(job.name)) out.add("Job Name contains a null character");
  if (job.namespace_.empty()) out.add("Job must be in a namespace");
  if (job.type.empty()) out.add("Missing job type");
  else if (job.type != "service" && job.type != "batch" && job.type != "system" && job.type != "sysbatch") out.add("Invalid job type: {}", quote(job.type));
}

void check_groups(const model::Job& job, Problems& out) {
  std::map<std::string, std::size_t> seen;
  for (std::size_t i = 0; i < job.task_groups.size(); i++) {
    const model::TaskGroup& group = job.task_groups[i];
    if (group.name.empty()) {
      out.add("Job task group {} missing name", i + 1);
    } else if (const auto earlier = seen.find(group.name); earlier != seen.end()) {
      out.add("Job task group {} redefines '{}' from group {}", i + 1, group.name, earlier->second + 1);
    } else {
      seen[group.name] = i;
    }
    if (group.shutdown_delay && group.shutdown_delay->count() < 0) out.add("ShutdownDelay must be a positive value");
    if (job.type == "system" && group.count > 1) {
      out.add("Job task group {} has count {}. Count cannot exceed 1 with system scheduler", group.name, group.count);
    }
  }
  for (const model::TaskGroup& group : job.task_groups) {
    if (const Problems found = check_group(group, job); !found.empty()) out.add("Task group {} validation failed: {}", group.name, found.text());
  }
}

Problems check_periodic(const model::PeriodicConfig& periodic, const ValidateOptions& options) {
  Problems out;
  if (!periodic.enabled) return out;
  if (!periodic.spec.empty() && !periodic.specs.empty()) {
    out.add("Only cron or crons may be used");
    return out;
  }
  if (periodic.spec.empty() && periodic.specs.empty()) out.add("Must specify a spec");
  if (options.check_time_zone && !periodic.time_zone.empty()) {
    if (const auto zone = options.check_time_zone(periodic.time_zone); !zone) {
      out.add("Invalid time zone {}: {}", quote(periodic.time_zone), zone.error().message());
    }
  }
  if (periodic.spec_type == "cron") {
    std::vector<std::string> expressions = periodic.specs;
    if (!periodic.spec.empty()) expressions.push_back(periodic.spec);
    for (const std::string& expression : expressions) {
      if (!options.check_cron) continue;
      if (const auto cron = options.check_cron(expression); !cron) out.add("Invalid cron spec {}: {}", quote(expression), cron.error().message());
    }
  } else if (periodic.spec_type != "_internal_test") {
    out.add("Unknown periodic specification type {}", quote(periodic.spec_type));
  }
  return out;
}

Problems check_parameterized(const model::ParameterizedJobConfig& config) {
  Problems out;
  if (config.payload != "optional" && config.payload != "required" && config.payload != "forbidden") out.add("Unknown payload requirement: {}", quote(config.payload));
  std::string both;
  for (const std::string& key : config.meta_required) {
    if (std::find(config.meta_optional.begin(), config.meta_optional.end(), key) != config.meta_optional.end()) both += (both.empty() ? "" : " ") + key;
  }
  if (!both.empty()) out.add("Required and optional meta keys should be disjoint. Following keys exist in both: [{}]", both);
  return out;
}

}  // namespace

Validation validate(const model::Job& job, const ValidateOptions& options) {
  Problems out;
  out.append(check_connect_use(job));
  check_identity_of(job, out);
  if (job.datacenters.empty() && !job.multiregion) out.add("Missing job datacenters");
  for (const std::string& datacenter : job.datacenters) {
    if (datacenter.empty()) out.add("Job datacenter must be non-empty string");
  }
  if (job.task_groups.empty()) out.add("Missing job task groups");
  check_placement(out, job.constraints, job.affinities, &job.spreads, job.type);
  if (job.ui && job.ui->description.size() > 1000) out.add("UI description must be under 1000 characters, currently {}", job.ui->description.size());
  if (job.version_tag && job.version_tag->description.size() > 1000) {
    out.add("Tagged version description must be under 1000 characters, currently {}", job.version_tag->description.size());
  }
  check_groups(job, out);
  const bool batch = job.type == "batch" || job.type == "sysbatch";
  if (job.periodic && job.periodic->enabled && !batch) out.add("Periodic can only be used with \"batch\" or \"sysbatch\" scheduler");
  if (job.periodic) out.nest(check_periodic(*job.periodic, options));
  if (job.parameterized_job && !batch) out.add("Parameterized job can only be used with \"batch\" or \"sysbatch\" scheduler");
  if (job.parameterized_job) out.nest(check_parameterized(*job.parameterized_job));
  if (!job.payload.empty()) out.add("job can't be submitted with a payload, only dispatched");
  if (job.priority < 1 || job.priority > options.max_priority) out.add("job priority must be between [1, {}]", options.max_priority);
  std::int64_t total = 0;
  for (const model::TaskGroup& group : job.task_groups) total += group.count;
  if (options.max_count > 0 && total > options.max_count) out.add("total count was greater than configured job_max_count: {} > {}", total, options.max_count);
  return {out.list(), warnings_of(job, options)};
}

}  // namespace drover::jobspec
