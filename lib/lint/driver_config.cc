#include "lib/lint/driver_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "lib/hcl/diagnostic.h"
#include "lib/lint/locate.h"
#include "sdk/base/text.h"
#include "sdk/plugin/check.h"

namespace drover::lint {

using model::Json;

namespace {

template <class Visit>
void each_object(const Json& holder, const char* name, Visit visit) {
  const auto found = holder.find(name);
  if (found == holder.end() || !found->is_array()) return;
  for (const Json& item : *found) {
    if (item.is_object()) visit(item);
  }
}

std::string text(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

// As far down as the file shows the path.
Spot follow(Spot spot, const std::vector<plugin::ConfigStep>& path) {
  for (const plugin::ConfigStep& step : path) {
    const Spot attribute = spot.attribute(step.name);
    spot = attribute.exact() ? attribute : spot.block(step.name, {}, step.index);
    if (!spot.exact()) break;
  }
  return spot;
}

std::string written(const std::vector<plugin::ConfigStep>& path) {
  std::string out = "config";
  for (const plugin::ConfigStep& step : path) out += "." + step.name;
  return out;
}

}  // namespace

std::set<std::string> drivers_of(const Json& job) {
  std::set<std::string> out;
  if (!job.is_object()) return out;
  each_object(job, "TaskGroups", [&](const Json& group) {
    each_object(group, "Tasks", [&](const Json& task) {
      if (std::string driver = text(task, "Driver"); !driver.empty()) out.insert(std::move(driver));
    });
  });
  return out;
}

namespace {
// Calls `visit` with every task, its name, its driver and where it stands.
template <class Visit>
void each_task(const Json& job, const hcl::NativeBody* body, Visit visit) {
  if (!job.is_object()) return;
  const Spot top = body == nullptr ? Spot() : Spot(*body).job();
  each_object(job, "TaskGroups", [&](const Json& group) {
    const Spot here = top.group(text(group, "Name"));
    each_object(group, "Tasks", [&](const Json& task) { visit(task, text(task, "Name"), text(task, "Driver"), here.task(text(task, "Name"))); });
  });
}
}  // namespace

Findings check_driver_config(const Json& job, const std::string& file, const hcl::NativeBody* body, const DriverSchemas& schemas) {
  Findings out;
  each_task(job, body, [&](const Json& task, const std::string& name, const std::string& driver, const Spot& here) {
    const auto schema = schemas.find(driver);
    if (schema == schemas.end() || !schema->second) return;
    const Spot config = here.block("config").exact() ? here.block("config") : here.attribute("config");
    const auto given = task.find("Config");
    const nlohmann::json value = given == task.end() ? nlohmann::json() : nlohmann::json::parse(given->dump(-1, ' ', false, Json::error_handler_t::replace), nullptr, false);
    const auto problems = plugin::check_config(schema->second, value);
    const auto add = [&](const std::string& summary, std::string detail, const Spot& spot) {
      Finding finding{Severity::error, driver_rule, fmt::format("task {}, driver {}: {}", quote(name), quote(driver), summary), std::move(detail)};
      finding.place = spot.range();
      finding.file = file;
      out.push_back(std::move(finding));
    };
    if (!problems) return add("the config block cannot be checked", problems.error().message(), config);
    for (const plugin::ConfigProblem& problem : *problems) add(fmt::format("{} in {}", problem.summary, written(problem.path)), problem.detail, follow(config, problem.path));
  });
  return out;
}

Findings report_nowhere(const Json& job, const std::string& file, const hcl::NativeBody* body, const std::set<std::string>& nowhere) {
  static const std::vector<std::string> known{"exec", "raw_exec", "java", "qemu", "docker", "podman"};
  Findings out;
  each_task(job, body, [&](const Json&, const std::string& name, const std::string& driver, const Spot& here) {
    if (!nowhere.contains(driver)) return;
    Finding finding{Severity::warning, driver_rule, fmt::format("task {}: no ready node has the driver {}", quote(name), quote(driver))};
    const bool common = std::find(known.begin(), known.end(), driver) != known.end();
    finding.detail = fmt::format("The task waits until one has it.{}", common ? "" : hcl::name_suggestion(driver, known));
    finding.place = here.attribute("driver").range();
    finding.file = file;
    out.push_back(std::move(finding));
  });
  return out;
}

}  // namespace drover::lint
