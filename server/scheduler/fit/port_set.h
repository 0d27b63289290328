// A small set of port numbers: sorted, because a node rarely holds more than a few dozen.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <vector>

#include "sdk/base/error.h"

namespace drover::scheduler {

class PortSet {
 public:
  [[nodiscard]] bool contains(std::int64_t port) const { return std::ranges::binary_search(ports_, port); }
  // False when it was there already.
  bool insert(std::int64_t port) {
    const auto at = std::ranges::lower_bound(ports_, port);
    if (at != ports_.end() && *at == port) return false;
    ports_.insert(at, port);
    return true;
  }
  void merge(std::vector<std::int64_t> more) {
    std::ranges::sort(more);
    const auto [from, to] = std::ranges::unique(more);
    more.erase(from, to);
    std::vector<std::int64_t> both;
    both.reserve(ports_.size() + more.size());
    std::ranges::set_union(ports_, more, std::back_inserter(both));
    ports_ = std::move(both);
  }

 private:
  std::vector<std::int64_t> ports_;
};

// "22,80,8000-8010": every port in the order given.
[[nodiscard]] Result<std::vector<std::int64_t>> parse_port_ranges(std::string_view text);

}  // namespace drover::scheduler
