// Tells the servers how allocations fare: what changed is sent at once when nothing is under way, else in one batch right
// after. A failed batch is put back and tried again. Loop only.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>

#include "lib/model/alloc.h"
#include "lib/wire/caller.h"
#include "sdk/async/event.h"
#include "sdk/base/log.h"

namespace drover::agent {

class StatusSender {
 public:
  // `current` gives an allocation's newest update, null when it is gone.
  using Current = std::function<std::shared_ptr<const model::Allocation>(const std::string& alloc_id)>;
  StatusSender(Executor executor, wire::Caller& caller, std::string node_id, std::string secret_id, Current current, Logger log);

  void changed(const std::string& alloc_id);
  // Until the first answer of the servers nothing is sent.
  void open();
  [[nodiscard]] Async<> run();
  // True when nothing waits to be sent.
  [[nodiscard]] bool idle() const { return waiting_.empty() && !sending_; }

 private:
  wire::Caller& caller_;
  std::string node_id_, secret_id_;
  Current current_;
  Logger log_;
  Condition changed_;
  std::set<std::string> waiting_;
  bool open_ = false;
  bool sending_ = false;
};

}  // namespace drover::agent
