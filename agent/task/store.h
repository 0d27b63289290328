// What the client must not forget, as keys and values; owned by its users, implemented by agent/state (and in memory for -dev).
//
//   node/...                     identity and registration          plugins/reattach           re-attach information of plugins
//   alloc/<id>                   model::Allocation, MessagePack     task/<alloc>/<task>        TaskRecord
//   state/<alloc>/<task>         model::TaskState, MessagePack
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sdk/async/asio.h"
#include "sdk/base/error.h"

namespace drover::agent {

struct StoreWrite {
  std::string key;
  std::optional<std::string> value;  // empty: the key is removed
};

class ClientStore {
 public:
  virtual ~ClientStore() = default;
  // All or nothing, on disk when it returns. Commits under way at the same time may share one.
  [[nodiscard]] virtual Async<Result<>> commit(std::vector<StoreWrite> writes) = 0;
  // Everything whose key starts with `prefix`.
  [[nodiscard]] virtual Result<std::map<std::string, std::string>> load(const std::string& prefix) = 0;
};

class MemoryStore final : public ClientStore {
 public:
  [[nodiscard]] Async<Result<>> commit(std::vector<StoreWrite> writes) override;
  [[nodiscard]] Result<std::map<std::string, std::string>> load(const std::string& prefix) override;

 private:
  std::map<std::string, std::string> values_;
};

}  // namespace drover::agent
