#include "lib/diff/diff.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "lib/model/codec.h"

using namespace drover;

namespace {

model::Job make_job() {
  model::Job job;
  job.id = job.name = "web";
  job.type = "service";
  job.priority = 50;
  job.datacenters.push_back("dc1");
  model::TaskGroup group;
  group.name = "g";
  group.count = 1;
  model::Task task;
  task.name = "t";
  task.driver = "exec";
  task.config = model::Any(model::Json::parse(R"({"command":"/bin/a","args":["x","y"],"deep":{"k":[{"n":1}]},"none":null})"));
  task.resources.ensure().cpu = 100;
  group.tasks.push_back(std::move(task));
  job.task_groups.push_back(std::move(group));
  return job;
}

model::Service service(std::string name, std::string port) {
  model::Service out;
  out.name = std::move(name);
  out.port_label = std::move(port);
  return out;
}

const model::ObjectDiff* find(const model::List<model::ObjectDiff>& objects, std::string_view name) {
  for (const auto& object : objects) {
    if (object.name == name) return &object;
  }
  return nullptr;
}

std::string line(const model::FieldDiff& field) { return field.type + " " + field.name + ": " + field.old + " -> " + field.new_; }

}  // namespace

TEST_CASE("diff: a job and itself do not differ") {
  const model::Job job = make_job();
  const auto diff = diff::diff_jobs(&job, &job, true);
  CHECK(diff.type == "None");
  CHECK(diff.fields.empty());
  CHECK(diff.objects.empty());
  REQUIRE(diff.task_groups.size() == 1);
  CHECK(diff.task_groups[0].type == "None");
  CHECK(diff.task_groups[0].tasks[0].type == "None");
}

TEST_CASE("diff: what the server keeps in a job is no difference") {
  const model::Job a = make_job();
  model::Job b = a;
  b.version = 3;
  b.modify_index = b.job_modify_index = 99;
  b.submit_time = 5;
  b.status = "dead";
  b.stable = true;
  CHECK(diff::diff_jobs(&a, &b, true).type == "None");
}

TEST_CASE("diff: added and deleted are each other's mirror") {
  const model::Job job = make_job();
  const auto added = diff::diff_jobs(nullptr, &job, true);
  const auto deleted = diff::diff_jobs(&job, nullptr, true);
  CHECK(added.type == "Added");
  CHECK(deleted.type == "Deleted");
  REQUIRE(added.fields.size() == deleted.fields.size());
  for (std::size_t i = 0; i < added.fields.size(); i++) {
    CHECK(added.fields[i].new_ == deleted.fields[i].old);
    CHECK(added.fields[i].old.empty());
  }
  CHECK(added.task_groups[0].type == "Added");
  CHECK(deleted.task_groups[0].tasks[0].type == "Deleted");
}

TEST_CASE("diff: driver configuration is flattened to the last value") {
  const model::Job a = make_job();
  model::Job b = a;
  b.task_groups[0].tasks[0].config = model::Any(model::Json::parse(R"({"command":"/bin/a","args":["x"],"deep":{"k":[{"n":2}]},"big":2000000000.0})"));
  const auto diff = diff::diff_jobs(&a, &b, false);
  const auto* config = find(diff.task_groups[0].tasks[0].objects, "Config");
  REQUIRE(config != nullptr);
  CHECK(config->type == "Edited");
  REQUIRE(config->fields.size() == 4);
  CHECK(line(config->fields[0]) == "Deleted args[1]: y -> ");
  CHECK(line(config->fields[1]) == "Added big:  -> 2000000000");
  CHECK(line(config->fields[2]) == "Edited deep[k][0][n]: 1 -> 2");
  CHECK(line(config->fields[3]) == "Deleted none: nil -> ");
}

TEST_CASE("diff: an unchanged field is listed in a contextual diff only") {
  const model::Job a = make_job();
  model::Job b = a;
  b.task_groups[0].tasks[0].resources->cpu = 200;
  const auto with = diff::diff_jobs(&a, &b, true);
  const auto without = diff::diff_jobs(&a, &b, false);
  CHECK(find(with.task_groups[0].tasks[0].objects, "Resources")->fields.size() == 7);
  CHECK(find(without.task_groups[0].tasks[0].objects, "Resources")->fields.size() == 1);
}

TEST_CASE("diff: services are matched by what a reader takes for the same one") {
  model::Job a = make_job();
  auto& before = a.task_groups[0].services;
  before.push_back(service("api", "http"));
  before.push_back(service("admin", "admin"));
  model::Job b = a;
  auto& after = b.task_groups[0].services;
  std::swap(after[0], after[1]);
  CHECK(find(diff::diff_jobs(&a, &b, true).task_groups[0].objects, "Service") == nullptr);

  after[1].name = "api2";  // still on the port; at another place it would be a new one
  std::swap(after[0], after[1]);
  auto diff = diff::diff_jobs(&a, &b, true);
  REQUIRE(diff.task_groups[0].objects.size() == 1);
  CHECK(diff.task_groups[0].objects[0].type == "Edited");

  after[0].port_label = "other";
  diff = diff::diff_jobs(&a, &b, true);
  REQUIRE(diff.task_groups[0].objects.size() == 2);
  CHECK(diff.task_groups[0].objects[0].type == "Added");
  CHECK(diff.task_groups[0].objects[1].type == "Deleted");
}

TEST_CASE("diff: ports, addresses and mounts of a network and of volumes") {
  model::Job a = make_job();
  model::NetworkResource network;
  network.mode = "bridge";
  network.dynamic_ports.push_back({.label = "http", .value = 20001});
  network.reserved_ports.push_back({.label = "ssh", .value = 22});
  network.dns.ensure().servers = {"1.1.1.1", "8.8.8.8"};
  a.task_groups[0].networks.push_back(network);
  a.task_groups[0].volumes["v"].source = "s";
  model::Job b = a;
  b.task_groups[0].networks.clear();
  const auto diff = diff::diff_jobs(&a, &b, false);
  const auto* gone = find(diff.task_groups[0].objects, "Network");
  REQUIRE(gone != nullptr);
  CHECK(gone->type == "Deleted");
  CHECK(find(gone->objects, "Static Port") != nullptr);
  REQUIRE(find(gone->objects, "DNS") != nullptr);
  CHECK(line(find(gone->objects, "DNS")->fields[0]) == "Deleted Servers: 1.1.1.1,8.8.8.8 -> ");
  for (const auto& field : find(gone->objects, "Dynamic Port")->fields) CHECK(field.name != "Value");
  CHECK(find(diff.task_groups[0].objects, "Volume") == nullptr);
}

TEST_CASE("diff: annotations say what a change forces") {
  model::Job a = make_job();
  model::Job b = a;
  b.task_groups[0].count = 3;
  b.task_groups[0].tasks[0].kill_timeout = std::chrono::seconds(9);
  model::PlanAnnotations planned;
  planned.desired_tg_updates["g"] = {.place = 2, .in_place_update = 1};
  auto diff = diff::diff_jobs(&a, &b, true);
  diff::annotate(diff, &planned);
  const auto& group = diff.task_groups[0];
  CHECK(group.updates.size() == 2);
  CHECK(*group.updates.get("create") == 2);
  CHECK(*group.updates.get("in-place update") == 1);
  CHECK(group.fields[0].annotations[0] == "forces create");
  CHECK(group.tasks[0].annotations[0] == "forces in-place update");

  b.task_groups[0].count = 0;
  b.task_groups[0].tasks[0].env["A"] = "1";
  diff = diff::diff_jobs(&a, &b, true);
  diff::annotate(diff, nullptr);
  CHECK(diff.task_groups[0].updates.is_nil());
  CHECK(diff.task_groups[0].fields[0].annotations[0] == "forces destroy");
  CHECK(diff.task_groups[0].tasks[0].annotations[0] == "forces create/destroy update");
}
