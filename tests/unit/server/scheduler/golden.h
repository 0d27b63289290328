// Reads golden cases of the scheduler and replays them.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "lib/model/eval.h"
#include "tests/unit/server/scheduler/memory_view.h"

namespace drover::scheduler {

using Json = nlohmann::json;  // keys in order, so that equal documents have equal text

[[nodiscard]] std::string golden_path(const std::string& relative);
[[nodiscard]] std::string read_text(const std::string& path);

// The state a case starts from.
struct Case {
  Json document;
  MemoryView view;
  std::int64_t now = 0;
  std::shared_ptr<const model::Job> job;  // the current version, also when purged
  model::Evaluation evaluation;

  [[nodiscard]] const Json& input() const { return document.at("input"); }
  [[nodiscard]] const Json& output() const { return document.at("output"); }
  // A full allocation from a patch over the template.
  [[nodiscard]] model::Allocation allocation(const Json& patch) const;
};
[[nodiscard]] std::vector<Json> read_lines(const std::string& relative);
[[nodiscard]] std::unique_ptr<Case> make_case(const Json& document);

// Equal up to 1e-9 in numbers.
[[nodiscard]] bool same(const Json& a, const Json& b);

// Runs `judge` (our answer for a case; compared with `expected`) over files: all agree but those listed as exceptions.
struct Answers {
  Json ours;
  Json expected;
};
void replay(const std::string& topic, const std::vector<std::string>& files, const std::function<Answers(Case&)>& judge);

}  // namespace drover::scheduler
