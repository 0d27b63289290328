// A sink that others may listen in on, each at a level of its own, while the log itself goes on as configured.
//
// Shared by the composition root, the loggers and whoever listens. Any thread may log; listeners run on the thread that logs and
// must be quick. Loggers are made with level(), so that what nobody wants is not even rendered.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "sdk/base/log.h"

namespace drover {

class LogTap final : public LogSink {
 public:
  using Listener = std::function<void(const LogRecord& record)>;

  LogTap(std::shared_ptr<LogSink> log, LogLevel level);
  // The lowest level that anybody wants.
  [[nodiscard]] const std::shared_ptr<std::atomic<LogLevel>>& level() const { return lowest_; }
  // Of the log itself.
  void set_level(LogLevel level);
  void write(const LogRecord& record) override;

  [[nodiscard]] std::uint64_t listen(LogLevel level, Listener listener);
  // Afterwards the listener is not called any more, by any thread.
  void stop(std::uint64_t id);

 private:
  struct Entry {
    std::uint64_t id;
    LogLevel level;
    Listener listener;
  };
  void update_lowest();

  std::shared_ptr<LogSink> log_;
  std::shared_ptr<std::atomic<LogLevel>> lowest_;
  std::mutex mutex_;
  LogLevel log_level_;
  std::vector<Entry> listeners_;
  std::uint64_t last_id_ = 0;
};

}  // namespace drover
