#include "tests/unit/server/scheduler/answer.h"

#include <map>

#include "lib/model/codec.h"
#include "server/scheduler/scheduler.h"

namespace drover::scheduler {
namespace {

template <class T>
Json encode(const T& value) { return Json::parse(model::to_json(value)); }

// Drops null, zero and empty members, deeply, as the recorded answers do.
Json compact(const Json& json) {
  if (json.is_array()) {
    Json out = Json::array();
    for (const auto& item : json) out.push_back(compact(item));
    return out;
  }
  if (!json.is_object()) return json;
  Json out = Json::object();
  for (const auto& [key, value] : json.items()) {
    auto inner = compact(value);
    const bool empty = inner.is_null() || (inner.is_string() && inner.get_ref<const std::string&>().empty()) || inner == false ||
                       (inner.is_number() && inner == 0) || ((inner.is_object() || inner.is_array()) && inner.empty()) ||
                       (inner.is_string() && inner.get_ref<const std::string&>().starts_with("0001-01-01"));
    if (!empty) out[key] = std::move(inner);
  }
  return out;
}

Json states_json(const model::List<model::AllocState>& states) {
  Json out = Json::array();
  for (const auto& state : states) out.push_back({{"Value", state.value}, {"Time", encode(model::TaskState{.last_restart = state.time})["LastRestart"]}});
  return out;
}

Json tracker_json(const model::Box<model::RescheduleTracker>& tracker) { return tracker ? compact(encode(*tracker)) : Json(); }

Json after_json(const MemoryView& state, const std::string& id) {
  const auto alloc = state.alloc(id);
  return {{"client_status", alloc->client_status}, {"desired_description", alloc->desired_description},
          {"desired_status", alloc->desired_status}, {"job_version", alloc->job->version}};
}

class Recorder {
 public:
  explicit Recorder(Case& c) : before_(c.view), c_(c) {}

  Json run() {
    Rng rng(1);
    auto view = std::make_shared<MemoryView>(c_.view);
    const auto evaluation = make_run(c_.evaluation, rng);
    Step step = evaluation->begin(view, c_.now);
    for (;;) {
      for (const auto& eval : step.create_evals) created(eval);
      if (step.update) updated(*step.update);
      if (step.reblock) out_["reblocked"] = Json::array({{{"status", "blocked"}}});
      if (!step.plan) break;
      ++plans_;
      view = std::make_shared<MemoryView>(*view);
      auto plan = *step.plan;
      if (plan.job == nullptr) plan.job = c_.job;
      view->commit(plan);
      planned(plan, *view);
      model::PlanResult result;
      result.node_update = plan.node_update;
      result.node_allocation = plan.node_allocation;
      result.deployment = plan.deployment;
      result.deployment_updates = plan.deployment_updates;
      step = evaluation->resume(result, nullptr, c_.now);
    }
    if (!updated_) out_["evaluation_updates"] = nullptr;
    if (plans_ > 0) out_["plans"] = plans_;
    return out_;
  }

 private:
  void created(const model::Evaluation& eval) {
    auto json = compact(encode(eval));
    for (const auto* key : {"CreateTime", "ModifyTime", "CreateIndex", "ModifyIndex", "FailedTGAllocs", "SnapshotIndex"}) json.erase(key);
    out_["created_evaluations"].push_back(std::move(json));
  }

  void updated(const model::Evaluation& eval) {
    updated_ = true;
    Json json = {{"status", eval.status}};
    if (!eval.status_description.empty()) json["status_description"] = eval.status_description;
    if (!eval.deployment_id.empty()) json["deployment"] = eval.deployment_id;
    if (!eval.blocked_eval.empty()) json["blocked_eval"] = eval.blocked_eval;
    if (!eval.next_eval.empty()) json["next_eval"] = eval.next_eval;
    if (eval.plan_annotations) {
      json["desired_updates"] = Json::object();
      const auto annotations = encode(*eval.plan_annotations);
      for (const auto& [group, desired] : annotations.at("DesiredTGUpdates").items()) {
        json["desired_updates"][group] = compact(desired);
      }
    }
    if (eval.plan_annotations) {
      for (const auto& stub : eval.plan_annotations->preempted_allocs) json["preempted_annotation"].push_back(stub.id);
    }
    if (!eval.failed_tg_allocs.empty()) {
      for (const auto& [group, metric] : eval.failed_tg_allocs) {
        const auto full = encode(metric);
        auto failed = compact(full);
        // A task whose group lacked something else than resources is named all the same.
        for (const auto& [task, resources] : full.at("ResourcesExhausted").items()) failed["ResourcesExhausted"][task] = compact(resources);
        failed.erase("AllocationTime");
        failed.erase("ScoreMetaData");
        json["failed_groups"][group] = std::move(failed);
      }
    }
    if (!eval.queued_allocations.is_nil() || eval.plan_annotations) {
      json["queued"] = Json::object();
      for (const auto& [group, count] : eval.queued_allocations) json["queued"][group] = count;
    }
    out_["evaluation_updates"].push_back(std::move(json));
  }

  void planned(const model::Plan& plan, const MemoryView& after) {
    for (const auto& [node, allocs] : plan.node_update) {
      for (const auto& alloc : allocs) stop(*alloc, after);
    }
    for (const auto& [node, allocs] : plan.node_allocation) {
      for (const auto& alloc : allocs) {
        if (before_.alloc(alloc->id) == nullptr) placement(*alloc, plan);
        else update(*alloc, after);
      }
    }
    for (const auto& [node, allocs] : plan.node_preemptions) {
      for (const auto& alloc : allocs) {
        out_["preemptions"].push_back({{"by", alloc->preempted_by_allocation}, {"desired_status", alloc->desired_status}, {"id", alloc->id}});
      }
    }
    if (plan.deployment) {
      auto json = compact(encode(*plan.deployment));
      for (const auto* key : {"CreateTime", "ModifyTime"}) json.erase(key);
      out_["deployment"] = std::move(json);
    }
    for (const auto& change : plan.deployment_updates) {
      out_["deployment_updates"].push_back({{"DeploymentID", change.deployment_id}, {"Status", change.status}, {"StatusDescription", change.status_description}});
    }
  }

  void placement(const model::Allocation& alloc, const model::Plan& plan) {
    Json json = {{"id", alloc.id}, {"name", alloc.name}, {"group", alloc.task_group}, {"node", alloc.node_id},
                 {"job_version", alloc.job != nullptr ? alloc.job->version : plan.job->version}};
    if (!alloc.previous_allocation.empty()) json["previous"] = alloc.previous_allocation;
    if (alloc.deployment_status && alloc.deployment_status->canary) json["canary"] = true;
    if (!alloc.deployment_id.empty()) json["deployment"] = alloc.deployment_id;
    if (alloc.reschedule_tracker) json["reschedule_tracker"] = tracker_json(alloc.reschedule_tracker);
    for (const auto& id : alloc.preempted_allocations) json["preempted"].push_back(id);
    out_["placements"].push_back(std::move(json));
  }

  void stop(const model::Allocation& alloc, const MemoryView& after) {
    const auto stored = before_.alloc(alloc.id);
    Json json = {{"id", alloc.id}, {"name", alloc.name}, {"node", alloc.node_id}, {"client_status", alloc.client_status},
                 {"desired_status", alloc.desired_status}, {"desired_description", alloc.desired_description}, {"after", after_json(after, alloc.id)}};
    if (!alloc.followup_eval_id.empty()) json["followup_eval"] = alloc.followup_eval_id;
    if (!(alloc.alloc_states == stored->alloc_states)) json["alloc_states"] = states_json(alloc.alloc_states);
    if (!(alloc.reschedule_tracker == stored->reschedule_tracker)) json["reschedule_tracker"] = tracker_json(alloc.reschedule_tracker);
    out_["stops"].push_back(std::move(json));
  }

  void update(const model::Allocation& alloc, const MemoryView& after) {
    const auto stored = before_.alloc(alloc.id);
    Json changed = Json::object();
    const auto field = [&](const char* name, const auto& now, const auto& then) {
      if (!(now == then)) changed[name] = Json(now).empty() || now == std::decay_t<decltype(now)>{} ? Json(nullptr) : Json(now);
    };
    field("EvalID", alloc.eval_id, stored->eval_id);
    field("FollowupEvalID", alloc.followup_eval_id, stored->followup_eval_id);
    field("ClientStatus", alloc.client_status, stored->client_status);
    field("ClientDescription", alloc.client_description, stored->client_description);
    field("DeploymentID", alloc.deployment_id, stored->deployment_id);
    if (!(alloc.deployment_status == stored->deployment_status)) {
      changed["DeploymentStatus"] = alloc.deployment_status ? compact(encode(*alloc.deployment_status)) : Json(nullptr);
    }
    if (!(alloc.alloc_states == stored->alloc_states)) changed["AllocStates"] = states_json(alloc.alloc_states);
    if (!(alloc.reschedule_tracker == stored->reschedule_tracker)) changed["RescheduleTracker"] = tracker_json(alloc.reschedule_tracker);
    out_["updates"].push_back({{"id", alloc.id}, {"name", alloc.name}, {"changed", changed}, {"after", after_json(after, alloc.id)}});
  }

  const MemoryView before_;
  Case& c_;
  int plans_ = 0;
  bool updated_ = false;
  Json out_ = {{"placements", Json::array()}, {"stops", Json::array()}, {"updates", Json::array()}};
};

// What a name made up in this run points at does not matter, only where it is used: it becomes the text of its uses.
class Labels {
 public:
  Labels(const Case& c, bool ours) : c_(c), ours_(ours) {}
  [[nodiscard]] bool is_label(const std::string& text) const {
    if (!ours_) return text.starts_with("new-");
    return text.size() == 36 && text[8] == '-' && text[0] != '0' ? !known(text) : (text.size() == 36 && text[8] == '-' && !known(text));
  }
  Json rename(const Json& document) {
    collect(document, document, "");
    std::map<std::string, std::string> names;
    for (auto& [label, uses] : uses_) {
      std::sort(uses.begin(), uses.end());
      std::string all = "new:";
      for (const auto& use : uses) all += use;
      names[label] = all;
    }
    return apply(document, [&](const std::string& text) { return names.at(text); });
  }

 private:
  [[nodiscard]] bool known(const std::string& text) const { return c_.document.at("input").dump().find(text) != std::string::npos; }
  template <class F>
  Json apply(const Json& json, const F& name) const {
    if (json.is_string() && is_label(json.get_ref<const std::string&>())) return name(json.get_ref<const std::string&>());
    if (json.is_array()) {
      Json out = Json::array();
      for (const auto& item : json) out.push_back(apply(item, name));
      return out;
    }
    if (json.is_object()) {
      Json out = Json::object();
      for (const auto& [key, value] : json.items()) out[key] = apply(value, name);
      return out;
    }
    return json;
  }
  void collect(const Json& json, const Json& item, const std::string& path) {
    if (json.is_string() && is_label(json.get_ref<const std::string&>())) {
      std::string use = path;
      for (const auto* key : {"name", "TriggeredBy", "WaitUntil", "NodeID"}) {
        if (item.contains(key) && item.at(key).is_string()) use += " " + item.at(key).get<std::string>();
      }
      uses_[json.get_ref<const std::string&>()].push_back("[" + use + "]");
    } else if (json.is_array()) {
      for (const auto& entry : json) collect(entry, entry.is_object() ? entry : item, path);
    } else if (json.is_object()) {
      for (const auto& [key, value] : json.items()) collect(value, item, path + "/" + key);
    }
  }
  const Case& c_;
  bool ours_;
  std::map<std::string, std::vector<std::string>> uses_;
};

void sort_lists(Json& json) {
  for (auto& item : json) {
    if (item.is_structured()) sort_lists(item);
  }
  if (json.is_array()) std::sort(json.begin(), json.end());
}

Json count_kinds(const Json& list, bool changed_names) {
  std::map<std::string, int> times;
  for (auto item : list) {
    for (const auto* key : {"id", "name", "node", "previous", "deployment", "followup_eval", "alloc_states", "reschedule_tracker", "times"}) {
      item.erase(key);
    }
    if (changed_names) {
      item["changed_fields"] = Json::array();
      for (const auto& [key, value] : item["changed"].items()) item["changed_fields"].push_back(key);
      item.erase("changed");
    }
    ++times[item.dump()];
  }
  Json out = Json::array();
  for (const auto& [text, n] : times) {
    auto item = Json::parse(text);
    item["times"] = n;
    out.push_back(std::move(item));
  }
  return out;
}

}  // namespace

Json run_evaluation(Case& c) { return Recorder(c).run(); }

Answers comparable(Case& c, const Json& recorded) {
  Json ours = recorded;
  Json expected = c.output();
  const auto fixed = c.document.at("compare").get<std::string>();
  for (auto* answer : {&ours, &expected}) {
    // An allocation that was replaced keeps its reason with us and loses it in the reference (server contract 11.9).
    for (auto& stop : (*answer)["stops"]) {
      // What users see is `after`; how the plan says it is ours to choose.
      for (const auto* key : {"desired_status", "desired_description", "client_status"}) stop.erase(key);
      auto& after = stop["after"]["desired_description"];
      if (after == "alloc was rescheduled because it failed") after = "";
    }
    answer->erase("plans");
    if (answer->contains("reblocked")) (*answer)["reblocked"] = true;
  }
  if (fixed == "nodes-free") {
    for (auto& placement : ours["placements"]) {
      placement.erase("node");
      placement["id"] = "new";
    }
  }
  if (fixed == "counts") {
    // Entries that differ only in what is not compared count together.
    std::map<std::string, int> times;
    for (auto stop : expected["stops"]) {
      const int n = stop.value("times", 1);
      stop.erase("times");
      times[stop.dump()] += n;
    }
    expected["stops"] = Json::array();
    for (const auto& [text, n] : times) {
      auto stop = Json::parse(text);
      stop["times"] = n;
      expected["stops"].push_back(std::move(stop));
    }
    for (const auto* list : {"placements", "stops", "updates"}) ours[list] = count_kinds(ours[list], std::string_view(list) == "updates");
    if (ours.contains("deployment") && ours["deployment"].contains("TaskGroups")) {
      for (auto& group : ours["deployment"]["TaskGroups"]) {
        if (group.contains("PlacedCanaries")) group["PlacedCanaries"] = group["PlacedCanaries"].size();
      }
    }
  }
  Answers out{Labels(c, true).rename(ours), Labels(c, false).rename(expected)};
  if (fixed == "nodes-free") {
    for (auto* answer : {&out.ours, &out.expected}) {
      for (auto& placement : (*answer)["placements"]) placement.erase("id");
    }
  }
  sort_lists(out.ours);
  sort_lists(out.expected);
  return out;
}

}  // namespace drover::scheduler
