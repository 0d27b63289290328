#include "lib/lint/rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <tuple>

#include "lib/lint/ignore.h"
#include "lib/lint/locate.h"
#include "lib/lint/secrets.h"
#include "sdk/base/text.h"

namespace drover::lint {

using model::Json;

const std::vector<Rule>& all_rules() {
  static const std::vector<Rule> rules{
      {"DL000", "a comment drover:lint-ignore names no rule", "name a rule of docs/lint.md, as in \"# drover:lint-ignore DL003\""},
      {"DL001", "a task says nothing of the cpu or memory it needs", "set cpu and memory in a resources block; a task without them gets 100 MHz and 300 MB"},
      {"DL002", "a task runs without isolation", "use the exec driver unless the task must reach the host"},
      {"DL003", "a secret stands in the job in plain text", "read it in a template block with env = true, from a variable or a secret store; whoever may read the job reads its env"},
      {"DL004", "a service has no health check", "add a check block; without one a deployment counts the service as healthy as soon as its task runs"},
      {"DL005", "several allocations want the same static port", "let the port be dynamic, or say with constraint { distinct_hosts = true } that one per node is meant"},
      {"DL006", "an image has no fixed version", "name a version or a digest; what \"latest\" is changes between two placements"},
      {"DL007", "a batch group has no restart policy", "say in a restart block how often a failed task is tried again; the default is 3 times in 24 hours"},
  };
  return rules;
}

const Rule* find_rule(std::string_view id) {
  const auto found = std::ranges::find_if(all_rules(), [&](const Rule& rule) { return rule.id == id; });
  return found == all_rules().end() ? nullptr : &*found;
}

namespace {

// A member, null when it is absent or the whole is no object.
const Json& get(const Json& object, const char* name) {
  static const Json null;
  if (!object.is_object()) return null;
  const auto found = object.find(name);
  return found == object.end() ? null : *found;
}
std::string text(const Json& object, const char* name, const char* otherwise = "") {
  const Json& value = get(object, name);
  return value.is_string() ? value.get<std::string>() : otherwise;
}
bool is_set(const Json& object, const char* name) {
  const Json& value = get(object, name);
  return value.is_number() && value != 0;
}
// The elements of a list that are objects.
std::vector<const Json*> list(const Json& object, const char* name) {
  std::vector<const Json*> out;
  const Json& value = get(object, name);
  if (!value.is_array()) return out;
  for (const Json& item : value) {
    if (item.is_object()) out.push_back(&item);
  }
  return out;
}

bool wants_distinct_hosts(const Json& holder) {
  const auto constraints = list(holder, "Constraints");
  return std::ranges::any_of(constraints, [](const Json* one) { return text(*one, "Operand") == "distinct_hosts" && text(*one, "RTarget", "true") != "false"; });
}

// The tag of a reference such as registry:5000/name:tag@digest; "latest" when there is none, empty when it does not matter.
std::string loose_tag(std::string image) {
  if (image.empty() || image.find("${") != std::string::npos || image.find("@sha256:") != std::string::npos) return "";
  if (image.ends_with(".tar") || image.starts_with('/') || image.starts_with("oci-archive:") || image.starts_with("docker-archive:")) return "";
  const std::size_t colon = image.rfind(':');
  const bool tagged = colon != std::string::npos && image.find('/', colon) == std::string::npos;
  const std::string tag = tagged ? image.substr(colon + 1) : "latest";
  return tag == "latest" ? (tagged ? tag : "none") : "";
}

class Walk {
 public:
  Walk(const Json& job, const hcl::NativeBody* body) : job_(job) {
    if (body != nullptr) file_ = Spot(*body);
  }

  Findings run() {
    type_ = text(job_, "Type", "service");
    const Spot spot = file_.job();
    for (const Json* group : list(job_, "TaskGroups")) check_group(*group, spot.group(text(*group, "Name")));
    return std::move(out_);
  }

 private:
  void add(const char* id, std::string summary, const Spot& spot) {
    Finding finding{Severity::warning, id, std::move(summary), find_rule(id)->advice};
    finding.place = spot.range();
    out_.push_back(std::move(finding));
  }

  void check_group(const Json& group, const Spot& spot) {
    const std::string name = text(group, "Name");
    for (const Json* task : list(group, "Tasks")) check_task(*task, spot.task(text(*task, "Name")));
    check_services(group, spot);
    check_ports(group, spot, name);
    const bool batch = type_ == "batch" || type_ == "sysbatch";
    const auto tasks = list(group, "Tasks");
    const bool tasks_say = !tasks.empty() && std::ranges::all_of(tasks, [](const Json* task) { return get(*task, "RestartPolicy").is_object(); });
    if (batch && !get(group, "RestartPolicy").is_object() && !tasks_say) {
      add("DL007", fmt::format("group {} of a {} job has no restart policy", quote(name), type_), spot);
    }
  }

  void check_services(const Json& holder, const Spot& spot) {
    std::size_t index = 0;
    for (const Json* service : list(holder, "Services")) {
      const Spot there = spot.block("service", {}, index++);
      const bool connect = get(*service, "Connect").is_object();  // the proxy has a check of its own
      if (type_ != "service" || connect || !list(*service, "Checks").empty()) continue;
      const std::string name = text(*service, "Name");
      add("DL004", name.empty() ? "a service has no health check" : fmt::format("service {} has no health check", quote(name)), there);
    }
  }

  void check_ports(const Json& group, const Spot& spot, const std::string& name) {
    const Json& count = get(group, "Count");
    if (type_ != "service" && type_ != "batch") return;
    if (!count.is_number_integer() || count.get<std::int64_t>() < 2 || wants_distinct_hosts(job_) || wants_distinct_hosts(group)) return;
    std::size_t index = 0;
    for (const Json* network : list(group, "Networks")) {
      const Spot there = spot.block("network", {}, index++);
      for (const Json* port : list(*network, "ReservedPorts")) {
        if (!is_set(*port, "Value")) continue;
        const std::string label = text(*port, "Label");
        add("DL005", fmt::format("group {} has count = {} and port {} is always {}: a node can hold one of them", quote(name), count.get<std::int64_t>(), quote(label),
                                 get(*port, "Value").dump()), there.block("port", label));
      }
    }
  }

  void check_task(const Json& task, const Spot& spot) {
    const std::string name = text(task, "Name");
    const Json& resources = get(task, "Resources");
    const bool cpu = is_set(resources, "CPU") || is_set(resources, "Cores");
    const bool memory = is_set(resources, "MemoryMB");
    if (!cpu || !memory) {
      const char* missing = cpu ? "memory" : memory ? "cpu" : "cpu and memory";
      const Spot block = resources.is_object() && spot.block("resources").exact() ? spot.block("resources") : spot;
      add("DL001", fmt::format("task {} does not say how much {} it needs", quote(name), missing), block);
    }
    const std::string driver = text(task, "Driver");
    if (driver == "raw_exec") add("DL002", fmt::format("task {} runs as a plain process of its host, without isolation", quote(name)), spot.attribute("driver"));
    if (const Json& env = get(task, "Env"); env.is_object()) {
      for (const auto& [key, value] : env.items()) {
        if (value.is_string() && looks_secret(key, value.get_ref<const std::string&>())) {
          add("DL003", fmt::format("task {}: env {} looks like a secret in plain text", quote(name), quote(key)), spot.member("env", key));
        }
      }
    }
    if (const std::string image = text(get(task, "Config"), "image"); !image.empty()) {
      const std::string tag = loose_tag(image);
      if (!tag.empty()) {
        add("DL006", tag == "none" ? fmt::format("task {}: image {} has no tag, which means \"latest\"", quote(name), quote(image))
                                   : fmt::format("task {}: image {} is whatever \"latest\" is when it is pulled", quote(name), quote(image)),
            spot.block("config").attribute("image"));
      }
    }
    check_services(task, spot);
  }

  const Json& job_;
  Spot file_;
  std::string type_;
  Findings out_;
};

}  // namespace

Findings check_rules(const Json& job, const hcl::SourcePtr& file, const hcl::NativeBody* body, const RuleOptions& options) {
  Findings found = Walk(job, body).run();
  if (file) {
    const Ignored ignored(file, body);
    for (const Ignored::Named& named : ignored.named()) {
      if (find_rule(named.id) != nullptr) continue;
      Finding stray{Severity::warning, "DL000", named.id.empty() ? "the comment names no rule" : fmt::format("there is no rule {}", named.id), find_rule("DL000")->advice};
      stray.place = named.place;
      found.push_back(std::move(stray));
    }
    std::erase_if(found, [&](const Finding& one) { return one.place && ignored.covers(one.id, *one.place); });
    for (Finding& one : found) one.file = file->name;
  }
  std::erase_if(found, [&](const Finding& one) { return options.off.contains(one.id); });
  std::sort(found.begin(), found.end(), [](const Finding& a, const Finding& b) {
    const auto key = [](const Finding& one) { return std::tuple(one.place ? std::size_t{one.place->start.byte} : 0, one.id, one.summary); };
    return key(a) < key(b);
  });
  return found;
}

}  // namespace drover::lint
