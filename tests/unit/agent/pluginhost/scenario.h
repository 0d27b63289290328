// Runs a coroutine over a new node to its end, which it marks.
#pragma once

#include <doctest/doctest.h>

#include <boost/asio/io_context.hpp>
#include <csignal>

#include "sdk/async/scope.h"

namespace drover::testing {

template <class Node>
void run(Async<> (*scenario)(Node&, Executor, bool&)) {
  std::signal(SIGPIPE, SIG_IGN);  // as every agent does
  Node node;
  asio::io_context loop;
  Scope scope(loop.get_executor());
  bool finished = false;
  scope.spawn(scenario(node, loop.get_executor(), finished));
  loop.run();
  CHECK(finished);
}

}  // namespace drover::testing
