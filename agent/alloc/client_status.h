// The client's status of an allocation from its tasks' states (client contract 3.3), and the update that tells the servers.
#pragma once

#include <string>

#include "lib/model/alloc.h"

namespace drover::agent {

struct ClientStatus {
  std::string status;
  std::string description;
};

[[nodiscard]] ClientStatus client_status(const model::Map<model::TaskState>& tasks);
[[nodiscard]] bool is_terminal_client_status(std::string_view status);

}  // namespace drover::agent
