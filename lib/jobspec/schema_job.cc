#include "lib/jobspec/schema_common.h"

namespace drover::jobspec {

using namespace table;

bool may_be_block(const Field& field) {
  switch (field.shape) {
    case Shape::one: case Shape::many: case Shape::keyed: case Shape::free_map: case Shape::text_list_map: return true;
    case Shape::text_map: return field.form != Form::attribute;
    default: return false;
  }
}

bool may_be_attribute(const Field& field) {
  if (field.shape == Shape::text_map) return field.form != Form::block;
  return !may_be_block(field);
}

Schema::Schema(std::string_view json, std::string_view name, Special kind, std::vector<Field> list)
    : label_json(json), label_name(name), special(kind), fields(std::move(list)) {
  if (special == Special::constraint || special == Special::affinity) {
    for (const std::string& word : shorthand_names(special)) body.attributes.push_back({word, false});
  }
  for (const Field& field : fields) {
    if (field.hcl.empty()) continue;
    if (may_be_attribute(field)) body.attributes.push_back({std::string(field.hcl), field.required});
    if (!may_be_block(field)) continue;
    std::vector<std::string> labels;
    if (field.nested != nullptr && !field.nested->label_json.empty()) labels.emplace_back(field.nested->label_name);
    body.blocks.push_back({std::string(field.hcl), std::move(labels)});
  }
  body = hcl::expandable(std::move(body));
}

const Field* Schema::find(std::string_view hcl) const {
  for (const Field& field : fields) {
    if (!hcl.empty() && field.hcl == hcl) return &field;
  }
  return nullptr;
}

const Schema& constraint_schema() {
  static const Schema schema{{}, {}, Special::constraint, {plain("", "LTarget"), plain("", "RTarget"), plain("", "Operand")}};
  return schema;
}

const Schema& affinity_schema() {
  static const Schema schema{{}, {}, Special::affinity, {plain("", "LTarget"), plain("", "RTarget"), plain("", "Operand"), maybe("", "Weight", Shape::int8)}};
  return schema;
}

const Schema& spread_schema() {
  static const Schema target{"Value", "", Special::none, {plain("percent", "Percent", Shape::uint8)}};
  static const Schema schema{{}, {}, Special::none,
                             {plain("attribute", "Attribute"), maybe("weight", "Weight", Shape::int8), many("target", "SpreadTarget", target)}};
  return schema;
}

const Schema& update_schema() {
  static const Schema schema{{}, {}, Special::none,
                             {maybe("stagger", "Stagger", Shape::duration), maybe("max_parallel", "MaxParallel", Shape::integer),
                              maybe("health_check", "HealthCheck"), maybe("min_healthy_time", "MinHealthyTime", Shape::duration),
                              maybe("healthy_deadline", "HealthyDeadline", Shape::duration),
                              maybe("progress_deadline", "ProgressDeadline", Shape::duration), maybe("canary", "Canary", Shape::integer),
                              maybe("auto_revert", "AutoRevert", Shape::boolean), maybe("auto_promote", "AutoPromote", Shape::boolean)}};
  return schema;
}

const Schema& migrate_schema() {
  static const Schema schema{{}, {}, Special::none,
                             {maybe("max_parallel", "MaxParallel", Shape::integer), maybe("health_check", "HealthCheck"),
                              maybe("min_healthy_time", "MinHealthyTime", Shape::duration),
                              maybe("healthy_deadline", "HealthyDeadline", Shape::duration)}};
  return schema;
}

const Schema& reschedule_schema() {
  static const Schema schema{{}, {}, Special::none,
                             {maybe("attempts", "Attempts", Shape::integer), maybe("interval", "Interval", Shape::duration),
                              maybe("delay", "Delay", Shape::duration), maybe("delay_function", "DelayFunction"),
                              maybe("max_delay", "MaxDelay", Shape::duration), maybe("unlimited", "Unlimited", Shape::boolean)}};
  return schema;
}

const Schema& restart_schema() {
  static const Schema schema{{}, {}, Special::none,
                             {maybe("interval", "Interval", Shape::duration), maybe("attempts", "Attempts", Shape::integer),
                              maybe("delay", "Delay", Shape::duration), maybe("mode", "Mode"),
                              maybe("render_templates", "RenderTemplates", Shape::boolean)}};
  return schema;
}

const Schema& port_schema() {
  static const Schema schema{"Label", "", Special::none,
                             {plain("static", "Value", Shape::integer), plain("to", "To", Shape::integer), plain("host_network", "HostNetwork"),
                              plain("ignore_collision", "IgnoreCollision", Shape::boolean)}};
  return schema;
}

const Schema& network_schema() {
  static const Schema dns{{}, {}, Special::none, {list("servers", "Servers"), list("searches", "Searches"), list("options", "Options")}};
  static const Schema cni{{}, {}, Special::none, {map("args", "Args", Form::attribute)}};
  static const Schema schema{{}, {}, Special::network,
                             {plain("mode", "Mode"), plain("device", "Device"), plain("cidr", "CIDR"), plain("ip", "IP"), one("dns", "DNS", dns),
                              many("reserved_ports", "ReservedPorts", port_schema()), many("port", "DynamicPorts", port_schema()),
                              plain("hostname", "Hostname"), maybe("mbits", "MBits", Shape::integer), one("cni", "CNI", cni)}};
  return schema;
}

namespace {
const Schema& scaling_fields(Special special) {
  static const auto make = [](Special kind) {
    Field max = maybe("max", "Max", Shape::integer);
    max.required = kind == Special::scaling_group;
    const bool task = kind == Special::scaling_task;
    return Schema{task ? "Type" : "", "name", kind,
                  {plain("", "ID"), plain("", "Namespace"), map("", "Target"), maybe("min", "Min", Shape::integer), max, free_map("policy", "Policy"),
                   maybe("enabled", "Enabled", Shape::boolean), task ? plain("", "") : plain("type", "Type"),
                   plain("", "CreateIndex", Shape::uint64), plain("", "ModifyIndex", Shape::uint64)}};
  };
  static const Schema group = make(Special::scaling_group);
  static const Schema task = make(Special::scaling_task);
  return special == Special::scaling_group ? group : task;
}
}  // namespace

const Schema& scaling_schema() { return scaling_fields(Special::scaling_group); }
const Schema& scaling_task_schema() { return scaling_fields(Special::scaling_task); }

const Schema& group_schema() {
  static const Schema disconnect{{}, {}, Special::none,
                                 {maybe("lost_after", "LostAfter", Shape::duration), maybe("stop_on_client_after", "StopOnClientAfter", Shape::duration),
                                  maybe("replace", "Replace", Shape::boolean), maybe("reconcile", "Reconcile")}};
  static const Schema disk{{}, {}, Special::none,
                           {maybe("sticky", "Sticky", Shape::boolean), maybe("migrate", "Migrate", Shape::boolean), maybe("size", "SizeMB", Shape::integer)}};
  static const Schema mount_options{{}, {}, Special::none, {plain("fs_type", "FSType"), list("mount_flags", "MountFlags")}};
  static const Schema volume{"Name", "name", Special::none,
                             {plain("type", "Type"), plain("source", "Source"), plain("read_only", "ReadOnly", Shape::boolean),
                              plain("sticky", "Sticky", Shape::boolean), plain("access_mode", "AccessMode"),
                              plain("attachment_mode", "AttachmentMode"), one("mount_options", "MountOptions", mount_options),
                              plain("per_alloc", "PerAlloc", Shape::boolean)}};
  static const Schema schema{"Name", "name", Special::none,
                             {maybe("count", "Count", Shape::integer), many("constraint", "Constraints", constraint_schema()),
                              many("affinity", "Affinities", affinity_schema()), many("task", "Tasks", task_schema()),
                              many("spread", "Spreads", spread_schema()), keyed("volume", "Volumes", volume),
                              one("restart", "RestartPolicy", restart_schema()), one("disconnect", "Disconnect", disconnect),
                              one("reschedule", "ReschedulePolicy", reschedule_schema()), one("ephemeral_disk", "EphemeralDisk", disk),
                              one("update", "Update", update_schema()), one("migrate", "Migrate", migrate_schema()),
                              many("network", "Networks", network_schema()), map("meta", "Meta", Form::either),
                              many("service", "Services", service_schema()), maybe("shutdown_delay", "ShutdownDelay", Shape::duration),
                              maybe("stop_after_client_disconnect", "StopAfterClientDisconnect", Shape::duration),
                              maybe("max_client_disconnect", "MaxClientDisconnect", Shape::duration), one("scaling", "Scaling", scaling_schema()),
                              one("consul", "Consul", consul_schema()),
                              maybe("prevent_reschedule_on_lost", "PreventRescheduleOnLost", Shape::boolean),
                              maybe("max_run_duration", "MaxRunDuration", Shape::duration),
                              // Conveniences that the parser hands on to tasks.
                              one("vault", ".vault", vault_schema()), many("secret", ".secret", secret_schema())}};
  return schema;
}

const Schema& job_schema() {
  static const Schema link{{}, {}, Special::none, {plain("label", "Label"), plain("url", "URL")}};
  static const Schema ui{{}, {}, Special::none, {plain("description", "Description"), many("link", "Links", link)}};
  static const Schema periodic{{}, {}, Special::none,
                               {maybe("enabled", "Enabled", Shape::boolean), maybe("cron", "Spec"), list("crons", "Specs"), maybe("", "SpecType"),
                                maybe("prohibit_overlap", "ProhibitOverlap", Shape::boolean), maybe("time_zone", "TimeZone")}};
  static const Schema parameterized{{}, {}, Special::none,
                                    {plain("payload", "Payload"), list("meta_required", "MetaRequired"), list("meta_optional", "MetaOptional")}};
  static const Schema strategy{{}, {}, Special::none, {maybe("max_parallel", "MaxParallel", Shape::integer), maybe("on_failure", "OnFailure")}};
  static const Schema region{"Name", "", Special::none,
                             {maybe("count", "Count", Shape::integer), list("datacenters", "Datacenters"), plain("node_pool", "NodePool"),
                              map("meta", "Meta")}};
  static const Schema multiregion{{}, {}, Special::none, {one("strategy", "Strategy", strategy), many("region", "Regions", region)}};
  static const Schema schema{
      "ID", "name", Special::none,
      {maybe("region", "Region"), maybe("namespace", "Namespace"), maybe("id", "ID"), maybe("name", "Name"), maybe("type", "Type"),
       maybe("priority", "Priority", Shape::integer), maybe("all_at_once", "AllAtOnce", Shape::boolean), list("datacenters", "Datacenters"),
       maybe("node_pool", "NodePool"), many("constraint", "Constraints", constraint_schema()), many("affinity", "Affinities", affinity_schema()),
       many("group", "TaskGroups", group_schema()), one("update", "Update", update_schema()), one("multiregion", "Multiregion", multiregion),
       many("spread", "Spreads", spread_schema()), one("periodic", "Periodic", periodic),
       one("parameterized", "ParameterizedJob", parameterized), one("reschedule", "Reschedule", reschedule_schema()),
       one("migrate", "Migrate", migrate_schema()), map("meta", "Meta", Form::either), one("ui", "UI", ui), maybe("", "Stop", Shape::boolean),
       maybe("", "ParentID"), plain("", "Dispatched", Shape::boolean), maybe("", "DispatchIdempotencyToken"), maybe("", "Payload"),
       maybe("", "ConsulNamespace"), maybe("", "VaultNamespace"), maybe("", "NomadTokenID"), maybe("", "Status"),
       maybe("", "StatusDescription"), maybe("", "Stable", Shape::boolean), maybe("", "Version", Shape::uint64),
       maybe("", "SubmitTime", Shape::integer), maybe("", "CreateIndex", Shape::uint64), maybe("", "ModifyIndex", Shape::uint64),
       maybe("", "JobModifyIndex", Shape::uint64), maybe("", "VersionTag", Shape::free_map),
       // Conveniences that the parser hands on to groups and tasks.
       many("task", ".task", task_schema()), one("vault", ".vault", vault_schema()), many("secret", ".secret", secret_schema())}};
  return schema;
}

}  // namespace drover::jobspec
