// The items of the conformance suite as a list (plugin protocol 10): number, level, whom it is for, what it says. Pure.
//
// Numbers are part of the contract: they are what `--only`, `--skip`, reports and tests name, and are never used twice.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace drover::conformance {

enum class Level : std::uint8_t { required, should, informational };
// Whom an item is for; `task` is a driver with a runnable task configuration, `host` the agent's side (`agent conformance`).
enum class Subject : std::uint8_t { plugin, driver, task, device, host };

struct Item {
  int number = 0;
  Level level = Level::required;
  Subject subject = Subject::plugin;
  std::string_view group;
  std::string_view title;
  std::string_view read;  // where the rule is explained
};

// All of them, in order.
[[nodiscard]] const std::vector<Item>& all_items();
// Null when there is none of this number.
[[nodiscard]] const Item* find_item(int number);
// "R", "S" or "I"; "required", "recommended" or "information".
[[nodiscard]] char letter(Level level);
[[nodiscard]] std::string_view word(Level level);
[[nodiscard]] std::string_view word(Subject subject);

}  // namespace drover::conformance
