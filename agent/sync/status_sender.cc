#include "agent/sync/status_sender.h"

namespace drover::agent {
namespace {
constexpr std::size_t batch_limit = 2'000;
constexpr std::chrono::milliseconds first_retry{250};
constexpr std::chrono::seconds longest_retry{15};
}  // namespace

StatusSender::StatusSender(Executor executor, wire::Caller& caller, std::string node_id, std::string secret_id, Current current, Logger log)
    : caller_(caller), node_id_(std::move(node_id)), secret_id_(std::move(secret_id)), current_(std::move(current)), log_(std::move(log)), changed_(executor) {}

void StatusSender::changed(const std::string& alloc_id) {
  waiting_.insert(alloc_id);
  changed_.notify_all();
}

void StatusSender::open() {
  open_ = true;
  changed_.notify_all();
}

Async<> StatusSender::run() {
  std::chrono::nanoseconds retry = first_retry;
  for (;;) {
    while (!open_ || waiting_.empty()) co_await changed_.wait();
    model::NodeUpdateAllocRequest request;
    request.node_id = node_id_;
    request.secret_id = secret_id_;
    std::set<std::string> batch;
    while (!waiting_.empty() && batch.size() < batch_limit) {
      const std::string id = *waiting_.begin();
      waiting_.erase(waiting_.begin());
      if (auto update = current_(id); update) {
        request.allocs.push_back(std::move(update));
        batch.insert(id);
      }
    }
    if (batch.empty()) continue;
    sending_ = true;
    auto sent = co_await caller_.call(wire::endpoints::node_update_alloc, std::move(request));
    sending_ = false;
    if (sent) {
      retry = first_retry;
      continue;
    }
    log_.warn("sending allocation states failed; they are kept and sent again", "error", sent.error());
    waiting_.merge(batch);
    co_await sleep_for(retry);
    retry = std::min<std::chrono::nanoseconds>(retry * 2, longest_retry);
  }
}

}  // namespace drover::agent
