// Streams of a file or of a task's log as frames or plain bytes, following by inotify (client.md 4.2). Loop only; file reads
// happen on the pool. A stream ends at the end of the file, when it was deleted, or by cancellation.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "agent/fs/alloc_files.h"
#include "sdk/async/asio.h"
#include "sdk/async/pool.h"

namespace drover::agent {

// Where bytes go; lib/http's response in practice. False: nobody listens any more.
class ByteSink {
 public:
  virtual ~ByteSink() = default;
  [[nodiscard]] virtual Async<bool> write(std::string_view bytes) = 0;
  [[nodiscard]] virtual Async<bool> flush() = 0;
};

struct StreamOptions {
  std::int64_t offset = 0;
  bool from_end = false;
  bool follow = false;
  bool plain = false;  // bytes instead of frames; no heartbeats
};

// {"Data":"<base64>","File":"...","FileEvent":"...","Offset":n} without the empty fields; {} is the heartbeat.
[[nodiscard]] std::string encode_frame(std::string_view file, std::int64_t offset, std::string_view data, std::string_view event);

// `name` is what frames say; `file` comes from AllocFiles::read().
[[nodiscard]] Async<> stream_file(Pool& pool, OpenedFile file, std::string name, StreamOptions options, ByteSink& sink);
// All rotated files of a task's stream in order.
[[nodiscard]] Async<> stream_logs(Pool& pool, std::shared_ptr<const AllocFiles> files, std::string task, std::string type,
                                  StreamOptions options, ByteSink& sink);

}  // namespace drover::agent
