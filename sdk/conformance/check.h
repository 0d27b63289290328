// What an item found out: each expectation that did not hold, with what was seen instead, and remarks. Values and their making.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "sdk/conformance/items.h"

namespace drover::conformance {

struct Finding {
  Level level = Level::required;
  std::string expected;
  std::string seen;
};

enum class Verdict : std::uint8_t { passed, failed, warned, skipped };

struct ItemResult {
  int number = 0;
  Verdict verdict = Verdict::passed;
  std::vector<Finding> findings;
  std::vector<std::string> notes;
  std::string skipped;  // why
  double seconds = 0;
};

// What an item writes to while it runs.
class Check {
 public:
  explicit Check(Level level) : level_(level) {}

  // Returns `ok`. At the level of the item, or at the one that is named.
  bool expect(bool ok, std::string expected, std::string seen) { return at(level_, ok, std::move(expected), std::move(seen)); }
  bool should(bool ok, std::string expected, std::string seen) {
    return at(level_ == Level::informational ? level_ : Level::should, ok, std::move(expected), std::move(seen));
  }
  bool at(Level level, bool ok, std::string expected, std::string seen) {
    if (!ok) findings_.push_back({level, std::move(expected), std::move(seen)});
    return ok;
  }
  void note(std::string text) { notes_.push_back(std::move(text)); }
  // The item, or what is left of it, cannot be checked here.
  void skip(std::string why) { skipped_ = std::move(why); }

  [[nodiscard]] bool failed() const { return !findings_.empty(); }
  [[nodiscard]] Level level() const { return level_; }
  [[nodiscard]] ItemResult result(int number, double seconds) &&;

 private:
  Level level_;
  std::vector<Finding> findings_;
  std::vector<std::string> notes_;
  std::string skipped_;
};

}  // namespace drover::conformance
