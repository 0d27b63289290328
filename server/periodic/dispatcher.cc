#include "server/periodic/dispatcher.h"

#include <algorithm>
#include <limits>

#include "sdk/base/uuid.h"
#include "server/periodic/children.h"

namespace drover::periodic {
namespace {
constexpr std::int64_t nanos = 1'000'000'000;
// A launch that lies further ahead was made when the date was wrong, and is not waited for.
constexpr std::int64_t believable_ahead = 24 * 3600;
// The leader's timer ticks once a minute at least; a longer step of the date may be one that somebody set.
constexpr std::int64_t longest_tick = 120;
constexpr std::size_t most_spans = 1000;

// The floor as it counts at this date; none when it cannot be right.
constexpr std::int64_t no_floor = std::numeric_limits<std::int64_t>::min();
std::int64_t believed(std::int64_t floor, std::int64_t now) { return floor > now + believable_ahead ? no_floor : floor; }
}  // namespace

void Dispatcher::start() {
  const std::int64_t now = clock_.unix_nanos() / nanos;
  spans_.assign(1, {now, now});
  forgotten_ = 0;
  const auto snapshot = fsm_.store().snapshot();
  snapshot->tables().jobs.scan([&](const state::JobPtr& job) {
    if (!state::launches_children(*job)) return true;
    const std::int64_t floor = believed(known_of(*job, now).floor, now);
    plan(*job, floor == no_floor ? now : std::min(now, floor));
    // However many launches were missed, one makes up for them.
    if (const auto at = due_.find({job->namespace_, job->id}); at != due_.end() && at->second < now) at->second = now;
    return true;
  });
}

void Dispatcher::job_changed(const state::JobPtr& before, const state::JobPtr& after) {
  if (!after || !state::launches_children(*after)) {
    if (const auto& gone = after ? after : before) {
      due_.erase({gone->namespace_, gone->id});
      known_.erase({gone->namespace_, gone->id});
    }
    return;
  }
  const bool known = due_.contains({after->namespace_, after->id});
  if (known && before && before->periodic == after->periodic) return;
  plan(*after, clock_.unix_nanos() / nanos);
}

bool Dispatcher::live_through(std::int64_t second) {
  Span& span = spans_.back();
  const bool back = second < span.last - 1;
  if (!back && second <= span.last + longest_tick) {
    span.last = std::max(span.last, second);
    return true;
  }
  spans_.push_back({second, second});
  if (spans_.size() > most_spans) {
    spans_.erase(spans_.begin());
    ++forgotten_;
  }
  return !back;
}

bool Dispatcher::launched(const Known& known, std::int64_t second) const {
  for (std::size_t i = std::max(known.span, forgotten_); i < forgotten_ + spans_.size(); ++i) {
    const Span& span = spans_[i - forgotten_];
    if (second <= span.last && second > (i == known.span ? known.from : span.first - 1)) return true;
  }
  return false;
}

Dispatcher::Known& Dispatcher::known_of(const model::Job& job, std::int64_t now) {
  const auto [at, fresh] = known_.try_emplace({job.namespace_, job.id});
  if (fresh) {
    const auto last = fsm_.store().snapshot()->periodic_launch(job.namespace_, job.id);
    at->second = {.span = forgotten_ + spans_.size() - 1, .from = now, .floor = last ? last->launch : now};
  }
  return at->second;
}

void Dispatcher::plan(const model::Job& job, std::int64_t after) {
  const std::int64_t now = clock_.unix_nanos() / nanos;
  const Known& so_far = known_of(job, now);
  auto next = next_launch(*job.periodic, std::max(after, believed(so_far.floor, now)));
  while (next && *next && launched(so_far, **next)) next = next_launch(*job.periodic, **next);
  if (!next) log_.warn("a periodic job cannot be launched", "job_id", job.id, "namespace", job.namespace_, "error", next.error());
  if (!next || !*next) due_.erase({job.namespace_, job.id});
  else due_[{job.namespace_, job.id}] = **next;
}

std::optional<UnixNanos> Dispatcher::next_deadline() const {
  std::optional<UnixNanos> out;
  for (const auto& [key, second] : due_) {
    if (!out || second * nanos < *out) out = second * nanos;
  }
  return out;
}

void Dispatcher::tick(UnixNanos now) {
  const std::int64_t second = now / nanos;
  if (!live_through(second)) plan_again(second);
  std::vector<std::pair<Key, std::int64_t>> due;
  for (const auto& [key, at] : due_) {
    if (at <= second) due.emplace_back(key, at);
  }
  for (const auto& [key, at] : due) {
    const state::JobPtr* job = fsm_.store().tables().jobs.find({key.first, key.second});
    if (job == nullptr) {
      due_.erase(key);
      continue;
    }
    // What was due at a date that was wrong for years is over when the date is right again.
    if (at > believed(known_of(**job, second).floor, second)) launch(*job, at);
    // One that the date leapt over is not in the span that begins here.
    if (at < spans_.back().first) spans_.insert(spans_.end() - 1, {at, at});
    // After a pause of the machine the launches in between are left out.
    plan(**job, std::max(at, second));
  }
}

void Dispatcher::plan_again(std::int64_t now) {
  // plan() changes the map.
  const std::map<Key, std::int64_t> before = due_;
  for (const auto& [key, at] : before) {
    const state::JobPtr* job = fsm_.store().tables().jobs.find({key.first, key.second});
    if (job != nullptr) plan(**job, now);
  }
}

void Dispatcher::launch(const state::JobPtr& job, std::int64_t second) {
  const auto snapshot = fsm_.store().snapshot();
  const auto id = child_id(*job, second);
  if (snapshot->job(job->namespace_, id)) return;  // launched before this leader knew
  if (job->periodic->prohibit_overlap && has_live_child(*snapshot, *job)) {
    log_.debug("a periodic job is not launched, its last child still runs", "job_id", job->id, "namespace", job->namespace_);
    return;
  }
  auto child = make_child(*job, id, clock_.unix_nanos());
  child.periodic.reset();
  scope_.spawn(write(std::move(child)));
}

Async<> Dispatcher::write(model::Job child) {
  auto eval = std::make_shared<model::Evaluation>();
  eval->id = make_uuid(rng_);
  eval->namespace_ = child.namespace_;
  eval->priority = child.priority;
  eval->type = child.type;
  eval->triggered_by = "periodic-job";
  eval->job_id = child.id;
  eval->status = "pending";
  eval->create_time = eval->modify_time = clock_.unix_nanos();
  fsm::JobRegister message;
  message.tracked_versions = tracked_versions_;
  message.eval = std::move(eval);
  const std::string id = child.id;
  message.job = std::make_shared<const model::Job>(std::move(child));
  auto written = co_await writer_.write(std::move(message));
  // The next leader makes up for it: the tables do not say that it was launched.
  if (!written) log_.warn("launching a periodic job failed", "job_id", id, "error", written.error());
}

}  // namespace drover::periodic
