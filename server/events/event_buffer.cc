#include "server/events/event_buffer.h"

#include <nlohmann/json.hpp>

#include "lib/model/codec.h"

namespace drover::events {
namespace {

template <class T>
model::Any payload(std::string_view name, const T& object, bool deleted = false) {
  model::Json out = model::Json::object();
  out[std::string(name)] = model::Json::parse(model::to_json(object), nullptr, false);
  if (deleted) out["Deleted"] = true;
  return model::Any(std::move(out));
}

struct Builder {
  std::string_view type;
  std::uint64_t index;

  model::Event event(std::string topic, std::string key, std::string namespace_, model::List<std::string> filter_keys) const {
    model::Event out;
    out.topic = std::move(topic);
    out.type = type;
    out.key = std::move(key);
    out.namespace_ = std::move(namespace_);
    out.filter_keys = std::move(filter_keys);
    out.index = index;
    return out;
  }
  model::Event of(const model::Job& job, bool deleted) const {
    auto out = event("Job", job.id, job.namespace_, {});
    out.payload = payload("Job", job, deleted);
    return out;
  }
  model::Event of(const model::Evaluation& eval) const {
    auto out = event("Evaluation", eval.id, eval.namespace_, {eval.job_id, eval.deployment_id});
    out.payload = payload("Evaluation", eval);
    return out;
  }
  model::Event of(const model::Deployment& deployment) const {
    auto out = event("Deployment", deployment.id, deployment.namespace_, {deployment.job_id});
    out.payload = payload("Deployment", deployment);
    return out;
  }
  model::Event of(const model::Allocation& alloc) const {
    auto out = event("Allocation", alloc.id, alloc.namespace_, {alloc.job_id, alloc.deployment_id});
    model::Allocation copy = alloc;
    copy.job.reset();
    out.payload = payload("Allocation", copy);
    return out;
  }
  model::Event of(const model::NodePool& pool) const {
    auto out = event("NodePool", pool.name, "", {});
    out.payload = payload("NodePool", pool);
    return out;
  }
  model::Event of(const model::Node& node) const {
    auto out = event("Node", node.id, "", {});
    model::Node copy = node;
    copy.secret_id.clear();
    out.payload = payload("Node", copy);
    return out;
  }
};

bool matches(const Filter& filter, const model::Event& event) {
  if (filter.namespace_ != "*" && !event.namespace_.empty() && event.namespace_ != filter.namespace_) return false;
  for (const std::string& topic : {event.topic, std::string("*")}) {
    const auto keys = filter.topics.find(topic);
    if (keys == filter.topics.end()) continue;
    if (keys->second.empty() || keys->second.contains("*") || keys->second.contains(event.key)) return true;
    for (const auto& key : event.filter_keys) {
      if (!key.empty() && keys->second.contains(key)) return true;
    }
  }
  return false;
}

}  // namespace

std::vector<Batch> make_batches(fsm::MessageType type, std::uint64_t index, const state::Changes& changes) {
  const std::string_view name = fsm::event_type(type);
  if (name.empty()) return {};
  const Builder build{name, index};
  // What a change of a node sets off is told as an evaluation of its own.
  const bool of_node = type == fsm::MessageType::node_register || type == fsm::MessageType::node_deregister ||
                       type == fsm::MessageType::node_update_status || type == fsm::MessageType::node_eligibility ||
                       type == fsm::MessageType::node_drain;
  const bool split = of_node || type == fsm::MessageType::job_register || type == fsm::MessageType::job_deregister;
  const Builder build_eval{of_node ? fsm::event_type(fsm::MessageType::eval_update) : name, index};
  Batch main{index, {}};
  Batch evals{index, {}};
  std::map<std::string, std::size_t> seen;  // one event per object: its last state
  const auto add = [&](Batch& batch, model::Event event) {
    const auto [at, fresh] = seen.try_emplace(event.topic + '/' + event.namespace_ + '/' + event.key, batch.events.size());
    if (fresh) batch.events.push_back(std::move(event));
    else batch.events[at->second] = std::move(event);
  };
  for (const auto& change : changes) {
    const bool deleted = change.after.index() == 0;
    if (change.table == state::Table::jobs) {
      if (const auto* job = std::get_if<state::JobPtr>(&change.object())) add(main, build.of(**job, deleted));
    } else if (change.table == state::Table::evals && !deleted) {
      add(split ? evals : main, build_eval.of(*change.new_as<state::EvalPtr>()));
    } else if (change.table == state::Table::allocs && !deleted) {
      add(main, build.of(*change.new_as<state::AllocPtr>()));
    } else if (change.table == state::Table::deployment && !deleted) {
      add(main, build.of(*change.new_as<state::DeploymentPtr>()));
    } else if (change.table == state::Table::node_pools) {
      if (const auto* pool = std::get_if<state::NodePoolPtr>(&change.object())) add(main, build.of(**pool));
    } else if (change.table == state::Table::nodes) {
      if (const auto* node = std::get_if<state::NodePtr>(&change.object())) add(main, build.of(**node));
    }
  }
  std::vector<Batch> out;
  if (!main.events.empty()) out.push_back(std::move(main));
  if (!evals.events.empty()) out.push_back(std::move(evals));
  return out;
}

void EventBuffer::append(fsm::MessageType type, std::uint64_t index, const state::Changes& changes) {
  if (size_ == 0 || fsm::event_type(type).empty() || changes.empty()) return;
  ring_.push_back({type, index, changes});
  if (ring_.size() > size_) {
    ring_.pop_front();
    ++first_;
  }
  changed_.notify_all();
}

Subscription EventBuffer::subscribe(Filter filter, std::uint64_t index) {
  std::uint64_t at = first_;
  if (index != 0) {
    while (at < end() && ring_[at - first_].index < index) ++at;
    if (at == end() && at > first_) --at;
  }
  return {*this, std::move(filter), at};
}

Async<Result<std::vector<Batch>>> Subscription::next(std::chrono::nanoseconds limit) {
  const auto until = std::chrono::steady_clock::now() + limit;
  for (;;) {
    if (next_ < buffer_.first_) co_return fail(Code::resource_exhausted, "subscription closed: the reader is too slow");
    while (next_ < buffer_.end()) {
      const auto& entry = buffer_.ring_[next_++ - buffer_.first_];
      std::vector<Batch> batches = make_batches(entry.type, entry.index, entry.changes);
      for (auto& batch : batches) {
        std::erase_if(batch.events, [this](const model::Event& event) { return !matches(filter_, event); });
      }
      std::erase_if(batches, [](const Batch& batch) { return batch.events.empty(); });
      if (!batches.empty()) co_return batches;
    }
    const auto left = until - std::chrono::steady_clock::now();
    if (left.count() <= 0) co_return std::vector<Batch>{};
    co_await buffer_.changed_.wait_for(left);
  }
}

}  // namespace drover::events
