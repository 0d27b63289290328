// Structured logging in the shape of go-hclog, which is the interface to plugins and users:
//   2026-08-21T10:00:00.000Z [WARN]  agent.task: task exited: task=web exit_code=1
// or one JSON object a line (@level, @message, @module, @timestamp and the pairs).
//
// Loggers are values that share a sink; they are named and passed in, never global. Any thread may log.
// `log.warn("task exited", "task", name, "exit_code", code)`: a fixed message, then keys and values.
#pragma once

#include <fmt/core.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sdk/base/error.h"

namespace drover {

enum class LogLevel : std::uint8_t { trace, debug, info, warn, error, off };

[[nodiscard]] std::optional<LogLevel> parse_log_level(std::string_view name);
[[nodiscard]] std::string_view to_string(LogLevel level);

struct LogRecord {
  std::int64_t unix_nanos = 0;
  LogLevel level = LogLevel::info;
  std::string_view name;
  std::string_view message;
  const std::vector<std::pair<std::string, std::string>>& pairs;
};

// Renders one record without the newline. Text escapes control characters (P-22: a plugin cannot forge lines).
[[nodiscard]] std::string format_text(const LogRecord& record);
[[nodiscard]] std::string format_json(const LogRecord& record);

// Where records go. Implementations are called under no lock and must be thread-safe.
class LogSink {
 public:
  virtual ~LogSink() = default;
  virtual void write(const LogRecord& record) = 0;
};

// Whole lines to a descriptor by one write(2) each.
[[nodiscard]] std::shared_ptr<LogSink> make_fd_sink(int fd, bool json);

class Logger {
 public:
  // Discards everything.
  Logger() = default;
  Logger(std::string name, std::shared_ptr<LogSink> sink, std::shared_ptr<std::atomic<LogLevel>> level)
      : name_(std::move(name)), sink_(std::move(sink)), level_(std::move(level)) {}
  Logger(std::string name, std::shared_ptr<LogSink> sink, LogLevel level)
      : Logger(std::move(name), std::move(sink), std::make_shared<std::atomic<LogLevel>>(level)) {}

  // "agent" named "task" is "agent.task".
  [[nodiscard]] Logger named(std::string_view part) const;
  // The same logger with pairs that every record carries.
  [[nodiscard]] Logger with(std::string key, std::string value) const;
  [[nodiscard]] bool enabled(LogLevel level) const { return sink_ && level >= level_->load(std::memory_order_relaxed); }
  void set_level(LogLevel level) const { if (level_) level_->store(level); }

  template <class... KV> void trace(std::string_view m, KV&&... kv) const { log(LogLevel::trace, m, std::forward<KV>(kv)...); }
  template <class... KV> void debug(std::string_view m, KV&&... kv) const { log(LogLevel::debug, m, std::forward<KV>(kv)...); }
  template <class... KV> void info(std::string_view m, KV&&... kv) const { log(LogLevel::info, m, std::forward<KV>(kv)...); }
  template <class... KV> void warn(std::string_view m, KV&&... kv) const { log(LogLevel::warn, m, std::forward<KV>(kv)...); }
  template <class... KV> void error(std::string_view m, KV&&... kv) const { log(LogLevel::error, m, std::forward<KV>(kv)...); }

  template <class... KV>
  void log(LogLevel level, std::string_view message, KV&&... kv) const {
    static_assert(sizeof...(KV) % 2 == 0, "keys and values come in pairs");
    if (!enabled(level)) return;
    auto pairs = pairs_;
    pairs.reserve(pairs.size() + sizeof...(KV) / 2);
    collect(pairs, std::forward<KV>(kv)...);
    write(level, message, pairs);
  }
  void write(LogLevel level, std::string_view message, const std::vector<std::pair<std::string, std::string>>& pairs) const;

 private:
  static void collect(std::vector<std::pair<std::string, std::string>>&) {}
  template <class V, class... Rest>
  static void collect(std::vector<std::pair<std::string, std::string>>& out, std::string_view key, const V& value, Rest&&... rest) {
    if constexpr (std::is_same_v<V, Error>) out.emplace_back(key, value.message());
    else out.emplace_back(key, fmt::format("{}", value));
    collect(out, std::forward<Rest>(rest)...);
  }

  std::string name_;
  std::shared_ptr<LogSink> sink_;
  std::shared_ptr<std::atomic<LogLevel>> level_;
  std::vector<std::pair<std::string, std::string>> pairs_;
};

}  // namespace drover
