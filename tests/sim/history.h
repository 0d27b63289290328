// What clients of a register saw, and whether one order of everything explains it (linearizability). Pure.
//
// An operation that got no answer may have happened at any time after it was asked for, or not at all.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace drover::sim {

struct Operation {
  enum class Kind : std::uint8_t { read, write, swap };
  static constexpr std::uint64_t never = ~std::uint64_t{0};
  Kind kind = Kind::read;
  std::string key;
  std::uint64_t value = 0;     // read: what came back; write, swap: what is stored
  std::uint64_t expected = 0;  // swap
  bool swapped = false;        // swap: what came back
  std::uint64_t asked = 0;
  std::uint64_t answered = never;
};

// Empty when some order explains the operations of every key, else a sentence. Registers begin at 0.
[[nodiscard]] std::string find_anomaly(const std::vector<Operation>& operations);

}  // namespace drover::sim
