#include "server/state/watch.h"

#include <algorithm>

namespace drover::state {
namespace {

std::string make_key(Table table, Scope scope, std::string_view value) {
  std::string key;
  key.reserve(value.size() + 2);
  key.push_back(static_cast<char>(table));
  key.push_back(static_cast<char>(scope));
  key += value;
  return key;
}

std::string joined(std::string_view namespace_, std::string_view id) {
  std::string out(namespace_);
  out.push_back('\0');
  out += id;
  return out;
}

}  // namespace

void WatchSet::add(Table table, Scope scope, std::string_view value) {
  std::string key = make_key(table, scope, value);
  if (std::find(keys_.begin(), keys_.end(), key) != keys_.end()) return;
  watches_.keys_.emplace(key, this);
  keys_.push_back(std::move(key));
}

void WatchSet::add(Table table, Scope scope, std::string_view namespace_, std::string_view id) {
  add(table, scope, joined(namespace_, id));
}

void WatchSet::add_prefix(Table table, std::string_view namespace_, std::string_view prefix) {
  if (prefixes_.empty()) watches_.prefixes_.push_back(this);
  prefixes_.push_back({table, std::string(namespace_), std::string(prefix)});
}

void WatchSet::clear() {
  for (const auto& key : keys_) {
    auto [at, end] = watches_.keys_.equal_range(key);
    while (at != end && at->second != this) ++at;
    if (at != end) watches_.keys_.erase(at);
  }
  keys_.clear();
  if (!prefixes_.empty()) std::erase(watches_.prefixes_, this);
  prefixes_.clear();
  woken_.reset();
}

void Watches::wake(Table table, Scope scope, std::string_view value) {
  const auto [at, end] = keys_.equal_range(make_key(table, scope, value));
  for (auto it = at; it != end; ++it) it->second->woken_.set();
}

void Watches::wake(Table table, Scope scope, std::string_view namespace_, std::string_view id) {
  wake(table, scope, joined(namespace_, id));
}

void Watches::wake_object(Table table, std::string_view namespace_, std::string_view id, bool namespaced) {
  wake(table, Scope::all, {});
  if (!namespace_.empty()) wake(table, Scope::in_namespace, namespace_);
  if (namespaced) wake(table, Scope::key, namespace_, id);
  else wake(table, Scope::key, id);
  for (WatchSet* set : prefixes_) {
    for (const auto& watched : set->prefixes_) {
      if (watched.table == table && (watched.namespace_.empty() || watched.namespace_ == namespace_) && id.starts_with(watched.prefix)) {
        set->woken_.set();
      }
    }
  }
}

void Watches::notify(const Changes& changes) {
  if (keys_.empty() && prefixes_.empty()) return;
  for (const auto& change : changes) notify_one(change);
}

void Watches::notify_one(const Change& change) {
  const Object& object = change.object();
  const Table table = change.table;
  if (const auto* node = std::get_if<NodePtr>(&object)) {
    wake_object(table, {}, (*node)->id, false);
  } else if (const auto* pool = std::get_if<NodePoolPtr>(&object)) {
    wake_object(table, {}, (*pool)->name, false);
  } else if (const auto* space = std::get_if<NamespacePtr>(&object)) {
    wake_object(table, {}, (*space)->name, false);
  } else if (const auto* policy = std::get_if<ScalingPolicyPtr>(&object)) {
    const auto [ns, job_id, group] = keys::ScalingTarget{}(*policy);
    wake_object(table, ns, (*policy)->id, false);
    wake(table, Scope::job, ns, job_id);
  } else if (const auto* events = std::get_if<ScalingEventsPtr>(&object)) {
    wake_object(table, (*events)->namespace_, (*events)->job_id, true);
  } else if (const auto* job = std::get_if<JobPtr>(&object)) {
    wake_object(table, (*job)->namespace_, (*job)->id, true);
  } else if (const auto* summary = std::get_if<SummaryPtr>(&object)) {
    wake_object(table, (*summary)->namespace_, (*summary)->job_id, true);
  } else if (const auto* submission = std::get_if<SubmissionPtr>(&object)) {
    wake_object(table, (*submission)->namespace_, (*submission)->job_id, true);
  } else if (const auto* deployment = std::get_if<DeploymentPtr>(&object)) {
    wake_object(table, (*deployment)->namespace_, (*deployment)->id, false);
    wake(table, Scope::job, (*deployment)->namespace_, (*deployment)->job_id);
  } else if (const auto* eval = std::get_if<EvalPtr>(&object)) {
    wake_object(table, (*eval)->namespace_, (*eval)->id, false);
    wake(table, Scope::job, (*eval)->namespace_, (*eval)->job_id);
  } else if (const auto* found = std::get_if<AllocPtr>(&object)) {
    const model::Allocation& alloc = **found;
    wake_object(table, alloc.namespace_, alloc.id, false);
    wake(table, Scope::job, alloc.namespace_, alloc.job_id);
    wake(table, Scope::node, alloc.node_id);
    const AllocPtr before = change.old_as<AllocPtr>();
    if (!before || change.after.index() == 0 || before->alloc_modify_index != alloc.alloc_modify_index) {
      wake(table, Scope::desired, alloc.node_id);
    }
    wake(table, Scope::eval, alloc.eval_id);
    if (before && before->eval_id != alloc.eval_id) wake(table, Scope::eval, before->eval_id);
    if (!alloc.deployment_id.empty()) wake(table, Scope::deployment, alloc.deployment_id);
  } else {
    wake(table, Scope::all, {});
  }
}

void Watches::notify_all() {
  for (auto& [key, set] : keys_) set->woken_.set();
  for (WatchSet* set : prefixes_) set->woken_.set();
}

}  // namespace drover::state
