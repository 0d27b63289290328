// Messages of validation that no recorded job brings about: rows of a place in a good job, a merge patch of what stands there, and the text
// that errors or warnings must then hold. tests/golden/validate has the recorded ones, with their full text.
#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "lib/jobspec/canonical.h"
#include "lib/jobspec/validate.h"
#include "sdk/base/text.h"
#include "tests/unit/source_dir.h"
#include "tests/unit/support/golden.h"

using namespace drover;
using Json = nlohmann::json;

namespace {

constexpr std::int64_t second = 1'000'000'000;

Json check() { return {{"Name", "c"}, {"Type", "http"}, {"Path", "/"}, {"Interval", 10 * second}, {"Timeout", 2 * second}}; }
Json service(const char* provider) { return {{"Name", "s"}, {"Provider", provider}, {"PortLabel", "http"}, {"Checks", Json::array({check()})}}; }

Json good_job(const std::string& type) {
  const Json task{{"Name", "t"}, {"Driver", "exec"}, {"Config", {{"command", "/bin/true"}}}, {"Resources", {{"CPU", 100}, {"MemoryMB", 64}}}};
  const Json group{{"Name", "g"}, {"Count", 1}, {"Networks", Json::array({{{"Mode", "bridge"}, {"DynamicPorts", Json::array({{{"Label", "http"}}})}}})}, {"Tasks", Json::array({task})}};
  return {{"ID", "j"}, {"Name", "j"}, {"Type", type}, {"Datacenters", Json::array({"dc1"})}, {"TaskGroups", Json::array({group})}};
}

// Where a row's patch goes: a path into the job, and what is put there before it is patched.
struct Place {
  const char* pointer;
  Json base = nullptr;
};

Place place_of(const std::string& name) {
  static const std::map<std::string, Place> places{
      {"job", {""}},
      {"group", {"/TaskGroups/0"}},
      {"task", {"/TaskGroups/0/Tasks/0"}},
      {"resources", {"/TaskGroups/0/Tasks/0/Resources"}},
      {"network", {"/TaskGroups/0/Networks/0"}},
      {"update", {"/TaskGroups/0/Update", Json::object()}},
      {"restart", {"/TaskGroups/0/RestartPolicy", Json::object()}},
      {"reschedule", {"/TaskGroups/0/ReschedulePolicy", Json::object()}},
      {"migrate", {"/TaskGroups/0/Migrate", Json::object()}},
      {"disconnect", {"/TaskGroups/0/Disconnect", Json::object()}},
      {"scaling", {"/TaskGroups/0/Scaling", {{"Min", 1}, {"Max", 3}, {"Type", "horizontal"}}}},
      {"volume", {"/TaskGroups/0/Volumes/v", {{"Name", "v"}, {"Type", "host"}, {"Source", "x"}}}},
      {"csi volume", {"/TaskGroups/0/Volumes/v", {{"Name", "v"}, {"Type", "csi"}, {"Source", "x"}, {"AccessMode", "single-node-writer"}, {"AttachmentMode", "file-system"}}}},
      {"service", {"/TaskGroups/0/Services/0", service("consul")}},
      {"check", {"/TaskGroups/0/Services/0/Checks/0", service("consul")}},
      {"nomad check", {"/TaskGroups/0/Services/0/Checks/0", service("nomad")}},
      {"upstream", {"/TaskGroups/0/Services/0/Connect/SidecarService/Proxy/Upstreams/0", service("consul")}},
      {"transparent proxy", {"/TaskGroups/0/Services/0/Connect/SidecarService/Proxy/TransparentProxy", service("consul")}},
      {"gateway", {"/TaskGroups/0/Services/0/Connect/Gateway", service("consul")}},
      {"ingress", {"/TaskGroups/0/Services/0/Connect/Gateway/Ingress", service("consul")}},
      {"listener", {"/TaskGroups/0/Services/0/Connect/Gateway/Ingress/Listeners/0", service("consul")}},
      {"terminating", {"/TaskGroups/0/Services/0/Connect/Gateway/Terminating", service("consul")}},
      {"task service", {"/TaskGroups/0/Tasks/0/Services/0", service("consul")}},
      {"task check", {"/TaskGroups/0/Tasks/0/Services/0/Checks/0", service("consul")}},
      {"template", {"/TaskGroups/0/Tasks/0/Templates/0", {{"EmbeddedTmpl", "x"}, {"DestPath", "local/x"}}}},
      {"artifact", {"/TaskGroups/0/Tasks/0/Artifacts/0", {{"GetterSource", "https://example.com/x"}}}},
      {"constraint", {"/TaskGroups/0/Constraints/0", {{"LTarget", "${meta.x}"}, {"Operand", "="}, {"RTarget", "y"}}}},
      {"affinity", {"/TaskGroups/0/Affinities/0", {{"LTarget", "${meta.x}"}, {"Operand", "="}, {"RTarget", "y"}, {"Weight", 50}}}},
      {"spread", {"/TaskGroups/0/Spreads/0", {{"Attribute", "${meta.x}"}, {"Weight", 50}}}},
      {"vault", {"/TaskGroups/0/Tasks/0/Vault", {{"ChangeMode", "restart"}}}},
      {"secret", {"/TaskGroups/0/Tasks/0/Secrets/0", {{"Name", "a"}, {"Provider", "nomad"}, {"Path", "p"}}}},
      {"action", {"/TaskGroups/0/Tasks/0/Actions/0", {{"Name", "a"}, {"Command", "x"}}}},
      {"mount", {"/TaskGroups/0/Tasks/0/VolumeMounts/0", {{"Volume", "v"}, {"Destination", "/x"}}}},
      {"identity", {"/TaskGroups/0/Tasks/0/Identities/0", {{"Name", "i"}, {"Audience", Json::array({"a"})}, {"TTL", 3600 * second}}}},
      {"schedule", {"/TaskGroups/0/Tasks/0/Schedule/Cron", {{"Start", "0 9 * * * *"}, {"End", "0 17"}, {"Timezone", "UTC"}}}},
  };
  const auto found = places.find(name);
  REQUIRE_MESSAGE(found != places.end(), name);
  return found->second;
}

Json gateway() {
  return {{"Proxy", Json::object()}, {"Ingress", {{"Listeners", Json::array({{{"Port", 80}, {"Protocol", "tcp"}, {"Services", Json::array({{{"Name", "x"}}})}}})}}}};
}

Json job_of(const Json& row) {
  std::string at = row["at"];
  std::string type = "service";
  for (const std::string other : {"batch", "system"}) {
    if (!at.starts_with(other + " ")) continue;
    type = other;
    at = at.substr(other.size() + 1);
  }
  Json job = good_job(type);
  const Place place = place_of(at);
  const std::string pointer = place.pointer;
  Json& group = job["TaskGroups"][0];
  if (pointer.find("/Volumes/") != std::string::npos || at == "mount") group["Volumes"]["v"] = {{"Name", "v"}, {"Type", "host"}, {"Source", "x"}};
  if (pointer.starts_with("/TaskGroups/0/Services/0")) {
    group["Services"] = Json::array({place.base});
    Json& connect = group["Services"][0]["Connect"];
    if (pointer.find("/SidecarService") != std::string::npos) {
      group["Services"][0]["Checks"] = Json::array();
      connect["SidecarService"]["Proxy"]["Upstreams"] = Json::array({{{"DestinationName", "x"}, {"LocalBindPort", 1}}});
    }
    if (pointer.find("/Gateway") != std::string::npos) {
      group["Services"][0]["Checks"] = Json::array();
      connect["Gateway"] = gateway();
      if (at == "terminating") connect["Gateway"]["Ingress"] = nullptr;
    }
  } else if (pointer.starts_with("/TaskGroups/0/Tasks/0/Services/0")) {
    group["Tasks"][0]["Services"] = Json::array({place.base});
  } else if (!place.base.is_null()) {
    job[Json::json_pointer(pointer)] = place.base;
  }
  job[Json::json_pointer(pointer)].merge_patch(row["patch"]);
  return job;
}

model::ScalingPolicy& horizontal(model::Job& job) {
  model::ScalingPolicy& policy = job.task_groups[0].scaling.ensure();
  policy.type = "horizontal";
  policy.max = 3;
  return policy;
}

// Changes that no request brings about, and what is said of them.
using Change = void (*)(model::Job&);
const std::pair<Change, const char*> impossible[] = {
    {[](model::Job& job) { job.namespace_.clear(); }, "Job must be in a namespace"},
    {[](model::Job& job) { job.datacenters.clear(); }, "Missing job datacenters"},
    {[](model::Job& job) { job.task_groups[0].restart_policy.reset(); }, "Task Group g should have a restart policy"},
    {[](model::Job& job) { job.task_groups[0].reschedule_policy.reset(); }, "Task Group g should have a reschedule policy"},
    {[](model::Job& job) { job.task_groups[0].ephemeral_disk.reset(); }, "Task Group g should have an ephemeral disk object"},
    {[](model::Job& job) { job.task_groups[0].tasks[0].resources.reset(); }, "Missing task resources"},
    {[](model::Job& job) { job.task_groups[0].tasks[0].log_config.reset(); }, "Missing Log Config"},
    {[](model::Job& job) { job.task_groups[0].affinities.emplace_back(); }, "Missing affinity operand"},
    {[](model::Job& job) { job.task_groups[0].scaling.ensure(); }, "missing scaling policy type"},
    {[](model::Job& job) { horizontal(job).target = {{"Job", "j"}, {"Group", "g"}}; }, "missing target namespace"},
    {[](model::Job& job) { horizontal(job).target = {{"Namespace", "default"}, {"Group", "g"}}; }, "missing target job"},
    {[](model::Job& job) { horizontal(job).target = {{"Namespace", "default"}, {"Job", "j"}, {"Group", ""}}; }, "missing target group"},
    {[](model::Job& job) {
       auto& networks = job.task_groups[0].networks;
       networks[0].cni.ensure().args["a"] = "b";
       networks.push_back(networks[0]);
     }, "duplicate CNI arg \"a\""},
    {[](model::Job& job) {
       auto& gateway = job.task_groups[0].services.emplace_back().connect.ensure().gateway.ensure();
       gateway.proxy.ensure().connect_timeout.reset();
     }, "Consul Gateway Proxy connection_timeout must be set"},
    {[](model::Job& job) { job.task_groups[0].volumes["v"].type = "maybe"; }, "volume has unrecognized type maybe"},
};

}  // namespace

TEST_CASE("validate: the good job of these rows has nothing to complain of") {
  for (const char* type : {"service", "batch", "system"}) {
    const auto job = jobspec::job_from_api_json(good_job(type).dump());
    REQUIRE(job);
    CHECK(jobspec::validate(*job, {}).error_text() == "");
  }
}

TEST_CASE("validate: every other message is brought about by a job of its own") {
  const Json rows = golden::read_json(std::filesystem::path(source_dir()) / "tests/unit/lib/jobspec/validate_messages.json");
  REQUIRE(rows.size() > 150);
  for (const Json& row : rows) {
    INFO(row.dump());
    const auto job = jobspec::job_from_api_json(job_of(row).dump());
    REQUIRE_MESSAGE(job, (job ? "" : job.error().message()));
    const auto verdict = jobspec::validate(*job, {});
    const std::string text = verdict.error_text() + verdict.warning_text();
    CHECK_MESSAGE(text.find(row["want"].get<std::string>()) != std::string::npos, text);
  }
}

TEST_CASE("validate: what reading a request rules out is told all the same") {
  const auto complete = jobspec::job_from_api_json(good_job("service").dump());
  REQUIRE(complete);
  for (const auto& [change, want] : impossible) {
    model::Job job = *complete;
    change(job);
    const std::string text = jobspec::validate(job, {}).error_text();
    CHECK_MESSAGE(text.find(want) != std::string::npos, text);
  }
}

namespace {

// A message of the contract without its verbs (%d, %q, %%): the texts that must follow one another.
std::vector<std::string> pieces_of(const std::string& message) {
  std::vector<std::string> out(1);
  for (std::size_t i = 0; i < message.size(); i++) {
    if (message[i] != '%') {
      out.back() += message[i];
      continue;
    }
    if (message[++i] == '+') i++;
    if (message[i] == '%') out.back() += '%';
    else out.emplace_back();
  }
  return out;
}

bool says(const std::string& text, const std::vector<std::string>& pieces) {
  std::size_t at = 0;
  for (const std::string& piece : pieces) {
    at = text.find(piece, at);
    if (at == std::string::npos) return false;
    at += piece.size();
  }
  return true;
}

// What validation says of every job of these tests.
std::vector<std::string> all_verdicts() {
  std::vector<std::string> out;
  const auto keep = [&](const model::Job& job) {
    const auto verdict = jobspec::validate(job, {.check_cron = [](const std::string&) -> Result<> { return fail(Code::invalid_argument, "no"); },
                                                 .check_time_zone = [](const std::string&) -> Result<> { return fail(Code::invalid_argument, "no"); }});
    out.push_back(verdict.error_text() + verdict.warning_text());
  };
  const std::filesystem::path tests = std::filesystem::path(source_dir()) / "tests";
  for (const Json& row : golden::read_json(tests / "unit/lib/jobspec/validate_messages.json")) {
    if (const auto job = jobspec::job_from_api_json(job_of(row).dump())) keep(*job);
  }
  for (const Json& row : golden::read_json(tests / "golden/validate/jobs.json")) {
    if (const auto job = jobspec::job_from_api_json(row["job"].dump())) keep(*job);
  }
  const auto complete = jobspec::job_from_api_json(good_job("service").dump());
  REQUIRE(complete);
  for (const auto& [change, want] : impossible) {
    model::Job job = *complete;
    change(job);
    keep(job);
  }
  return out;
}

}  // namespace

TEST_CASE("validate: every message of the contract is said by a job of these tests, by a file of the servers, or there is a reason") {
  const std::filesystem::path root = source_dir();
  const std::vector<std::string> verdicts = all_verdicts();
  std::size_t said = 0, elsewhere = 0, never = 0;
  for (const std::string& line : split(golden::read(root / "tests/unit/lib/jobspec/messages.txt"), '\n')) {
    if (line.empty() || line.starts_with('#')) continue;
    const std::size_t bars = line.find(" || ");
    const auto pieces = pieces_of(line.substr(0, bars));
    CAPTURE(line);
    if (bars == std::string::npos) {
      CHECK(std::ranges::any_of(verdicts, [&](const std::string& text) { return says(text, pieces); }));
      ++said;
      continue;
    }
    const std::string note = line.substr(bars + 4);
    if (note.starts_with("never: ")) {
      ++never;
      continue;
    }
    const std::string source = replace_all(golden::read(root / note), "\\\"", "\"");
    const std::string& longest = *std::ranges::max_element(pieces, {}, [](const std::string& piece) { return piece.size(); });
    CHECK(source.find(longest) != std::string::npos);
    ++elsewhere;
  }
  CHECK(said + elsewhere + never >= 437);
  CHECK(never <= 20);
}
