#include "sdk/base/log.h"

#include <unistd.h>

#include "sdk/base/clock.h"
#include "sdk/base/text.h"

namespace drover {

std::optional<LogLevel> parse_log_level(std::string_view name) {
  const std::string lower = to_lower(name);
  if (lower == "trace") return LogLevel::trace;
  if (lower == "debug") return LogLevel::debug;
  if (lower == "info") return LogLevel::info;
  if (lower == "warn" || lower == "warning") return LogLevel::warn;
  if (lower == "error" || lower == "err") return LogLevel::error;
  if (lower == "off") return LogLevel::off;
  return std::nullopt;
}

std::string_view to_string(LogLevel level) {
  switch (level) {
    case LogLevel::trace: return "trace";
    case LogLevel::debug: return "debug";
    case LogLevel::info: return "info";
    case LogLevel::warn: return "warn";
    case LogLevel::error: return "error";
    case LogLevel::off: return "off";
  }
  return "info";
}

namespace {
std::string_view padded(LogLevel level) {
  switch (level) {
    case LogLevel::trace: return "[TRACE]";
    case LogLevel::debug: return "[DEBUG]";
    case LogLevel::info: return "[INFO] ";
    case LogLevel::warn: return "[WARN] ";
    default: return "[ERROR]";
  }
}

std::string timestamp(std::int64_t unix_nanos, int digits) {
  const std::string whole = format_rfc3339(unix_nanos / 1'000'000'000 * 1'000'000'000);
  std::string fraction = fmt::format("{:09}", unix_nanos % 1'000'000'000);
  fraction.resize(static_cast<std::size_t>(digits));
  return fmt::format("{}.{}Z", std::string_view(whole).substr(0, whole.size() - 1), fraction);
}

bool plain(std::string_view text) {
  if (text.empty()) return false;
  for (const char c : text) {
    if (c == ' ' || c == '"' || c == '=' || c == '\\' || static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return false;
  }
  return true;
}

void append_json_string(std::string& out, std::string_view text) {
  out.push_back('"');
  for (const char c : text) {
    if (c == '"' || c == '\\') { out.push_back('\\'); out.push_back(c); }
    else if (c == '\n') out += "\\n";
    else if (c == '\t') out += "\\t";
    else if (c == '\r') out += "\\r";
    else if (static_cast<unsigned char>(c) < 0x20) out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    else out.push_back(c);
  }
  out.push_back('"');
}

void append_visible(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    else out.push_back(c);
  }
}
}  // namespace

std::string format_text(const LogRecord& record) {
  std::string out = fmt::format("{} {} ", timestamp(record.unix_nanos, 3), padded(record.level));
  if (!record.name.empty()) { out += record.name; out += ": "; }
  append_visible(out, record.message);
  if (!record.pairs.empty()) out.push_back(':');
  for (const auto& [key, value] : record.pairs) {
    out.push_back(' ');
    append_visible(out, key);
    out.push_back('=');
    out += plain(value) ? value : quote(value);
  }
  return out;
}

std::string format_json(const LogRecord& record) {
  std::string out = "{\"@level\":";
  append_json_string(out, to_string(record.level));
  out += ",\"@message\":";
  append_json_string(out, record.message);
  if (!record.name.empty()) {
    out += ",\"@module\":";
    append_json_string(out, record.name);
  }
  out += fmt::format(",\"@timestamp\":\"{}\"", timestamp(record.unix_nanos, 6));
  for (const auto& [key, value] : record.pairs) {
    out.push_back(',');
    append_json_string(out, key);
    out.push_back(':');
    append_json_string(out, value);
  }
  out.push_back('}');
  return out;
}

namespace {
class FdSink final : public LogSink {
 public:
  FdSink(int fd, bool json) : fd_(fd), json_(json) {}
  void write(const LogRecord& record) override {
    std::string line = json_ ? format_json(record) : format_text(record);
    line.push_back('\n');
    // A log line that cannot be written is dropped: logging never stops the work it tells about.
    [[maybe_unused]] const auto written = ::write(fd_, line.data(), line.size());
  }

 private:
  int fd_;
  bool json_;
};
}  // namespace

std::shared_ptr<LogSink> make_fd_sink(int fd, bool json) { return std::make_shared<FdSink>(fd, json); }

Logger Logger::named(std::string_view part) const {
  Logger out = *this;
  out.name_ = name_.empty() ? std::string(part) : fmt::format("{}.{}", name_, part);
  return out;
}

Logger Logger::with(std::string key, std::string value) const {
  Logger out = *this;
  out.pairs_.emplace_back(std::move(key), std::move(value));
  return out;
}

void Logger::write(LogLevel level, std::string_view message,
                   const std::vector<std::pair<std::string, std::string>>& pairs) const {
  if (!enabled(level)) return;
  sink_->write(LogRecord{system_clock().unix_nanos(), level, name_, message, pairs});
}

}  // namespace drover
