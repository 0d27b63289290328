#include "sdk/base/log_tap.h"

#include <algorithm>

namespace drover {

LogTap::LogTap(std::shared_ptr<LogSink> log, LogLevel level)
    : log_(std::move(log)), lowest_(std::make_shared<std::atomic<LogLevel>>(level)), log_level_(level) {}

void LogTap::set_level(LogLevel level) {
  const std::lock_guard lock(mutex_);
  log_level_ = level;
  update_lowest();
}

void LogTap::write(const LogRecord& record) {
  const std::lock_guard lock(mutex_);
  if (record.level >= log_level_) log_->write(record);
  for (const Entry& entry : listeners_) {
    if (record.level >= entry.level) entry.listener(record);
  }
}

std::uint64_t LogTap::listen(LogLevel level, Listener listener) {
  const std::lock_guard lock(mutex_);
  listeners_.push_back({++last_id_, level, std::move(listener)});
  update_lowest();
  return last_id_;
}

void LogTap::stop(std::uint64_t id) {
  const std::lock_guard lock(mutex_);
  std::erase_if(listeners_, [&](const Entry& entry) { return entry.id == id; });
  update_lowest();
}

void LogTap::update_lowest() {
  LogLevel lowest = log_level_;
  for (const Entry& entry : listeners_) lowest = std::min(lowest, entry.level);
  lowest_->store(lowest);
}

}  // namespace drover
