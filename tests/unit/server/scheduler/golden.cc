#include "tests/unit/server/scheduler/golden.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>

#include "lib/model/codec.h"
#include "server/scheduler/alloc_state.h"
#include "tests/unit/source_dir.h"

namespace drover::scheduler {

std::string golden_path(const std::string& relative) { return source_dir() + "/tests/golden/" + relative; }

std::string read_text(const std::string& path) {
  std::ifstream in(path);
  REQUIRE_MESSAGE(in.good(), path);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

namespace {

// The files write the made-up id 0a000001-0000-4000-8000-000000000001 as @a1.
std::string expand_ids(const std::string& line) {
  std::string out;
  out.reserve(line.size() * 2);
  for (std::size_t i = 0; i < line.size();) {
    if (line[i] != '@') {
      out.push_back(line[i++]);
      continue;
    }
    const char kind = line[i + 1];
    std::size_t used = 0;
    const auto number = std::stoul(line.substr(i + 2, 12), &used, 16);
    out += fmt::format("0{}{:06x}-0000-4000-8000-{:012x}", kind, number, number);
    i += 2 + used;
  }
  return out;
}

}  // namespace

std::vector<Json> read_lines(const std::string& relative) {
  std::istringstream in(read_text(golden_path(relative)));
  std::vector<Json> out;
  for (std::string line; std::getline(in, line);) {
    if (!line.empty()) out.push_back(Json::parse(expand_ids(line)));
  }
  return out;
}

namespace {

const Json& base() {
  static const Json json = Json::parse(read_text(golden_path("scheduler/base.json")));
  return json;
}

Json patched(const char* what, const Json& patch) {
  Json out = base().at(what);
  out.merge_patch(patch);
  return out;
}

template <class T>
T decode(const Json& json) {
  T out;
  const auto result = model::from_json(json.dump(), out);
  REQUIRE_MESSAGE(result.has_value(), (result ? std::string() : result.error().message()));
  return out;
}

model::Job job_of(const Json& patch) {
  Json json = patched("job", patch);
  if (patch.contains("TaskGroups")) {
    Json groups = Json::array();
    for (const auto& group_patch : patch.at("TaskGroups")) {
      Json group = patched("group", group_patch);
      if (group_patch.contains("Tasks")) {
        Json tasks = Json::array();
        for (const auto& task : group_patch.at("Tasks")) tasks.push_back(patched("task", task));
        group["Tasks"] = std::move(tasks);
      }
      groups.push_back(std::move(group));
    }
    json["TaskGroups"] = std::move(groups);
  }
  return decode<model::Job>(json);
}

model::Node node_of(const Json& patch) {
  Json json = patched("node", patch);
  // The inputs hold the grade of a core as a flag; placement does not look at it.
  const auto cores = Json::json_pointer("/NodeResources/Processors/Topology/Cores");
  if (json.contains(cores) && json[cores].is_array()) {
    for (auto& core : json[cores]) core.erase("Grade");
  }
  return decode<model::Node>(json);
}

}  // namespace

model::Allocation Case::allocation(const Json& patch) const {
  const Json json = patched("allocation", patch);
  auto alloc = decode<model::Allocation>(json);
  if (json.contains("JobVersion")) {
    const auto version = json.at("JobVersion").get<std::uint64_t>();
    alloc.job = view.job_version("", alloc.job_id, version);
    if (alloc.job == nullptr) alloc.job = view.job("", alloc.job_id);
    if (alloc.job == nullptr && alloc.job_id == job->id) alloc.job = job;
  }
  return alloc;
}

std::unique_ptr<Case> make_case(const Json& document) {
  auto out = std::make_unique<Case>();
  out->document = document;
  const auto& input = document.at("input");
  out->now = input.at("now").get<std::int64_t>();
  for (const auto& node : input.at("nodes")) out->view.add_node(node_of(node));
  for (const auto& job : input.value("other_jobs", Json::array())) out->view.add_job(job_of(job));
  for (const auto& job : input.at("jobs")) {
    auto decoded = job_of(job);
    out->job = std::make_shared<const model::Job>(decoded);
    out->view.add_job(std::move(decoded));
  }
  for (const auto& alloc : input.value("allocations", Json::array())) out->view.add_alloc(out->allocation(alloc));
  if (input.value("purged", false)) out->view.jobs.erase(out->job->id);
  for (const auto& deployment : input.value("deployments", Json::array())) {
    out->view.deployments.push_back(std::make_shared<const model::Deployment>(decode<model::Deployment>(deployment)));
  }
  for (const auto& pool : input.value("node_pools", Json::array())) {
    auto decoded = decode<model::NodePool>(pool);
    out->view.pools[decoded.name] = decoded;
  }
  for (const auto& volume : input.value("host_volumes", Json::array())) {
    auto decoded = decode<model::HostVolume>(volume);
    out->view.volumes[decoded.id] = decoded;
  }
  if (input.contains("scheduler_config")) out->view.config = decode<model::SchedulerConfiguration>(input.at("scheduler_config"));
  if (input.contains("evaluation")) out->evaluation = decode<model::Evaluation>(input.at("evaluation"));
  return out;
}

bool same(const Json& a, const Json& b) {
  if (a.is_number() && b.is_number()) {
    if (a.is_number_integer() && b.is_number_integer()) return a == b;
    return std::abs(a.get<double>() - b.get<double>()) <= 1e-9;
  }
  if (a.type() != b.type() || a.size() != b.size()) return false;
  if (a.is_object()) {
    for (const auto& [key, value] : a.items()) {
      if (!b.contains(key) || !same(value, b.at(key))) return false;
    }
    return true;
  }
  if (a.is_array()) {
    for (std::size_t i = 0; i < a.size(); ++i) {
      if (!same(a[i], b[i])) return false;
    }
    return true;
  }
  return a == b;
}

namespace {

// The cases in which ours differs on purpose: "topic/file/case: reason" a line.
std::map<std::string, std::string> exceptions() {
  std::istringstream in(read_text(golden_path("scheduler/exceptions.txt")));
  std::map<std::string, std::string> out;
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line.starts_with('#')) continue;
    const auto colon = line.find(": ");
    REQUIRE_MESSAGE(colon != std::string::npos, line);
    out.emplace(line.substr(0, colon), line.substr(colon + 2));
  }
  return out;
}

}  // namespace

void replay(const std::string& topic, const std::vector<std::string>& files, const std::function<Answers(Case&)>& judge) {
  const auto excepted = exceptions();
  const char* show = std::getenv("DROVER_GOLDEN_SHOW");
  std::size_t agreeing = 0;
  std::size_t total = 0;
  for (const auto& file : files) {
    for (const auto& document : read_lines("scheduler/" + topic + "/" + file + ".jsonl")) {
      ++total;
      const auto name = topic + "/" + file + "/" + document.at("name").get<std::string>();
      const auto input = make_case(document);
      const auto answers = judge(*input);
      const bool agrees = same(answers.ours, answers.expected);
      if (agrees) ++agreeing;
      if (show != nullptr && name.ends_with(show)) {
        std::cout << "case     " << name << "\ninput    " << document.at("input").dump() << "\nours     " << answers.ours.dump()
                  << "\nexpected " << answers.expected.dump() << "\n";
      }
      // An exception that agrees is no longer one.
      CHECK_MESSAGE(agrees != excepted.contains(name), name);
    }
  }
  std::cout << "golden scheduler/" << topic << ": " << agreeing << " of " << total << " agree\n";
}

}  // namespace drover::scheduler
