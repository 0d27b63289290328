#include "lib/jobspec/canonical.h"
#include "lib/jobspec/canonical_parts.h"

namespace drover::jobspec {

Json merged(const Json& base, const Json& over) {
  Json out = base;
  for (const auto& [name, value] : over.items()) {
    if (!value.is_null()) out[name] = value;
  }
  return out;
}

namespace {

const Json& default_update() {
  static const Json update{{"Stagger", 30 * second_ns}, {"MaxParallel", 1}, {"HealthCheck", "checks"}, {"MinHealthyTime", 10 * second_ns},
                           {"HealthyDeadline", 300 * second_ns}, {"ProgressDeadline", 600 * second_ns}, {"Canary", 0}, {"AutoRevert", false},
                           {"AutoPromote", false}};
  return update;
}

const Json& default_migrate() {
  static const Json migrate{{"MaxParallel", 1}, {"HealthCheck", "checks"}, {"MinHealthyTime", 10 * second_ns}, {"HealthyDeadline", 300 * second_ns}};
  return migrate;
}

const Json& default_reschedule(const std::string& type) {
  static const Json service{{"Attempts", 0}, {"Interval", 0}, {"Delay", 30 * second_ns}, {"DelayFunction", "exponential"}, {"MaxDelay", 3600 * second_ns},
                            {"Unlimited", true}};
  static const Json batch{{"Attempts", 1}, {"Interval", 86400 * second_ns}, {"Delay", 5 * second_ns}, {"DelayFunction", "constant"}, {"MaxDelay", 0},
                          {"Unlimited", false}};
  static const Json system{{"Attempts", 0}, {"Interval", 0}, {"Delay", 0}, {"DelayFunction", ""}, {"MaxDelay", 0}, {"Unlimited", false}};
  return type == "service" ? service : type == "batch" ? batch : system;
}

const Json& default_restart(const std::string& type) {
  static const Json service{{"Delay", 15 * second_ns}, {"Attempts", 2}, {"Interval", 1800 * second_ns}, {"Mode", "fail"}, {"RenderTemplates", false}};
  static const Json batch{{"Delay", 15 * second_ns}, {"Attempts", 3}, {"Interval", 86400 * second_ns}, {"Mode", "fail"}, {"RenderTemplates", false}};
  return type == "batch" || type == "sysbatch" ? batch : service;
}

bool is_empty_update(const Json& update) {
  for (const auto& [name, value] : update.items()) {
    if (!value.is_null() && value != 0 && value != "" && value != false) return false;
  }
  return true;
}

// The group's own block over the job's; the job's alone when the group has none.
void inherit(Json& group, const char* name, const Json& from_job) {
  if (from_job.is_null()) return;
  group[name] = group[name].is_null() ? from_job : merged(from_job, group[name]);
}

void canonicalize_update(Json& group, const Json& job) {
  Json& update = group["Update"];
  const Json& from_job = job.at("Update");
  if (!from_job.is_null() && !update.is_null()) update = merged(from_job, update);
  else if (!from_job.is_null() && !is_empty_update(from_job)) update = from_job;
  if (!update.is_null()) update = merged(default_update(), update);
}

void canonicalize_periodic(Json& periodic) {
  if (periodic.is_null()) return;
  fill(periodic, "Enabled", true);
  fill(periodic, "Spec", "");
  fill(periodic, "Specs", Json::array());
  fill(periodic, "SpecType", "cron");
  fill(periodic, "ProhibitOverlap", false);
  fill_text(periodic, "TimeZone", "UTC");
}

void canonicalize_multiregion(Json& multiregion) {
  if (multiregion.is_null()) return;
  fill(multiregion, "Strategy", Json::object());
  fill(multiregion["Strategy"], "MaxParallel", 0);
  fill(multiregion["Strategy"], "OnFailure", "");
  fill(multiregion, "Regions", Json::array());
  for (Json& region : multiregion["Regions"]) {
    fill(region, "Count", 1);
    fill(region, "Datacenters", Json::array());
    fill(region, "Meta", Json::object());
  }
}

}  // namespace

void canonicalize_weights(Json& object) {
  for (const char* name : {"Affinities", "Spreads"}) {
    if (!object.contains(name) || !object[name].is_array()) continue;
    for (Json& item : object[name]) fill(item, "Weight", 50);
  }
}

void canonicalize_scaling(Json& policy) {
  if (policy.is_null()) return;
  fill(policy, "Enabled", true);
  fill_text(policy, "Type", "horizontal");
}

void canonicalize_group(Json& group, const Json& job) {
  const std::string type = job.at("Type");
  const bool system = type == "system" || type == "sysbatch";
  if (group["Count"].is_null()) {
    const bool from_scaling = group["Scaling"].is_object() && !group["Scaling"]["Min"].is_null();
    group["Count"] = from_scaling ? group["Scaling"]["Min"] : Json(1);
  }
  if (group["Scaling"].is_object()) {
    canonicalize_scaling(group["Scaling"]);
    fill(group["Scaling"], "Min", group["Count"]);
  }
  Json& disk = group["EphemeralDisk"];
  if (disk.is_null()) disk = Json::object();
  fill(disk, "Sticky", false);
  fill(disk, "Migrate", false);
  fill(disk, "SizeMB", 300);
  canonicalize_update(group, job);
  inherit(group, "ReschedulePolicy", job.at("Reschedule"));
  if (group["ReschedulePolicy"].is_null() && !system) group["ReschedulePolicy"] = default_reschedule(type);
  else if (!group["ReschedulePolicy"].is_null()) group["ReschedulePolicy"] = merged(default_reschedule(type), group["ReschedulePolicy"]);
  inherit(group, "Migrate", job.at("Migrate"));
  if (group["Migrate"].is_null() && type == "service") group["Migrate"] = default_migrate();
  else if (!group["Migrate"].is_null()) group["Migrate"] = merged(default_migrate(), group["Migrate"]);
  const Json& restart = group["RestartPolicy"];
  group["RestartPolicy"] = restart.is_null() ? default_restart(type) : merged(default_restart(type), restart);
  if (Json& disconnect = group["Disconnect"]; !disconnect.is_null()) {
    fill(disconnect, "Replace", true);
    fill(disconnect, "Reconcile", "best_score");
  }
  if (Json& consul = group["Consul"]; !consul.is_null()) {
    fill_text(consul, "Cluster", "default");
    fill_text(consul, "Namespace", job.at("ConsulNamespace").get<std::string>());
  }
  canonicalize_weights(group);
  if (group["Tasks"].is_array()) {
    for (Json& task : group["Tasks"]) canonicalize_task(task, group, job);
  }
  if (group["Services"].is_array()) {
    for (Json& service : group["Services"]) canonicalize_service(service, nullptr, group, job);
  }
}

void canonicalize_api(Json& job) {
  fill(job, "ID", "");
  fill(job, "Name", job["ID"]);
  fill(job, "Priority", 50);
  fill(job, "Region", "global");
  fill(job, "Namespace", "default");
  fill(job, "Type", "service");
  for (const char* name : {"ParentID", "NodePool", "ConsulNamespace", "VaultNamespace", "NomadTokenID", "Status", "StatusDescription"}) fill(job, name, "");
  for (const char* name : {"Stop", "AllAtOnce", "Stable"}) fill(job, name, false);
  for (const char* name : {"Reschedule", "Migrate"}) fill(job, name, nullptr);  // which groups inherit
  for (const char* name : {"Version", "CreateIndex", "ModifyIndex", "JobModifyIndex"}) fill(job, name, 0);
  canonicalize_periodic(job["Periodic"]);
  if (!job["Update"].is_null()) job["Update"] = merged(default_update(), job["Update"]);
  else if (job["Type"] == "service" || job["Type"] == "system") job["Update"] = default_update();
  canonicalize_multiregion(job["Multiregion"]);
  canonicalize_weights(job);
  if (!job["TaskGroups"].is_array()) return;
  for (Json& group : job["TaskGroups"]) canonicalize_group(group, job);
}

}  // namespace drover::jobspec
