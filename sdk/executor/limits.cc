#include "sdk/executor/limits.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "sdk/base/file.h"
#include "sdk/base/text.h"

namespace drover {
namespace {

constexpr std::int64_t min_shares = 2, max_shares = 262144;
constexpr std::int64_t period_us = 100'000;

// Files hold numbers, lists of cores, or words; equal when they mean the same.
bool same_value(const LimitFile& wanted, std::string_view found) {
  found = trim(found);
  if (found == wanted.value) return true;
  return wanted.name == "cpuset.cpus" && parse_cpu_list(found) == parse_cpu_list(wanted.value);
}

Result<> write_limit(const std::string& cgroup, const LimitFile& file) {
  const std::string path = cgroup + "/" + file.name;
  const Fd fd(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (!fd) {
    const int error = errno;
    if (error == ENOENT) {
      return fail(Code::unavailable, "the kernel offers no \"{}\": enable its controller in cgroup.subtree_control of every parent", path);
    }
    return fail(errno_error(error, fmt::format("opening \"{}\"", path)));
  }
  if (::write(fd.get(), file.value.data(), file.value.size()) < 0) return fail_errno("writing {} to \"{}\"", file.value, path);
  char text[256];
  const ssize_t size = ::pread(fd.get(), text, sizeof text, 0);
  if (size < 0) return fail_errno("reading \"{}\"", path);
  const std::string_view found(text, static_cast<std::size_t>(size));
  if (same_value(file, found)) return {};
  return fail(Code::internal, "\"{}\" holds \"{}\" after \"{}\" was written to it", path, trim(found), file.value);
}

}  // namespace

int cpu_weight(std::int64_t shares) {
  if (shares <= min_shares) return 1;
  if (shares >= max_shares) return 10000;
  const double l = std::log2(static_cast<double>(shares));
  return static_cast<int>(std::ceil(std::pow(10.0, (l * l + 125 * l) / 612 - 7.0 / 34)));
}

std::int64_t scaled_shares(std::int64_t shares, double total) {
  shares = std::max(shares, min_shares);
  if (total < static_cast<double>(max_shares)) return shares;
  return std::max(min_shares, static_cast<std::int64_t>(static_cast<double>(shares) / total * static_cast<double>(max_shares)));
}

std::vector<LimitFile> limit_files(const driver::Resources& resources, const LimitOptions& options, unsigned host_cores) {
  std::vector<LimitFile> out;
  const auto& given = resources.linux_resources;
  if (!given.cpuset_cpus.empty()) out.push_back({"cpuset.cpus", given.cpuset_cpus});
  const std::int64_t shares = resources.cpu_shares > 0 ? resources.cpu_shares : given.cpu_shares;
  if (shares > 0) {
    const double total = given.percent_ticks > 0 ? static_cast<double>(shares) / given.percent_ticks : 0;
    out.push_back({"cpu.weight", std::to_string(cpu_weight(scaled_shares(shares, total)))});
  }
  if (options.cpu_hard_limit && given.percent_ticks > 0) {
    const double quota = given.percent_ticks * host_cores * static_cast<double>(period_us);
    out.push_back({"cpu.max", fmt::format("{} {}", std::max<std::int64_t>(1000, static_cast<std::int64_t>(quota)), period_us)});
  }
  if (resources.memory_mb > 0) {
    const std::int64_t soft = resources.memory_mb << 20;
    const bool oversubscribed = resources.memory_max_mb != 0;
    const std::int64_t hard = resources.memory_max_mb > 0 ? resources.memory_max_mb << 20 : soft;
    // The soft limits first: none of them may be above the hard one at any time.
    if (oversubscribed) out.push_back({"memory.low", std::to_string(soft)});
    if (options.memory_high_percent > 0 && resources.memory_max_mb >= 0) {
      out.push_back({"memory.high", std::to_string(hard / 100 * options.memory_high_percent / 4096 * 4096)});
    }
    out.push_back({"memory.max", resources.memory_max_mb < 0 ? "max" : std::to_string(hard)});
  }
  if (options.disable_swap) out.push_back({"memory.swap.max", "0"});
  if (options.memory_oom_group) out.push_back({"memory.oom.group", "1"});
  if (options.pids_limit > 0) out.push_back({"pids.max", std::to_string(options.pids_limit)});
  return out;
}

std::optional<std::set<unsigned>> parse_cpu_list(std::string_view text) {
  std::set<unsigned> out;
  text = trim(text);
  if (text.empty()) return out;
  for (const auto& part : split(text, ',')) {
    const auto [first_text, last_text] = split_once(part, '-');
    unsigned first = 0, last = 0;
    const auto whole = [](std::string_view word, unsigned& number) {
      const auto parsed = std::from_chars(word.data(), word.data() + word.size(), number);
      return parsed.ec == std::errc{} && parsed.ptr == word.data() + word.size() && number < 65536;
    };
    if (!whole(first_text, first)) return std::nullopt;
    last = first;
    if (part.find('-') != std::string::npos && (!whole(last_text, last) || last < first)) return std::nullopt;
    for (unsigned core = first; core <= last; ++core) out.insert(core);
  }
  return out;
}

std::string format_cpu_list(const std::set<unsigned>& cores) {
  std::string out;
  for (auto at = cores.begin(); at != cores.end();) {
    auto end = at;
    unsigned last = *at;
    while (++end != cores.end() && *end == last + 1) ++last;
    if (!out.empty()) out += ',';
    out += last == *at ? std::to_string(*at) : fmt::format("{}-{}", *at, last);
    at = end;
  }
  return out;
}

Result<> write_limits(const std::string& cgroup, const std::vector<LimitFile>& files) {
  for (const auto& file : files) DROVER_TRY(write_limit(cgroup, file));
  return {};
}

}  // namespace drover
