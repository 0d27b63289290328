// Recorded answers: where they are, how two documents differ, and how many cases of a topic agree.
//
// GOLDEN_DIR names another directory of the same layout (`make golden DIR=path`); a topic that is not in it is skipped.
// DROVER_GOLDEN_VERBOSE=1 prints every difference.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

namespace drover::golden {

// The folder of a topic. It may not exist in another directory.
[[nodiscard]] std::filesystem::path topic(const std::string& name);
[[nodiscard]] bool has(const std::string& name);

[[nodiscard]] std::string read(const std::filesystem::path& path);
[[nodiscard]] nlohmann::json read_json(const std::filesystem::path& path);
// Files of a folder with that end of the name, sorted, as paths without it.
[[nodiscard]] std::vector<std::filesystem::path> stems(const std::filesystem::path& folder, const std::string& end);

// Where two documents differ, one line each; empty when they agree. `<index>`, `<time>` and the like in `want` stand for what differs
// from run to run.
[[nodiscard]] std::string differences(const nlohmann::json& got, const nlohmann::json& want);

// Counts the cases of a topic and holds them against the ratchet tests/golden/<topic>/known_differences.txt, the list of those that do
// not agree, each with the reason. A case that starts to disagree fails the test, and so does a listed one that agrees.
class Tally {
 public:
  explicit Tally(std::string topic, std::string part = "");
  // Prints `<topic>: N of M agree`, the line that `make golden` shows.
  ~Tally();
  Tally(const Tally&) = delete;
  Tally& operator=(const Tally&) = delete;
  void report(const std::string& name, const std::string& difference);

 private:
  std::string title_;
  std::set<std::string> known_;
  int agreed_ = 0;
  int differed_ = 0;
};

}  // namespace drover::golden
