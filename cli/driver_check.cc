#include "cli/driver_check.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/driver_schemas.h"
#include "cli/libexec.h"
#include "lib/lint/driver_config.h"

namespace drover::cli {

DriverCheck check_drivers(Context& context, const JobSource& source, bool connected, const std::string& plugin_dir) {
  const std::set<std::string> drivers = lint::drivers_of(*source.job);
  if (drivers.empty()) return {{}, true};
  const FoundSchemas found = connected ? cluster_schemas(context.api(), drivers) : installed_schemas(drivers, libexec_directory(), plugin_dir);
  DriverCheck out{lint::check_driver_config(*source.job, source.file->name, source.tree(), found.schemas)};
  for (lint::Finding& one : lint::report_nowhere(*source.job, source.file->name, source.tree(), found.nowhere)) out.findings.push_back(std::move(one));
  out.complete = std::all_of(drivers.begin(), drivers.end(), [&](const std::string& name) { return found.schemas.contains(name); });
  return out;
}

}  // namespace drover::cli
