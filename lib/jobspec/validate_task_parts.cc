#include <algorithm>
#include <filesystem>

#include "lib/jobspec/problems.h"

namespace drover::jobspec {

bool escapes(const std::string& prefix, const std::string& path) {
  const std::string normal = (std::filesystem::path(prefix) / std::filesystem::path(path).relative_path()).lexically_normal().string();
  return normal == ".." || normal.starts_with("../");
}

Problems check_resources(const model::Resources& resources) {
  Problems out;
  if (resources.cores > 0 && resources.cpu > 0) out.add("Task can only ask for 'cpu' or 'cores' resource, not both.");
  if (resources.cores < 0) out.add("cores value ({}) cannot be negative", resources.cores);
  Problems least;
  if (resources.cores == 0 && resources.cpu < 1) least.add("minimum CPU value is 1; got {}", resources.cpu);
  if (resources.memory_mb < 10) least.add("minimum MemoryMB value is 10; got {}", resources.memory_mb);
  out.nest(least);
  for (std::size_t i = 0; i < resources.devices.size(); i++) {
    const model::RequestedDevice& device = resources.devices[i];
    Problems found;
    if (device.name.empty()) found.add("device name must be given as one of the following: type, vendor/type, or vendor/type/name");
    for (std::size_t j = 0; j < device.constraints.size(); j++) {
      const std::string& operand = device.constraints[j].operand;
      if (operand == "distinct_hosts" || operand == "distinct_property") found.add("Constraint {} validation failed: using unsupported operand {}", j + 1, quote(operand));
      else if (const Problems inner = check_constraint(device.constraints[j]); !inner.empty()) found.add("Constraint {} validation failed: {}", j + 1, inner.text());
    }
    for (std::size_t j = 0; j < device.affinities.size(); j++) {
      if (const Problems inner = check_affinity(device.affinities[j]); !inner.empty()) found.add("Affinity {} validation failed: {}", j + 1, inner.text());
    }
    if (!found.empty()) out.add("device {} failed validation: {}", i + 1, found.text());
  }
  if (resources.numa) {
    const std::string& affinity = resources.numa->affinity;
    if (affinity != "none" && affinity != "prefer" && affinity != "require") out.add("numa affinity must be one of none, prefer, or require");
    for (const std::string& name : resources.numa->devices) {
      const bool asked = std::any_of(resources.devices.begin(), resources.devices.end(), [&](const auto& device) { return device.name == name; });
      if (!asked) out.add("numa device {} not requested as task resource", quote(name));
    }
  }
  // -1 stands for "no limit".
  if (resources.memory_max_mb != 0 && resources.memory_max_mb != -1 && resources.memory_max_mb < resources.memory_mb) {
    out.add("MemoryMaxMB value ({}) should be larger than MemoryMB value ({})", resources.memory_max_mb, resources.memory_mb);
  }
  if (resources.secrets_mb > resources.memory_mb) out.add("SecretsMB value ({}) cannot be larger than MemoryMB value ({})", resources.secrets_mb, resources.memory_mb);
  if (resources.secrets_mb < 0) out.add("SecretsMB value ({}) cannot be negative", resources.secrets_mb);
  return out;
}

Problems check_template(const model::Template& item) {
  Problems out;
  if (item.source_path.empty() && item.embedded_tmpl.empty()) out.add("Must specify a source path or have an embedded template");
  if (item.dest_path.empty()) out.add("Must specify a destination for the template");
  if (escapes("task", item.dest_path)) out.add("destination escapes allocation directory");
  if (item.change_mode == "signal") {
    if (item.change_signal.empty()) out.add("Must specify signal value when change mode is signal");
    if (item.envvars) out.add("cannot use signals with env var templates");
  } else if (item.change_mode == "script") {
    if (!item.change_script) out.add("must specify change script configuration value when change mode is script");
    else if (item.change_script->command.empty()) out.add("must specify script path value when change mode is script");
  } else if (item.change_mode != "noop" && item.change_mode != "restart") {
    out.add("Invalid change mode. Must be one of the following: noop, signal, script, restart");
  }
  if (item.splay.count() < 0) out.add("Must specify positive splay value");
  if (!item.perms.empty()) {
    const bool octal = item.perms.find_first_not_of("01234567") == std::string::npos;
    const bool fits = octal && (item.perms.size() < 5 || std::stoull(item.perms.substr(0, 20), nullptr, 8) <= 07777);
    if (!octal) out.add("Failed to parse {} as octal: strconv.ParseUint: parsing {}: invalid syntax", quote(item.perms), quote(item.perms));
    else if (!fits) out.add("Failed to parse {} as octal: strconv.ParseUint: parsing {}: value out of range", quote(item.perms), quote(item.perms));
  }
  if (item.wait && item.wait->min && item.wait->max && *item.wait->min > *item.wait->max) {
    out.add("wait min {} is greater than max {}", format_duration(*item.wait->min), format_duration(*item.wait->max));
  }
  return out;
}

namespace {

// Go's encoding/hex: how many bytes, or why not.
tl::expected<std::size_t, std::string> hex_bytes(const std::string& digits) {
  for (const char c : digits) {
    if (std::isxdigit(static_cast<unsigned char>(c))) continue;
    return tl::unexpected(fmt::format("encoding/hex: invalid byte: U+{:04X} '{}'", static_cast<unsigned char>(c), c));
  }
  if (digits.size() % 2 != 0) return tl::unexpected(std::string("encoding/hex: odd length hex string"));
  return digits.size() / 2;
}

void check_checksum(const std::string& given, Problems& out) {
  if (given.find("${") != std::string::npos) return;  // known only when the task runs
  const std::string text(trim(given));
  if (text.empty()) return out.add("checksum value cannot be empty");
  if (text.starts_with("file:")) return;
  const std::size_t colon = text.find(':');
  if (colon == std::string::npos || text.find(':', colon + 1) != std::string::npos) return out.add("checksum must be given as \"type:value\"; got {}", quote(text));
  const std::string type = text.substr(0, colon);
  const auto bytes = hex_bytes(text.substr(colon + 1));
  if (!bytes) return out.add("invalid checksum: {}", bytes.error());
  const std::size_t wanted = type == "md5" ? 16 : type == "sha1" ? 20 : type == "sha256" ? 32 : type == "sha512" ? 64 : 0;
  if (wanted == 0) out.add("unsupported checksum type: {}", type);
  else if (*bytes != wanted) out.add("invalid {} checksum: {}", type, text.substr(colon + 1));
}

}  // namespace

Problems check_artifact(const model::TaskArtifact& artifact) {
  Problems out;
  if (artifact.getter_source.empty()) out.add("source must be specified");
  const std::string& mode = artifact.getter_mode;
  if (!mode.empty() && mode != "any" && mode != "file" && mode != "dir") out.add("invalid artifact mode {}; must be one of: any, file, dir", quote(mode));
  if (escapes("task", artifact.relative_dest)) out.add("destination escapes allocation directory");
  if (const std::string* checksum = artifact.getter_options.get("checksum")) check_checksum(*checksum, out);
  return out;
}

Problems check_identity(const model::WorkloadIdentity& identity) {
  Problems out;
  const auto allowed = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' || c == '.' || c == '/'; };
  if (identity.name.empty() || identity.name.size() > 128 || !std::all_of(identity.name.begin(), identity.name.end(), allowed)) {
    out.add("invalid name {}. Must match regex ^[a-zA-Z0-9-_./]{{1,128}}$", quote(identity.name));
  }
  for (std::size_t i = 0; i < identity.audience.size(); i++) {
    if (identity.audience[i].empty()) out.add("an empty string is an invalid audience ({})", i + 1);
  }
  const std::string& mode = identity.change_mode;
  if (mode.empty() || mode == "noop" || mode == "restart") {
    if (!identity.change_signal.empty()) out.add("can only use change_signal={} with change_mode=\"signal\"", quote(identity.change_signal));
  } else if (mode == "signal") {
    if (identity.change_signal.empty()) out.add("change_signal must be specified when using change_mode=\"signal\"");
  } else {
    out.add("invalid change_mode: {}", mode);
  }
  if (identity.ttl.count() > 0 && identity.name == "default") out.add("ttl for default identity not yet supported");
  if (identity.ttl.count() < 0) out.add("ttl must be >= 0");
  if (!identity.filepath.empty() && !identity.file) out.add("file parameter must be true in order to specify filepath");
  return out;
}

Problems check_secret(const model::Secret& secret) {
  Problems out;
  const auto allowed = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; };
  if (secret.name.empty()) out.add("secret name cannot be empty");
  else if (!std::all_of(secret.name.begin(), secret.name.end(), allowed)) out.add("secret name must match regex ^[a-zA-Z0-9_]+$");
  if (secret.provider.empty()) out.add("secret provider cannot be empty");
  if (secret.path.empty()) out.add("secret path cannot be empty");
  const bool builtin = secret.provider == "nomad" || secret.provider == "vault";
  if (builtin && !secret.env.empty()) out.add("{} provider cannot use the env block", secret.provider);
  if (!secret.provider.empty() && !builtin && !secret.config.is_null()) out.add("custom plugin provider {} cannot use the config block", secret.provider);
  return out;
}

Problems check_vault(const model::Vault& vault) {
  Problems out;
  if (vault.change_mode == "signal") {
    if (vault.change_signal.empty()) out.add("Signal must be specified when using change mode \"signal\"");
  } else if (vault.change_mode != "noop" && vault.change_mode != "restart") {
    out.add("Unknown change mode {}", quote(vault.change_mode));
  }
  return out;
}

Problems check_volume_mount(const model::VolumeMount& mount) {
  Problems out;
  if (mount.volume.empty()) out.add("volume mount references an empty volume");
  const std::string& mode = mount.propagation_mode;
  if (!mode.empty() && mode != "private" && mode != "host-to-task" && mode != "bidirectional") out.add("volume mount has an invalid propagation mode: {}", quote(mode));
  const std::string& label = mount.se_linux_label;
  if (!label.empty() && label != "z" && label != "Z") out.add("volume mount has an invalid SELinux label: {}", quote(label));
  return out;
}

}  // namespace drover::jobspec
