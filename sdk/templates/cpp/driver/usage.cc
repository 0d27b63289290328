#include "usage.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "sdk/base/clock.h"
#include "sdk/base/file.h"
#include "sdk/base/text.h"

Meter::Use Meter::look() const {
  Use out{.at = std::chrono::steady_clock::now()};
  const double ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    const std::string name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    const std::string stat = drover::read_file("/proc/" + name + "/stat").value_or("");
    const auto end = stat.rfind(')');
    if (end == std::string::npos) continue;
    // The fields after the name: state, parent, group, session, ...
    const auto fields = drover::split(drover::trim(std::string_view(stat).substr(end + 1)), ' ');
    if (fields.size() < 22 || std::atoi(fields[3].c_str()) != session_) continue;
    out.user += std::atof(fields[11].c_str()) / ticks;
    out.system += std::atof(fields[12].c_str()) / ticks;
    out.memory += std::strtoull(fields[21].c_str(), nullptr, 10) * page;
  }
  return out;
}

drover::driver::TaskStats Meter::sample(const std::string& task_id) {
  const Use now = look();
  const double seconds = std::max(std::chrono::duration<double>(now.at - before_.at).count(), 0.001);
  drover::driver::TaskStats out{.id = task_id, .timestamp = drover::system_clock().unix_nanos()};
  auto& cpu = out.total.cpu;
  cpu.user_mode = std::max(now.user - before_.user, 0.0) / seconds * 100;
  cpu.system_mode = std::max(now.system - before_.system, 0.0) / seconds * 100;
  cpu.percent = cpu.user_mode + cpu.system_mode;
  cpu.measured = {"User Mode", "System Mode", "Percent"};
  out.total.memory.rss = out.total.memory.usage = now.memory;
  out.total.memory.measured = {"RSS", "Usage"};
  before_ = now;
  return out;
}
