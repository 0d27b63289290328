// Client requests that another node has to answer; owned here, implemented by the composition root. Loop only.
#pragma once

#include <optional>
#include <string>

#include "lib/http/message.h"
#include "sdk/async/asio.h"

namespace drover::agent {

class Elsewhere {
 public:
  virtual ~Elsewhere() = default;
  // For an allocation that is not on this node. Nothing: nobody has it, and the handlers here say so.
  [[nodiscard]] virtual Async<std::optional<http::Response>> ask_alloc(std::string alloc_id, const http::Request& request) = 0;
  // For a node that is not this one.
  [[nodiscard]] virtual Async<http::Response> ask_node(std::string node_id, const http::Request& request) = 0;
};

}  // namespace drover::agent
