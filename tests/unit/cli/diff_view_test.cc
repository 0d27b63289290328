#include "cli/diff_view.h"

#include <doctest/doctest.h>

using namespace drover;
using namespace drover::model;

namespace {

FieldDiff field(std::string type, std::string name, std::string before, std::string after) {
  return {.type = std::move(type), .name = std::move(name), .old = std::move(before), .new_ = std::move(after), .annotations = {}};
}

JobDiff edited() {
  JobDiff job;
  job.type = "Edited";
  job.id = "web";
  job.fields.push_back(field("Deleted", "Meta[team]", "a", ""));
  TaskGroupDiff group;
  group.type = "Edited";
  group.name = "g";
  group.updates["in-place update"] = 1;
  group.updates["create"] = 1;
  group.fields.push_back(field("Edited", "Count", "1", "2"));
  group.fields[0].annotations.push_back("forces create");
  ObjectDiff scaling;
  scaling.type = "Edited";
  scaling.name = "Scaling";
  group.objects.push_back(scaling);
  TaskDiff same;
  same.type = "None";
  same.name = "t";
  group.tasks.push_back(same);
  TaskDiff changed;
  changed.type = "Edited";
  changed.name = "u";
  changed.annotations.push_back("forces create/destroy update");
  ObjectDiff config;
  config.type = "Edited";
  config.name = "Config";
  config.fields.push_back(field("Edited", "image", "redis:3.2", "redis:7"));
  config.fields.push_back(field("None", "ports", "db", "db"));
  changed.objects.push_back(config);
  group.tasks.push_back(changed);
  job.task_groups.push_back(group);
  return job;
}

}  // namespace

TEST_CASE("diff view: markers, names and values line up") {
  CHECK(cli::format_job_diff(edited(), {}) == R"(+/- Job: "web"
-   Meta[team]: "a"
+/- Task Group: "g" (1 create, 1 in-place update)
  +/- Count: "1" => "2" (forces create)
  +/- Scaling {

      }
      Task: "t"
  +/- Task: "u" (forces create/destroy update)
    +/- Config {
      +/- image: "redis:3.2" => "redis:7"
          ports: "db"
        })");
}

TEST_CASE("diff view: an added job is one line a task unless verbose") {
  JobDiff job = edited();
  job.type = job.task_groups[0].type = "Added";
  for (auto& task : job.task_groups[0].tasks) task.type = "Added";
  const std::string brief = cli::format_job_diff(job, {});
  CHECK(brief.find("Config") == std::string::npos);
  CHECK(brief.find("Meta") == std::string::npos);
  CHECK(cli::format_job_diff(job, {.verbose = true}).find("Config {") != std::string::npos);
}

TEST_CASE("diff view: colours only where asked for") {
  CHECK(cli::format_job_diff(edited(), {}).find('\x1b') == std::string::npos);
  CHECK(cli::format_job_diff(edited(), {.color = true}).find("\x1b[93m+/- \x1b[0m") != std::string::npos);
}
