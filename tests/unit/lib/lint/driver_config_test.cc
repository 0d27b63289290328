#include "lib/lint/driver_config.h"

#include "tests/unit/lib/lint/parsed.h"

using namespace drover;
using namespace drover::lint;

namespace {
const DriverSchemas schemas{{"exec", plugin::object({{"command", plugin::attr("command", "string", true)},
                                                     {"args", plugin::attr("args", "list(string)")},
                                                     {"mount", plugin::block_list("mount", plugin::object({{"type", plugin::attr("type", "string")}}))}})}};
std::string job(const std::string& config) { return "job \"j\" {\n  group \"g\" {\n    task \"t\" {\n      driver = \"exec\"\n" + config + "\n    }\n  }\n}\n"; }
Findings check(const std::string& text) {
  const Parsed parsed(text);
  return check_driver_config(parsed.job, "job.hcl", parsed.tree(), schemas);
}
}  // namespace

TEST_CASE("driver config: problems stand at their lines, in blocks and in objects") {
  auto found = check(job("config {\n  comand = \"x\"\n  args = [1, \"${env.X}\"]\n  mount {}\n  mount {\n    typ = 1\n  }\n}"));
  CHECK(brief(found) == "driver-config@6 driver-config@5 driver-config@10");
  CHECK(found[0].summary == "task \"t\", driver \"exec\": unknown argument in config.comand");
  CHECK(found[0].detail.ends_with("Did you mean \"command\"?"));
  CHECK(found[1].summary.ends_with("missing argument in config"));
  found = check(job("config {\n  command = \"x\"\n  args = \"y\"\n}"));
  CHECK(brief(found) == "driver-config@7");
  CHECK(brief(check(job(""))) == "driver-config@3");
  CHECK(check(job("config {\n  command = \"${meta.command}\"\n}")).empty());
}

TEST_CASE("driver config: drivers without a schema are left alone") {
  CHECK(check("job \"j\" {\n  group \"g\" {\n    task \"t\" {\n      driver = \"other\"\n    }\n  }\n}\n").empty());
  CHECK(drivers_of(Parsed(job("")).job) == std::set<std::string>{"exec"});
  CHECK(drivers_of(model::Json(1)).empty());
}

TEST_CASE("driver config: a driver that no node has is a warning with the likely name") {
  const Parsed parsed("job \"j\" {\n  group \"g\" {\n    task \"t\" {\n      driver = \"dcker\"\n    }\n  }\n}\n");
  const auto found = report_nowhere(parsed.job, "job.hcl", parsed.tree(), {"dcker"});
  REQUIRE(found.size() == 1);
  CHECK(found[0].severity == Severity::warning);
  CHECK(found[0].place->start.line == 4);
  CHECK(found[0].detail.ends_with("Did you mean \"docker\"?"));
  CHECK(report_nowhere(parsed.job, "job.hcl", nullptr, {"exec"}).empty());
}
