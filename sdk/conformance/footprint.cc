#include "sdk/conformance/footprint.h"

#include <filesystem>

#include "sdk/base/file.h"

namespace drover::conformance {
namespace {
using namespace std::chrono_literals;
constexpr int spare_descriptors = 8, spare_threads = 8;
constexpr long spare_kb = 8192;

long number_after(const std::string& text, const char* name) {
  const std::size_t at = text.find(name);
  return at == std::string::npos ? 0 : std::atol(text.c_str() + at + std::char_traits<char>::length(name));
}

std::string difference(const Footprint& before, const Footprint& now) {
  std::string out;
  if (now.descriptors > before.descriptors + spare_descriptors) out += fmt::format("descriptors from {} to {}; ", before.descriptors, now.descriptors);
  if (now.threads > before.threads + spare_threads) out += fmt::format("threads from {} to {}; ", before.threads, now.threads);
  if (now.resident_kb > before.resident_kb * 6 / 5 + spare_kb) out += fmt::format("memory from {} to {} KiB; ", before.resident_kb, now.resident_kb);
  if (!out.empty()) out.resize(out.size() - 2);
  return out;
}
}  // namespace

Footprint footprint_of(pid_t pid) {
  Footprint out;
  std::error_code error;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(fmt::format("/proc/{}/fd", pid), error)) ++out.descriptors;
  const std::string status = read_file(fmt::format("/proc/{}/status", pid)).value_or("");
  out.threads = static_cast<int>(number_after(status, "Threads:"));
  out.resident_kb = number_after(status, "VmRSS:");
  return out;
}

Async<std::string> grown_since(pid_t pid, Footprint before) {
  std::string out = difference(before, footprint_of(pid));
  for (int i = 0; i < 25 && !out.empty(); ++i) {
    co_await sleep_for(200ms);
    out = difference(before, footprint_of(pid));
  }
  co_return out;
}

}  // namespace drover::conformance
