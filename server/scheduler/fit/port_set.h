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
  void merge(const std::vector<std::int64_t>& sorted) {
    std::vector<std::int64_t> both;
    both.reserve(ports_.size() + sorted.size());
    std::ranges::set_union(ports_, sorted, std::back_inserter(both));
    ports_ = std::move(both);
  }

 private:
  std::vector<std::int64_t> ports_;
};

// "22,80,8000-8010" as a sorted list without repetitions.
[[nodiscard]] Result<std::vector<std::int64_t>> parse_port_ranges(std::string_view text);

}  // namespace drover::scheduler
