#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>

#include "agent/config/addresses.h"
#include "agent/config/load.h"
#include "sdk/base/file.h"
#include "sdk/base/text.h"
#include "tests/unit/source_dir.h"

using namespace drover;
using namespace drover::agent;
using namespace std::chrono_literals;

namespace {

Surroundings around() {
  Surroundings out;
  out.host_name = "host-1";
  out.private_ip = "10.0.0.7";
  out.temporary_dir = "/tmp";
  out.interface_addresses = {{"lo", "127.0.0.1"}, {"eth0", "10.0.0.7"}, {"eth1", "203.0.113.9"}};
  return out;
}
std::string refusal(std::string_view text, const std::string& name = "a.hcl") {
  auto config = parse_config(text, name);
  return config ? std::string("accepted") : config.error().message();
}
Result<Config> complete(std::string_view text) {
  auto parsed = parse_config(text, "a.hcl");
  if (!parsed) return parsed;
  return complete_config(merge_config(default_config(), *parsed), around());
}

}  // namespace

TEST_CASE("config: every configuration of the collection loads or is refused for the reason written beside it") {
  const std::string dir = source_dir() + "/tests/golden/agent-config/";
  const auto table = read_file(dir + "expected.txt");
  REQUIRE(table);
  std::size_t rows = 0;
  for (const auto& row : split(*table, '\n')) {
    if (row.empty()) continue;
    const auto [file, expected] = split_once(row, '\t');
    const auto text = read_file(dir + std::string(file));
    REQUIRE_MESSAGE(text, file);
    CHECK_MESSAGE(refusal(*text, std::string(file)) == expected, file);
    ++rows;
  }
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(dir)) files += entry.path().extension() == ".hcl" ? 1 : 0;
  CHECK(rows == files);
}

TEST_CASE("config: an unknown key is an error with file, line and a suggestion") {
  CHECK(refusal("region = \"r\"\nclient {\n  servrs = [\"a\"]\n}\n") == "a.hcl:3: unknown key \"servrs\" in \"client\"; did you mean \"servers\"?");
  CHECK(refusal("tls { htp = true }").starts_with("a.hcl:1: unknown key \"htp\" in \"tls\"; did you mean \"http\"?"));
  CHECK(refusal("ui { consul { uri = 1 } }").starts_with("a.hcl:1: unknown key \"uri\" in \"ui.consul\""));
  CHECK(refusal("client { stats { x = 1 } }") == "accepted");
}

TEST_CASE("config: wrong types and bad durations name the dotted path") {
  CHECK(refusal("server { num_schedulers = \"x\" }") == "a.hcl:1: \"server.num_schedulers\" must be a number, not \"x\"");
  CHECK(refusal("client {\n gc_interval = \"soon\"\n}") == "a.hcl:2: \"client.gc_interval\" must be a duration such as \"30s\" or \"1h30m\", not \"soon\"");
  CHECK(refusal("client = 3") == "a.hcl:1: \"client\" must be a block, not a number");
  CHECK(refusal("region = foo") == "a.hcl:1: \"foo\" is not a value; a text needs quotes: \"foo\"");
  CHECK(refusal("server {\n enabled = true\n") == "a.hcl:3: the block opened in line 1 is not closed; end it with a }");
}

TEST_CASE("P_12 config: TLS to a plugin is switched in its block") {
  const auto config = parse_config(R"(plugin "a" {} plugin "b" { mutual_tls = false } plugin "c" { mutual_tls = true })", "a.hcl");
  REQUIRE(config);
  CHECK(!config->plugins.at("a").mutual_tls);
  CHECK(config->plugins.at("b").mutual_tls == false);
  CHECK(config->plugins.at("c").mutual_tls == true);
  CHECK(refusal("plugin \"a\" { mutual_tsl = false }") == "a.hcl:1: unknown key \"mutual_tsl\" in \"plugin.a\"; did you mean \"mutual_tls\"?");
}

TEST_CASE("config: HCL and JSON say the same") {
  const auto hcl = parse_config(R"(
    client { enabled = true  meta { rack = "r1" }  host_volume "v" { path = "/x" read_only = true } options = { "a.b" = 1 } }
    plugin "docker" { config { volumes { enabled = true } allow_caps = ["chown"] } }
    /* c */ # c
    server_name_is_not = 1)", "a.hcl");
  CHECK(!hcl);
  const auto one = parse_config(R"(client { enabled = true  meta { rack = "r1" }  host_volume "v" { path = "/x" read_only = true } }
    plugin "docker" { config { volumes { enabled = true } } })", "a.hcl");
  const auto two = parse_config(R"({"client": {"enabled": true, "meta": {"rack": "r1"}, "host_volume": [{"v": {"path": "/x", "read_only": true}}]},
    "plugin": {"docker": {"config": {"volumes": {"enabled": true}}}}})", "a.json");
  REQUIRE(one);
  REQUIRE(two);
  for (const auto* config : {&*one, &*two}) {
    CHECK(config->client.enabled);
    CHECK(config->client.meta.at("rack") == "r1");
    CHECK(config->client.host_volumes.at("v").path == "/x");
    CHECK(config->client.host_volumes.at("v").read_only);
    CHECK(config->plugins.at("docker").config.json == R"({"volumes":{"enabled":true}})");
  }
}

TEST_CASE("config: merging follows the rule of each field") {
  auto base = parse_config(R"(region = "a" enable_debug = true client { servers = ["x"] meta { a = "1" b = "1" } no_host_uuid = true }
    ports { http = 1 } telemetry { prefix_filter = ["+a"] } server { search { limit_query = 3 } })", "1.hcl");
  auto later = parse_config(R"(enable_debug = false client { servers = ["y"] meta { b = "2" } no_host_uuid = false }
    ports { http = 0 rpc = 2 } telemetry { prefix_filter = ["-b"] } server { search { fuzzy_enabled = false } })", "2.hcl");
  REQUIRE(base);
  REQUIRE(later);
  const Config merged = merge_config(*base, *later);
  CHECK(merged.region == "a");
  CHECK(merged.enable_debug);
  CHECK(merged.client.servers == std::vector<std::string>{"x", "y"});
  CHECK(merged.client.meta == std::map<std::string, std::string>{{"a", "1"}, {"b", "2"}});
  CHECK(merged.client.no_host_uuid == false);
  CHECK(merged.ports.http == 1);
  CHECK(merged.ports.rpc == 2);
  CHECK(merged.telemetry.prefix_filter == std::vector<std::string>{"-b"});
  CHECK(merged.server.search.json == R"({"fuzzy_enabled":false})");
  CHECK(merged.files == std::vector<std::string>{"1.hcl", "2.hcl"});
}

TEST_CASE("config: a directory is read in byte order, without backups") {
  auto dir = TempDir::make();
  REQUIRE(dir);
  REQUIRE(write_file(dir->path() + "/b.hcl", "region = \"b\""));
  REQUIRE(write_file(dir->path() + "/a.json", "{\"region\": \"a\", \"name\": \"n\"}"));
  REQUIRE(write_file(dir->path() + "/z.hcl~", "nonsense"));
  REQUIRE(write_file(dir->path() + "/.#z.hcl", "nonsense"));
  REQUIRE(write_file(dir->path() + "/notes.txt", "nonsense"));
  const auto config = read_config(dir->path());
  REQUIRE(config);
  CHECK(config->region == "b");
  CHECK(config->name == "n");
  auto empty = TempDir::make();
  const auto nothing = read_config(empty->path());
  REQUIRE(nothing);
  CHECK(nothing->warnings.front() == "No configuration loaded from " + empty->path());
}

TEST_CASE("config: roles, directories and addresses are checked and derived") {
  CHECK(complete("").error().message() == "Must specify either server, client or dev mode for the agent.");
  CHECK(complete("server { enabled = true }").error().message() == "Must specify \"data_dir\" config option or \"data-dir\" CLI flag");
  CHECK(complete("data_dir = \"x\" client { enabled = true }").error().message() == "data_dir must be given as an absolute path: got x");
  CHECK(complete("data_dir = \"/d/n\" bind_addr = \"127.0.0.1\" client { enabled = true }").error().message() ==
        "advertise.http: Defaulting advertise to localhost is unsafe, please set advertise manually");
  CHECK(complete("data_dir = \"/d/n\" server {\n enabled = true\n job_gc_interval = \"-5s\"\n}").error().message() ==
        "server.job_gc_interval should be greater than 0s");
  CHECK(complete("data_dir = \"/d/n\" server {\n enabled = true\n max_heartbeats_per_second = -1\n}").error().message() ==
        "server.max_heartbeats_per_second -1 must be above 0");
  const auto config = complete("data_dir = \"/d/n\" client { enabled = true }");
  REQUIRE(config);
  CHECK(config->client.state_dir == "/d/n/client");
  CHECK(config->client.alloc_mounts_dir == "/d/alloc_mounts");
  CHECK(config->plugin_dir == "/d/n/plugins");
  CHECK(config->name == "host-1");
  CHECK(config->advertise.http == "10.0.0.7:4646");
  CHECK(config->advertise.serf.empty());
}

TEST_CASE("config: dev mode needs no file") {
  Flags flags;
  flags.dev = true;
  flags.overrides.client.meta["a"] = "b";
  const auto config = load_config(flags, around());
  REQUIRE(config);
  CHECK(config->dev_mode);
  CHECK(config->server.enabled);
  CHECK(config->bind_addr == "127.0.0.1");
  CHECK(config->advertise.rpc == "127.0.0.1:4647");
  CHECK(config->client.gc_interval.value == 10min);
  CHECK(config->client.meta.at("a") == "b");
}

TEST_CASE("config: address templates and ports") {
  CHECK(*expand_address("{{ GetPrivateIP }}", around()) == "10.0.0.7");
  CHECK(*expand_address("{{ GetInterfaceIP \"eth1\" }}:80", around()) == "203.0.113.9:80");
  CHECK(*expand_address("{{ GetPrivateInterfaces | attr \"address\" }}", around()) == "10.0.0.7");
  CHECK(*expand_address("{{ GetAllInterfaces | include \"name\" \"eth1\" | attr \"address\" }}", around()) == "203.0.113.9");
  CHECK(!expand_address("{{ GetMoon }}", around()));
  CHECK(!expand_address("{{ GetInterfaceIP \"no\" }}", around()));
  CHECK(with_port("10.0.0.1", 80) == "10.0.0.1:80");
  CHECK(with_port("::1", 80) == "[::1]:80");
  CHECK(with_port("[::1]:5", 80) == "[::1]:5");
}
