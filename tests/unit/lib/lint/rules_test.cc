#include "lib/lint/rules.h"

#include "lib/lint/secrets.h"
#include "sdk/base/file.h"
#include "tests/unit/lib/lint/parsed.h"
#include "tests/unit/source_dir.h"

using namespace drover;
using namespace drover::lint;

namespace {
// A job in which nothing is to be said, with room for what a case adds: `job` into the job, `group`, `task` likewise.
std::string job(const std::string& type, const std::string& in_job, const std::string& in_group, const std::string& in_task, bool resources = true) {
  return "job \"j\" {\ntype = \"" + type + "\"\n" + in_job + "\ngroup \"g\" {\n" + in_group + "\ntask \"t\" {\ndriver = \"exec\"\n" +
         (resources ? "resources {\ncpu = 1\nmemory = 2\n}\n" : "") + in_task + "\n}\n}\n}\n";
}
std::string ids(const std::string& text, RuleOptions options = {}) {
  std::string out;
  for (const Finding& one : Parsed(text).check(std::move(options))) out += (out.empty() ? "" : " ") + one.id;
  return out;
}
}  // namespace

TEST_CASE("lint: a careful job has no warnings") { CHECK(ids(job("service", "", "", "")) == ""); }

TEST_CASE("lint: DL001 says which limit is missing, at the resources block or at the task") {
  CHECK(brief(Parsed(job("service", "", "", "", false)).check()) == "DL001@6");
  const auto half = Parsed(job("service", "", "", "resources {\ncpu = 1\n}", false)).check();
  CHECK(brief(half) == "DL001@8");
  CHECK(half[0].summary == "task \"t\" does not say how much memory it needs");
  CHECK(ids(job("service", "", "", "resources {\ncores = 1\nmemory = 2\n}", false)) == "");
}

TEST_CASE("lint: DL002 raw_exec, at the driver's line") {
  const auto found = Parsed("job \"j\" {\n  group \"g\" {\n    task \"t\" {\n      driver = \"raw_exec\"\n      resources {\n        cpu = 1\n        memory = 1\n      }\n    }\n  }\n}\n").check();
  REQUIRE(found.size() == 1);
  CHECK(brief(found) == "DL002@4");
  CHECK(found[0].severity == Severity::warning);
  CHECK(found[0].place->start.column == 7);
}

TEST_CASE("lint: DL003 secrets in env, block or map") {
  CHECK(brief(Parsed(job("service", "", "", "env {\nA = \"b\"\nDB_PASSWORD = \"hunter2\"\n}")).check()) == "DL003@14");
  CHECK(brief(Parsed(job("service", "", "", "env = {\n\"API_TOKEN\" = \"abc123def\"\n}")).check()) == "DL003@13");
  CHECK(ids(job("service", "", "", "env {\nDB_PASSWORD = \"${NOMAD_META_x}\"\nTOKEN_FILE = \"/secrets/t\"\n}")) == "");
}

TEST_CASE("lint: what looks like a secret and what does not") {
  for (const auto& [name, value] : {std::pair{"PASSWORD", "hunter2"}, {"app_secret", "x7x7x7x7"}, {"GITHUB", "ghp_0123456789abcdef"}, {"AWS_SECRET_ACCESS_KEY", "wJalr"},
                                    {"URL", "postgres://user:pw@db/x"}, {"DB_PWD", "a1"}, {"KEY", "-----BEGIN PRIVATE KEY-----"}}) {
    CAPTURE(name);
    CHECK(looks_secret(name, value));
  }
  for (const auto& [name, value] : {std::pair{"PASSWORD", ""}, {"PASSWORD", "${SECRET}"}, {"PASSWORD", "{{ with secret }}"}, {"PASSWORD_FILE", "/run/p"}, {"TOKEN_TTL", "1h"},
                                    {"USE_TOKEN", "true"}, {"MAX_TOKEN", "4096"}, {"URL", "https://host/path@x"}, {"URL", "postgres://user@db"}, {"HOME", "/root"},
                                    {"PASSWORD", "/run/secrets/p"}}) {
    CAPTURE(name);
    CAPTURE(value);
    CHECK_FALSE(looks_secret(name, value));
  }
}

TEST_CASE("lint: DL004 services without a check, of service jobs and without a mesh proxy") {
  CHECK(brief(Parsed(job("service", "", "service {\nname = \"web\"\nport = \"http\"\n}", "")).check()) == "DL004@5");
  CHECK(ids(job("service", "", "service {\nname = \"web\"\ncheck {\ntype = \"tcp\"\ninterval = \"1s\"\ntimeout = \"1s\"\n}\n}", "")) == "");
  CHECK(ids(job("service", "", "service {\nname = \"web\"\nconnect {\nsidecar_service {}\n}\n}", "")) == "");
  CHECK(ids(job("batch", "", "restart {\nattempts = 1\n}\nservice {\nname = \"web\"\n}", "")) == "");
  const auto second = Parsed(job("service", "", "", "service {\nname = \"a\"\ncheck {\ntype = \"tcp\"\ninterval = \"1s\"\ntimeout = \"1s\"\n}\n}\nservice {\nname = \"b\"\n}")).check();
  REQUIRE(second.size() == 1);
  CHECK(second[0].summary == "service \"b\" has no health check");
  CHECK(second[0].place->start.line == 20);
}

TEST_CASE("lint: DL005 a static port and a count, unless hosts are distinct") {
  const std::string network = "network {\nport \"http\" {\nstatic = 80\n}\nport \"x\" {}\n}";
  CHECK(brief(Parsed(job("service", "", "count = 2\n" + network, "")).check()) == "DL005@7");
  CHECK(ids(job("service", "", "count = 1\n" + network, "")) == "");
  CHECK(ids(job("system", "", network, "")) == "");
  CHECK(ids(job("service", "constraint {\ndistinct_hosts = true\n}", "count = 2\n" + network, "")) == "");
  CHECK(ids(job("service", "", "count = 2\nconstraint {\noperator = \"distinct_hosts\"\nvalue = \"true\"\n}\n" + network, "")) == "");
}

TEST_CASE("lint: DL006 images that move") {
  const auto image = [](const std::string& text) { return ids(job("service", "", "", "config {\nimage = \"" + text + "\"\n}")); };
  for (const char* moves : {"redis", "redis:latest", "registry:5000/team/app", "ghcr.io/a/b:latest"}) CHECK(image(moves) == "DL006");
  for (const char* stays : {"redis:7", "registry:5000/team/app:1.2", "redis@sha256:abcd", "redis:latest@sha256:abcd", "${meta.image}", "/images/x.tar"}) CHECK(image(stays) == "");
  CHECK(brief(Parsed(job("service", "", "", "config {\nimage = \"redis\"\n}")).check()) == "DL006@13");
}

TEST_CASE("lint: DL007 batch groups without a restart policy, unless every task has its own") {
  CHECK(brief(Parsed(job("batch", "", "", "")).check()) == "DL007@4");
  CHECK(ids(job("sysbatch", "", "", "")) == "DL007");
  CHECK(ids(job("batch", "", "restart {\nattempts = 1\n}", "")) == "");
  CHECK(ids(job("batch", "", "", "restart {\nattempts = 1\n}")) == "");
}

TEST_CASE("lint: rules are switched off by id") { CHECK(ids(job("batch", "", "", "", false), {.off = {"DL007"}}) == "DL001"); }

TEST_CASE("lint: a comment silences its line, the next line, a block, the file") {
  CHECK(ids(job("service", "", "", "env {\nTOKEN = \"abcdefgh\" # drover:lint-ignore DL003 a test's\n}")) == "");
  CHECK(ids(job("service", "", "", "env {\n// drover:lint-ignore DL003\n# and why\nTOKEN = \"abcdefgh\"\nPASSWORD = \"x\"\n}")) == "DL003");
  CHECK(ids(job("batch", "# drover:lint-ignore DL001, DL007", "", "", false)) == "");
  CHECK(ids("# drover:lint-ignore DL007\n\n" + job("batch", "", "", "")) == "");
  CHECK(ids("# drover:lint-ignore DL007\n" + job("batch", "", "", "", false)) == "DL001");
}

TEST_CASE("lint: DL000 a comment that names no rule says so") {
  CHECK(brief(Parsed("# drover:lint-ignore DL999\n" + job("service", "", "", "")).check()) == "DL000@1");
  CHECK(brief(Parsed("# drover:lint-ignore everything\n" + job("service", "", "", "")).check()) == "DL000@1");
}

TEST_CASE("lint: a dynamic block is shown at the nearest place known") {
  const std::string dynamic = "job \"j\" {\n  group \"g\" {\n    dynamic \"task\" {\n      for_each = [\"a\"]\n      labels = [task.value]\n      content {\n        driver = \"raw_exec\"\n        resources {\n          cpu = 1\n          memory = 1\n        }\n      }\n    }\n  }\n}\n";
  CHECK(brief(Parsed(dynamic).check()) == "DL002@7");
}

TEST_CASE("lint: every rule has an id of its own, advice, and a line in docs/lint.md") {
  const auto page = read_file(source_dir() + "/docs/lint.md");
  REQUIRE(page);
  for (const char* id : {parse_rule, read_rule, validate_rule, driver_rule, server_rule, format_rule}) CHECK(page->find("| `" + std::string(id) + "` |") != std::string::npos);
  std::set<std::string> ids;
  for (const Rule& rule : all_rules()) {
    CAPTURE(rule.id);
    CHECK(ids.insert(rule.id).second);
    CHECK(!rule.advice.empty());
    CHECK(page->find("| `" + rule.id + "` |") != std::string::npos);
  }
}
