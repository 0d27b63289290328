// The control socket: who may connect, and messages with descriptors in both directions.
//
// One SOCK_SEQPACKET datagram is one message. Every connection is told the state on connecting and at each change, so
// waiting for the end of a task is reading. A connection may start one exec session.
#pragma once

#include <cstdint>
#include <string_view>

#include "sdk/executor/syscalls.h"
#include "sdk/executor/wire.h"

namespace drover::executor {

inline constexpr std::size_t max_passed_fds = 4;

// Binds `control` in the state directory, mode 0600. The directory is named through its descriptor, so the length of its
// path does not matter.
Failure listen_in(int state_dir, Handle& listener);
// only root and the executor's own user. The connection is dropped otherwise.
Handle accept_trusted(int listener);

struct Received {
  char bytes[max_message_bytes];
  std::size_t size = 0;
  Handle fds[max_passed_fds];
  std::size_t fd_count = 0;
};
enum class Receive : std::uint8_t { message, nothing_now, closed };
Receive receive(int fd, Received& out);
// False when the peer is gone or does not read.
bool send_message(int fd, std::string_view bytes, int descriptor = -1);

}  // namespace drover::executor
