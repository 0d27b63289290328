#include "cli/snapshot_agent_config.h"

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "cli/spec_file.h"
#include "sdk/base/text.h"

namespace drover::cli {
namespace {
using model::Json;

// Names in the file; the reference's agent knows all of them.
SpecShape same(std::initializer_list<const char*> names) {
  SpecShape out;
  for (const char* name : names) out.attributes.emplace(name, name);
  return out;
}

SpecShape shape() {
  SpecShape out;
  const auto add = [&](const char* name, SpecShape block) {
    block.json = name;
    out.blocks.emplace(name, std::move(block));
  };
  add("nomad", same({"address", "token", "region", "ca_file", "ca_path", "cert_file", "key_file", "tls_server_name"}));
  add("snapshot", same({"interval", "retain", "stale", "prefix", "service", "deregister_after", "lock_key", "max_failures"}));
  add("log", same({"level", "enable_syslog", "syslog_facility"}));
  SpecShape consul;
  consul.free = true;
  add("consul", consul);
  add("local_storage", same({"path"}));
  add("aws_storage", same({"access_key_id", "secret_access_key", "session_token", "s3_region", "s3_bucket", "s3_key_prefix", "s3_endpoint",
                           "s3_server_side_encryption", "s3_enable_kms", "s3_kms_key", "s3_force_path_style", "s3_part_size", "ca_file", "ca_path"}));
  return out;
}

Unexpected wrong(const std::string& block, const std::string& name, const char* wanted) {
  return fail(Code::invalid_argument, "{}.{} must be {}", block, name, wanted);
}

Result<> take(const Json& block, const std::string& at, const char* name, std::string& to) {
  const auto found = block.find(name);
  if (found == block.end()) return {};
  if (!found->is_string()) return wrong(at, name, "a string");
  if (!found->get_ref<const std::string&>().empty()) to = found->get<std::string>();
  return {};
}

Result<> take(const Json& block, const std::string& at, const char* name, bool& to) {
  const auto found = block.find(name);
  if (found == block.end()) return {};
  if (!found->is_boolean()) return wrong(at, name, "true or false");
  to = found->get<bool>();
  return {};
}

Result<> read_snapshot(const Json& block, SnapshotAgentConfig& config) {
  std::string interval;
  DROVER_TRY(take(block, "snapshot", "interval", interval));
  if (!interval.empty()) {
    const auto value = parse_duration(interval);
    if (!value) return fail(value.error(), "snapshot.interval");
    config.interval = *value;
  }
  if (const auto retain = block.find("retain"); retain != block.end()) {
    if (!retain->is_number_integer()) return wrong("snapshot", "retain", "a whole number");
    config.retain = retain->get<std::int64_t>();
  }
  DROVER_TRY(take(block, "snapshot", "stale", config.stale));
  DROVER_TRY(take(block, "snapshot", "prefix", config.prefix));
  for (const char* name : {"service", "deregister_after", "lock_key", "max_failures"}) {
    if (block.contains(name)) config.ignored.push_back(std::string("snapshot.") + name);
  }
  return {};
}

Result<> read_nomad(const Json& block, GeneralOptions& servers) {
  const std::pair<const char*, std::string*> fields[] = {{"address", &servers.address}, {"token", &servers.token}, {"region", &servers.region},
    {"ca_file", &servers.ca_cert}, {"ca_path", &servers.ca_path}, {"cert_file", &servers.client_cert}, {"key_file", &servers.client_key},
    {"tls_server_name", &servers.tls_server_name}};
  for (const auto& [name, to] : fields) DROVER_TRY(take(block, "nomad", name, *to));
  return {};
}

Result<> read_s3(const Json& block, S3Storage& storage) {
  const std::pair<const char*, std::string*> fields[] = {{"access_key_id", &storage.credentials.key_id}, {"secret_access_key", &storage.credentials.secret},
    {"session_token", &storage.credentials.session_token}, {"s3_region", &storage.region}, {"s3_bucket", &storage.bucket},
    {"s3_key_prefix", &storage.key_prefix}, {"s3_endpoint", &storage.endpoint}, {"s3_kms_key", &storage.kms_key}, {"ca_file", &storage.ca_cert},
    {"ca_path", &storage.ca_path}};
  for (const auto& [name, to] : fields) DROVER_TRY(take(block, "aws_storage", name, *to));
  DROVER_TRY(take(block, "aws_storage", "s3_server_side_encryption", storage.encrypt));
  if (const auto size = block.find("s3_part_size"); size != block.end()) {
    if (!size->is_number_integer() || size->get<std::int64_t>() <= 0) return wrong("aws_storage", "s3_part_size", "a number of bytes");
    storage.part_size = size->get<std::uint64_t>();
  }
  return {};
}

}  // namespace

Result<> read_snapshot_agent_config(const std::string& path, SnapshotAgentConfig& config) {
  auto text = read_spec(path);
  if (!text) return fail(text.error());
  auto parsed = parse_spec(path, *text, shape());
  if (!parsed) return fail(parsed.error());
  const Json& file = *parsed;
  if (file.contains("nomad")) DROVER_TRY(read_nomad(file["nomad"], config.servers));
  if (file.contains("snapshot")) DROVER_TRY(read_snapshot(file["snapshot"], config));
  for (const char* name : {"consul", "log"}) {
    if (file.contains(name)) config.ignored.emplace_back(name);
  }
  if (file.contains("local_storage")) {
    if (!config.local) config.local.emplace();
    DROVER_TRY(take(file["local_storage"], "local_storage", "path", config.local->path));
  }
  if (file.contains("aws_storage")) {
    if (!config.s3) config.s3.emplace();
    DROVER_TRY(read_s3(file["aws_storage"], *config.s3));
  }
  return {};
}

Result<> check_snapshot_agent_config(const SnapshotAgentConfig& config) {
  if (!config.local && !config.s3) {
    return fail(Code::invalid_argument, "there is nowhere to keep snapshots: give a local_storage or an aws_storage block, or -local-path or -aws-s3-bucket");
  }
  if (config.local && config.s3) return fail(Code::invalid_argument, "local_storage and aws_storage exclude each other: run one agent for each");
  if (config.interval.count() < 0 || (config.interval.count() > 0 && config.interval < std::chrono::seconds(1))) {
    return fail(Code::invalid_argument, "an interval of {} is too short: at least 1s, or 0 for one snapshot", format_duration(config.interval));
  }
  if (config.retain < 0) return fail(Code::invalid_argument, "retain must not be negative; 0 keeps all");
  if (config.prefix.empty() || config.prefix.find('/') != std::string::npos) return fail(Code::invalid_argument, "prefix \"{}\" must be part of a file's name", config.prefix);
  return {};
}

}  // namespace drover::cli
