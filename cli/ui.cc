#include "cli/ui.h"

#include <spawn.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <ctime>
#include <iostream>
#include <nlohmann/json.hpp>

#include "lib/model/types.h"
#include "sdk/base/file.h"

namespace drover::cli {

void Ui::write(bool to_error, std::string_view text, bool newline) {
  std::string line(text);
  if (newline) line.push_back('\n');
  if (capture_ != nullptr) {
    (to_error ? capture_->err : capture_->out) += line;
    return;
  }
  // A reader that has gone is not this command's failure.
  [[maybe_unused]] const auto written = write_all(to_error ? STDERR_FILENO : STDOUT_FILENO, line);
}

bool Ui::shows_excerpts() const { return !is_nomad() || ::isatty(STDERR_FILENO) == 1; }

std::string Ui::ask(std::string_view question) {
  out_raw(question);
  std::string answer;
  std::getline(std::cin, answer);
  return answer;
}

Result<> Ui::open_browser(const std::string& url) {
  if (capture_ != nullptr) return {};
  std::string program = "xdg-open", address = url;
  char* arguments[] = {program.data(), address.data(), nullptr};
  pid_t pid = 0;
  if (const int error = ::posix_spawnp(&pid, program.c_str(), nullptr, nullptr, arguments, environ); error != 0) {
    return fail(Code::unavailable, "starting \"xdg-open\": {}; open {} yourself", std::strerror(error), url);
  }
  return {};
}

std::string Ui::heading(std::string_view text) const {
  return color_ ? fmt::format("\033[1m{}\033[0m", text) : std::string(text);
}

namespace {
// Display width: code points, since the columns hold names and texts of users.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}
}  // namespace

std::string format_table(const std::vector<std::vector<std::string>>& rows, bool keep_empty) {
  std::vector<std::size_t> widths;
  const auto cell = [&](const std::string& text) -> std::string { return text.empty() && !keep_empty ? "<none>" : text; };
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(cell(row[i])));
  }
  std::string out;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string text = cell(row[i]);
      line += text;
      if (i + 1 < row.size()) line.append(widths[i] - width_of(text) + 2, ' ');
    }
    while (!line.empty() && line.back() == ' ') line.pop_back();
    if (!out.empty()) out.push_back('\n');
    out += line;
  }
  return out;
}

std::string format_pairs(const std::vector<std::pair<std::string, std::string>>& pairs) {
  std::size_t width = 0;
  for (const auto& [key, value] : pairs) width = std::max(width, width_of(key));
  std::string out;
  for (const auto& [key, value] : pairs) {
    if (!out.empty()) out.push_back('\n');
    out += fmt::format("{}{} = {}", key, std::string(width - width_of(key), ' '), value.empty() ? "<none>" : value);
  }
  return out;
}

std::string short_id(std::string_view id, bool verbose) { return std::string(verbose ? id : id.substr(0, 8)); }

std::string format_time(std::int64_t unix_nanos) {
  if (unix_nanos == 0) return "";
  const std::time_t at = unix_nanos / 1'000'000'000;
  std::tm parts{};
  ::localtime_r(&at, &parts);
  std::string out = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday,
                                parts.tm_hour, parts.tm_min, parts.tm_sec);
  const long minutes = parts.tm_gmtoff / 60;
  if (minutes == 0) return out + "Z";
  return out + fmt::format("{}{:02}:{:02}", minutes < 0 ? '-' : '+', std::abs(minutes) / 60, std::abs(minutes) % 60);
}

std::string relative_time(std::int64_t unix_nanos, std::int64_t now_unix_nanos) {
  if (unix_nanos == 0) return "";
  std::int64_t seconds = (now_unix_nanos - unix_nanos) / 1'000'000'000;
  const std::string suffix = seconds < 0 ? " from now" : " ago";
  seconds = std::abs(seconds);
  struct Unit {
    const char* name;
    std::int64_t seconds;
  };
  constexpr Unit units[] = {{"y", 31'104'000}, {"mo", 2'592'000}, {"d", 86'400}, {"h", 3'600}, {"m", 60}, {"s", 1}};
  for (std::size_t i = 0; i < std::size(units); ++i) {
    const std::int64_t count = seconds / units[i].seconds;
    if (count == 0) continue;
    std::string out = fmt::format("{}{}", count, units[i].name);
    if (i + 1 < std::size(units)) {
      const std::int64_t next = seconds % units[i].seconds / units[i + 1].seconds;
      if (next != 0) out += fmt::format("{}{}", next, units[i + 1].name);
    }
    return out + suffix;
  }
  return "0s" + suffix;
}

std::string format_bytes(std::uint64_t bytes) {
  constexpr const char* units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < std::size(units)) {
    value /= 1024;
    ++unit;
  }
  if (unit == 0) return fmt::format("{} B", bytes);
  return value < 10 ? fmt::format("{:.1f} {}", value, units[unit]) : fmt::format("{:.0f} {}", value, units[unit]);
}

std::string pretty_json(std::string_view json) {
  const auto parsed = model::Json::parse(json, nullptr, false);
  if (parsed.is_discarded()) return std::string(json);
  return parsed.dump(4, ' ', false, model::Json::error_handler_t::replace);
}

}  // namespace drover::cli
