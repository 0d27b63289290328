// The config blocks of a job checked against the schemas that can be had, for `job validate`, `job plan` and `job run`.
#pragma once

#include <string>

#include "cli/command.h"
#include "cli/job_source.h"
#include "lib/lint/finding.h"

namespace drover::cli {

struct DriverCheck {
  lint::Findings findings;
  bool complete = false;  // every driver of the job was checked
};

// `connected`: an agent has answered, so the cluster is asked; else the plugins of this installation and of `plugin_dir`.
[[nodiscard]] DriverCheck check_drivers(Context& context, const JobSource& source, bool connected, const std::string& plugin_dir);

}  // namespace drover::cli
