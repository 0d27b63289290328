#include "agent/pluginhost/plugin_log.h"

#include <algorithm>

namespace drover::pluginhost {
namespace {
constexpr double burst = 5000, per_second = 1000;
constexpr std::size_t most_lines = 1000;
constexpr std::size_t most_bytes = 256 << 10;
}  // namespace

bool LineRate::pass(UnixNanos now, std::uint64_t& dropped) {
  if (last_ != 0 && now > last_) tokens_ = std::min(burst, tokens_ + static_cast<double>(now - last_) * per_second / 1e9);
  last_ = now;
  if (tokens_ < 1) {
    ++dropped_;
    return false;
  }
  tokens_ -= 1;
  dropped = dropped_;
  dropped_ = 0;
  return true;
}

void PluginLogRing::add(std::string line) {
  bytes_ += line.size();
  lines_.push_back(std::move(line));
  ++newest_;
  while (lines_.size() > most_lines || (bytes_ > most_bytes && lines_.size() > 1)) {
    bytes_ -= lines_.front().size();
    lines_.pop_front();
  }
  changed_.notify_all();
}

std::string PluginLogRing::read_after(std::uint64_t& after) const {
  std::string out;
  const std::uint64_t first = newest_ - lines_.size();  // number of the line before the first kept
  for (std::uint64_t at = std::max(after, first); at < newest_; ++at) out.append(lines_[at - first]).append("\n");
  after = newest_;
  return out;
}

}  // namespace drover::pluginhost
