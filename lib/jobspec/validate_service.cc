#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <set>

#include "lib/jobspec/problems.h"

namespace drover::jobspec {

namespace {

using std::chrono::seconds;

// What stays of a name when ${...} stands for one valid word.
std::string without_variables(std::string name) {
  while (true) {
    const std::size_t open = name.find("${");
    const std::size_t close = open == std::string::npos ? open : name.find('}', open);
    if (close == std::string::npos) return name;
    name.replace(open, close + 1 - open, "ENV-VAR");
  }
}

bool valid_service_name(const std::string& name) {
  if (name.empty() || name.size() > 63 || name.front() == '-' || name.back() == '-') return false;
  return std::all_of(name.begin(), name.end(), [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '-'; });
}

Problems check_check_restart(const model::CheckRestart& restart) {
  Problems out;
  if (restart.limit < 0) out.add("limit must be greater than or equal to 0 but found {}", restart.limit);
  if (restart.grace.count() < 0) out.add("grace period must be greater than or equal to 0 but found {}", restart.grace.count());
  return out;
}

std::string check_http_path(const std::string& path) {
  if (path.empty()) return "http type must have http path";
  if (path.find(' ') != std::string::npos && path.find('%') != std::string::npos) return "http type must have valid http path";
  if (path.find("://") != std::string::npos && path.find("://") < path.find('/')) return "http type must have relative http path";
  return {};
}

std::string check_times(const model::ServiceCheck& check) {
  const std::string least = format_duration(seconds(1));
  if (check.interval.count() == 0) return fmt::format("missing required value interval. Interval cannot be less than {}", least);
  if (check.interval < seconds(1)) return fmt::format("interval ({}) cannot be lower than {}", format_duration(check.interval), least);
  if (check.timeout.count() == 0) return fmt::format("missing required value timeout. Timeout cannot be less than {}", least);
  if (check.timeout < seconds(1)) return fmt::format("timeout ({}) is lower than required minimum timeout {}", format_duration(check.timeout), least);
  return {};
}

// The first thing wrong that both providers mind; empty when nothing is.
std::string check_common(const model::ServiceCheck& check, const std::vector<std::string>& types) {
  if (std::find(types.begin(), types.end(), check.type) == types.end()) return fmt::format("invalid check type ({}), must be one of {}", quote(check.type), join(types, ", "));
  if (check.type == "http") {
    if (std::string why = check_http_path(check.path); !why.empty()) return why;
  }
  if (check.type == "script" && check.command.empty()) return "script type must have a valid script path";
  if (std::string why = check_times(check); !why.empty()) return why;
  const std::string& status = check.initial_status;
  if (!status.empty() && status != "passing" && status != "warning" && status != "critical") {
    return fmt::format("invalid initial check state ({}), must be one of \"passing\", \"warning\", \"critical\" or empty", status);
  }
  const std::string& mode = check.address_mode;
  if (mode == "auto") return fmt::format("invalid address_mode {} - auto only valid for services", quote(mode));
  if (!mode.empty() && mode != "host" && mode != "driver" && mode != "alloc" && mode != "alloc_ipv6") return fmt::format("invalid address_mode {}", quote(mode));
  const std::string& update = check.on_update;
  if (!update.empty() && update != "require_healthy" && update != "ignore_warnings" && update != "ignore") {
    return fmt::format("on_update must be \"require_healthy\", \"ignore_warnings\", or \"ignore\"; got {}", quote(update));
  }
  if (check.check_restart && check.check_restart->limit > 0) {
    if (update == "ignore") return fmt::format("on_update value {} is not compatible with check_restart", quote(update));
    if (update == "ignore_warnings" && !check.check_restart->ignore_warnings) {
      return fmt::format("on_update value {} not supported with check_restart ignore_warnings value \"{}\"", quote(update), check.check_restart->ignore_warnings);
    }
  }
  if (check.check_restart) {
    if (const Problems found = check_check_restart(*check.check_restart); !found.empty()) return found.text();
  }
  return {};
}

bool http_method(const std::string& method) {
  for (const char* known : {"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"}) {
    if (method == known) return true;
  }
  return method.empty();
}

std::string check_nomad(const model::ServiceCheck& check) {
  if (std::string why = check_common(check, {"tcp", "http"}); !why.empty()) return why;
  if (check.expose) return "expose may only be set for Consul service checks";
  if (check.on_update == "ignore_warnings") return "on_update may only be set to ignore_warnings for Consul service checks";
  if (check.check_restart && check.check_restart->ignore_warnings) return "ignore_warnings on check_restart only supported for Consul service checks";
  if (check.address_mode == "driver") return "address_mode = driver may only be set for Consul service checks";
  if (check.type == "http" && !http_method(check.method)) return fmt::format("method type {} not supported in Nomad http check", quote(check.method));
  if (check.success_before_passing != 0) return "success_before_passing may only be set for Consul service checks";
  if (check.failures_before_critical != 0) return "failures_before_critical may only be set for Consul service checks";
  if (check.failures_before_warning != 0) return "failures_before_warning may only be set for Consul service checks";
  if (!check.tls_server_name.empty()) return "tls_server_name may only be set for Consul service checks";
  return {};
}

std::string check_consul(const model::ServiceCheck& check) {
  if (std::string why = check_common(check, {"grpc", "tcp", "http", "script"}); !why.empty()) return why;
  if (check.expose && check.type != "http" && check.type != "grpc") return "expose may only be set on HTTP or gRPC checks";
  const bool counts = check.type == "http" || check.type == "tcp" || check.type == "grpc";
  const std::pair<const char*, std::int64_t> limits[] = {{"success_before_passing", check.success_before_passing},
                                                         {"failures_before_critical", check.failures_before_critical},
                                                         {"failures_before_warning", check.failures_before_warning}};
  for (const auto& [name, value] : limits) {
    if (value < 0) return fmt::format("{} must be non-negative", name);
    if (value > 0 && !counts) return fmt::format("{} not supported for check of type {}", name, quote(check.type));
  }
  if (check.notes.size() > 255) return "notes must not be longer than 255 characters";
  return {};
}

bool consul_kind(const std::string& kind) {
  for (const char* known : {"", "connect-proxy", "mesh-gateway", "terminating-gateway", "ingress-gateway", "api-gateway"}) {
    if (kind == known) return true;
  }
  return false;
}

Problems check_service(const model::Service& service) {
  Problems out;
  if (!valid_service_name(without_variables(service.name))) {
    out.add("Service name must be valid per RFC 1123 and can contain only alphanumeric characters or dashes and must be no longer than 63 characters: {}", quote(service.name));
  }
  const std::string& mode = service.address_mode;
  const bool known_mode = mode.empty() || mode == "auto" || mode == "host" || mode == "driver" || mode == "alloc" || mode == "alloc_ipv6";
  if (!service.address.empty() && !mode.empty() && mode != "auto") out.add("Service address_mode must be \"auto\" if address is set");
  else if (!known_mode) out.add("Service address_mode must be \"auto\", \"host\", or \"driver\"; not {}", quote(mode));
  const std::string& update = service.on_update;
  if (!update.empty() && update != "require_healthy" && update != "ignore_warnings" && update != "ignore") {
    out.add("Service on_update must be \"require_healthy\", \"ignore_warnings\", or \"ignore\"; not {}", quote(update));
  }
  if (service.provider == "nomad") {
    if (service.connect) out.add("Service with provider nomad cannot include Connect blocks");
    for (const model::ServiceCheck& check : service.checks) {
      if (std::string why = check_nomad(check); !why.empty()) out.add_text(std::move(why));
    }
  } else if (service.provider == "consul" || service.provider.empty()) {
    for (const model::ServiceCheck& check : service.checks) {
      if (service.port_label.empty() && check.port_label.empty() && (check.type == "http" || check.type == "tcp" || check.type == "grpc")) {
        out.add("Check {} invalid: check requires a port but neither check nor service {} have a port", check.name, quote(service.name));
      }
      if (service.connect && check.type == "tcp" && check.port_label.empty()) out.add("Check {} invalid: tcp checks are not valid for Connect enabled services", check.name);
      if (std::string why = check_consul(check); !why.empty()) out.add("Check {} invalid: {}", check.name, why);
    }
    if (!consul_kind(service.kind)) out.add("Service {} kind must be one of consul service kind or empty", service.name);
    if (service.connect) out.append(check_connect(service));
  } else {
    out.add("Service provider must be \"consul\", or \"nomad\"; not {}", quote(service.provider));
  }
  if (service.identity && service.identity->audience.empty()) out.add("Service identity must provide at least one target aud value");
  return out;
}

}  // namespace

Problems check_group_services(const model::TaskGroup& group) {
  Problems out;
  std::set<std::string> tasks;
  std::set<std::string> providers;
  std::set<std::string> names;
  for (const model::Task& task : group.tasks) tasks.insert(task.name);
  for (std::size_t i = 0; i < group.services.size(); i++) {
    const model::Service& service = group.services[i];
    providers.insert(service.provider);
    if (const Problems found = check_service(service); !found.empty()) out.add("Service[{}] {} validation failed: {}", i, service.name, found.text());
    if (service.address_mode == "driver") out.add("service {} cannot use address_mode=\"driver\", only services defined in a \"task\" block can use this mode", quote(service.name));
    for (const model::ServiceCheck& check : service.checks) {
      if (!check.task_name.empty() && !tasks.contains(check.task_name)) out.add("Check {} invalid: refers to non-existent task {}", check.name, check.task_name);
      if (check.address_mode == "driver") {
        out.add("Check {} invalid: cannot use address_mode=\"driver\", only checks defined in a \"task\" service block can use this mode", quote(check.name));
      }
    }
    if (!names.insert(service.name + "\0" + service.port_label).second) out.add("Services are not unique: [group->{}]", service.name);
  }
  for (const model::Task& task : group.tasks) {
    for (const model::Service& service : task.services) {
      providers.insert(service.provider);
      if (!service.task_name.empty() && service.task_name != task.name) {
        out.add("Service {} is invalid: may only specify task the service belongs to, got {}", service.name, quote(service.task_name));
      }
      for (const model::ServiceCheck& check : service.checks) {
        if (!check.task_name.empty() && check.task_name != task.name) out.add("Check {} is invalid: may only specify task the check belongs to, got {}", check.name, quote(check.task_name));
      }
    }
  }
  if (providers.size() > 1) out.add("Multiple service providers used: task group services must use the same provider");
  return out;
}

Problems check_group_script_checks(const model::TaskGroup& group) {
  Problems out;
  for (const model::Service& service : group.services) {
    for (const model::ServiceCheck& check : service.checks) {
      if (check.type == "script" && check.task_name.empty() && service.task_name.empty()) {
        out.add("Service [{}]->{} or Check {} must specify task parameter", group.name, service.name, check.name);
      }
    }
  }
  return out;
}

namespace {

bool needs_port(const model::ServiceCheck& check) { return check.type == "http" || check.type == "tcp" || check.type == "grpc"; }

std::optional<std::int64_t> number_of(const std::string& text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(number) : std::nullopt;
}

void add_ports(const model::List<model::NetworkResource>& networks, std::set<std::string>& labels) {
  if (networks.empty()) return;
  for (const auto* ports : {&networks[0].reserved_ports, &networks[0].dynamic_ports}) {
    for (const model::Port& port : *ports) labels.insert(port.label);
  }
}

// The labels that a task's services and checks name, each with the services that do; what is wrong with numbers there.
class PortReferences {
 public:
  void add(const model::Service& service, Problems& out) {
    if (!service.port_label.empty() && !(service.address_mode == "driver" && number_of(service.port_label))) users_[service.port_label].insert(service.name);
    for (const model::ServiceCheck& check : service.checks) {
      if (!needs_port(check)) continue;
      const std::string& label = check.port_label.empty() ? service.port_label : check.port_label;
      const auto number = number_of(label);
      if (label.empty()) out.add("check {} is missing a port", quote(check.name));
      else if (!number) users_[label].insert(service.name);
      else if (check.address_mode != "driver") out.add("check {} cannot use a numeric port {} without setting address_mode=\"driver\"", quote(check.name), *number);
      else if (*number <= 0) out.add("check {} has invalid numeric port {}", quote(check.name), *number);
    }
  }
  void report_missing(const std::set<std::string>& known, Problems& out) const {
    for (const auto& [label, users] : users_) {
      if (!known.contains(label)) out.add("port label {} referenced by services {} does not exist", quote(label), join(std::vector<std::string>(users.begin(), users.end()), ", "));
    }
  }

 private:
  std::map<std::string, std::set<std::string>> users_;
};

}  // namespace

Problems check_task_services(const model::Task& task, const model::TaskGroup& group) {
  Problems out;
  std::set<std::string> names;
  PortReferences ports;
  for (std::size_t i = 0; i < task.services.size(); i++) {
    const model::Service& service = task.services[i];
    if (const Problems found = check_service(service); !found.empty()) out.add("service[{}] {} validation failed: {}", i, quote(service.name), found.text());
    for (const char* mode : {"alloc", "alloc_ipv6"}) {
      if (service.address_mode == mode) out.add("service {} cannot use address_mode=\"{}\", only services defined in a \"group\" block can use this mode", quote(service.name), mode);
    }
    if (!names.insert(service.name + service.port_label).second) out.add("service {} is duplicate", quote(service.name));
    if (service.connect) out.add("service {} cannot have \"connect\" block, only services defined in a \"group\" block can", quote(service.name));
    std::set<std::string> checks;
    for (const model::ServiceCheck& check : service.checks) {
      if (!checks.insert(check.name).second) out.add("check {} is duplicate", quote(check.name));
      for (const char* mode : {"alloc", "alloc_ipv6"}) {
        if (check.address_mode == mode) out.add("check {} cannot use address_mode=\"{}\", only checks defined in a \"group\" service block can use this mode", quote(check.name), mode);
      }
    }
    ports.add(service, out);
  }
  std::set<std::string> known;
  add_ports(group.networks, known);
  if (task.resources) add_ports(task.resources->networks, known);
  ports.report_missing(known, out);
  return out;
}

}  // namespace drover::jobspec
