#include "plugins/shared/ulimits.h"

#include <sys/resource.h>

#include <charconv>

#include "sdk/base/text.h"

namespace drover {
namespace {

const std::map<std::string, int, std::less<>> resources{
    {"as", RLIMIT_AS}, {"core", RLIMIT_CORE}, {"cpu", RLIMIT_CPU}, {"data", RLIMIT_DATA}, {"fsize", RLIMIT_FSIZE}, {"locks", RLIMIT_LOCKS},
    {"memlock", RLIMIT_MEMLOCK}, {"msgqueue", RLIMIT_MSGQUEUE}, {"nice", RLIMIT_NICE}, {"nofile", RLIMIT_NOFILE}, {"nproc", RLIMIT_NPROC},
    {"rss", RLIMIT_RSS}, {"rtprio", RLIMIT_RTPRIO}, {"rttime", RLIMIT_RTTIME}, {"sigpending", RLIMIT_SIGPENDING}, {"stack", RLIMIT_STACK}};

Result<std::uint64_t> parse_value(const std::string& name, std::string_view text) {
  text = trim(text);
  if (text == "unlimited" || text == "-1") return RLIM_INFINITY;
  std::uint64_t out = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), out);
  if (text.empty() || parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size()) {
    return fail(Code::invalid_argument, "ulimit {}: \"{}\" is not a number, nor \"unlimited\"", name, text);
  }
  return out;
}

}  // namespace

Result<std::vector<ResourceLimit>> parse_ulimits(const std::map<std::string, std::string>& limits) {
  std::vector<ResourceLimit> out;
  for (const auto& [name, value] : limits) {
    const auto resource = resources.find(to_lower(name));
    if (resource == resources.end()) return fail(Code::invalid_argument, "ulimit \"{}\" is not known: use a name such as \"nofile\"", name);
    const auto [soft_text, hard_text] = split_once(value, ':');
    const auto soft = parse_value(name, soft_text);
    if (!soft) return fail(soft.error());
    const auto hard = value.find(':') == std::string::npos ? soft : parse_value(name, hard_text);
    if (!hard) return fail(hard.error());
    if (*soft > *hard) return fail(Code::invalid_argument, "ulimit {}: the soft limit {} is above the hard limit {}", name, soft_text, hard_text);
    out.push_back({resource->second, *soft, *hard});
  }
  return out;
}

}  // namespace drover
