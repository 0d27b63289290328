// What is printed as a job file reads as the same job: over the recorded job files, and over random jobs made from the schema tables, so that
// every block and attribute there is has its turn.
#include <doctest/doctest.h>

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "lib/jobspec/parse.h"
#include "sdk/base/clock.h"
#include "tests/unit/lib/jobspec/hcl_printer.h"
#include "tests/unit/source_dir.h"
#include "tests/unit/support/golden.h"

using namespace drover;
using Json = nlohmann::ordered_json;

namespace {

model::Json parsed(const std::string& source, const std::string& variables = {}) {
  jobspec::ParseInput input;
  input.source = source;
  input.variables = variables;
  input.strict = false;
  auto job = jobspec::parse(input);
  REQUIRE_MESSAGE(job, source << "\n" << (job ? "" : job.error().message()));
  return std::move(*job);
}

// Without the order of names, which a printed object does not keep.
nlohmann::json unordered(const model::Json& job) { return nlohmann::json::parse(job.dump()); }

// A block of any content that its schema allows.
class Maker {
 public:
  explicit Maker(Rng& rng) : rng_(rng) {}

  Json block(const jobspec::Schema& schema, int depth) {
    Json out = Json::object();
    if (!schema.label_json.empty()) out[std::string(schema.label_json)] = schema.special == jobspec::Special::scaling_task ? "vertical_cpu" : name();
    for (const jobspec::Field& field : schema.fields) {
      if (field.json.empty() || field.json.starts_with('.') || field.json == schema.label_json) continue;
      if (field.hcl.empty() && schema.special != jobspec::Special::constraint && schema.special != jobspec::Special::affinity) continue;
      if (!field.required && rng_.below(depth < 2 ? 2 : 3) == 0) continue;
      out[std::string(field.json)] = value(field, depth);
      if (schema.special == jobspec::Special::scaling_group && field.hcl == "type") out[std::string(field.json)] = "horizontal";
    }
    return out;
  }

 private:
  Json value(const jobspec::Field& field, int depth) {
    using jobspec::Shape;
    switch (field.shape) {
      case Shape::text: return text();
      case Shape::boolean: return rng_.below(2) == 0;
      case Shape::int8: return static_cast<int>(rng_.below(200)) - 100;
      case Shape::uint8: case Shape::uint16: case Shape::uint32: case Shape::uint64: return rng_.below(200);
      case Shape::integer: case Shape::duration: return static_cast<std::int64_t>(rng_.below(1'000'000)) - 1000;
      case Shape::text_list: return Json::array({text(), text()});
      case Shape::uint16_list: return Json::array({rng_.below(65536)});
      case Shape::text_map: return Json{{name(), text()}};
      case Shape::text_list_map: return Json{{name(), Json::array({text()})}};
      case Shape::free_map: return Json{{name(), text()}, {name(), Json::array({1, 2.5, Json{{"a b", text()}}})}, {name(), rng_.below(9)}};
      case Shape::one: return block(*field.nested, depth + 1);
      case Shape::many: {
        Json out = Json::array();
        for (std::uint64_t i = rng_.below(3); i > 0; i--) out.push_back(block(*field.nested, depth + 1));
        return out;
      }
      case Shape::keyed: {
        Json out = Json::object();
        for (std::uint64_t i = rng_.below(3); i > 0; i--) {
          const std::string key = name();
          out[key] = block(*field.nested, depth + 1);
          out[key]["Name"] = key;
        }
        return out;
      }
    }
    return nullptr;
  }
  std::string name() { return fmt::format("n{}", rng_.below(1'000'000)); }
  std::string text() {
    static constexpr const char* parts[] = {"a", "Z", " ", "\"", "\\", "\n", "\t", "\x01", "/", "${node.class}", "$${x}", "%{if}", "é", "世", "😀", "$", "%", "{", "}", "#"};
    std::string out;
    for (std::uint64_t i = rng_.below(5); i > 0; i--) out += parts[rng_.below(std::size(parts))];
    return out;
  }

  Rng& rng_;
};

}  // namespace

TEST_CASE("jobspec: a job printed as a job file reads as the same job") {
  const auto root = std::filesystem::path(source_dir()) / "tests";
  std::size_t count = 0;
  for (const auto& folder : {root / "golden/jobspec/good", root / "seeds"}) {
    for (const auto& stem : golden::stems(folder, ".nomad.hcl")) {
      INFO(stem.string());
      const model::Json job = parsed(golden::read(stem.string() + ".nomad.hcl"), golden::read(stem.string() + ".vars"));
      const std::string printed = jobspec::print_job(job);
      CHECK(golden::differences(unordered(parsed(printed)), unordered(job)) == "");
      count++;
    }
  }
  CHECK(count > 150);
}

TEST_CASE("jobspec: a random job of every block and attribute reads as it was printed") {
  Rng rng(21);
  for (int round = 0; round < 60; round++) {
    INFO("round " << round);
    Json made = Maker(rng).block(jobspec::job_schema(), 0);
    // What the parser moves about is where it belongs after the first reading.
    const model::Json job = parsed(jobspec::print_job(made));
    const model::Json again = parsed(jobspec::print_job(job));
    CHECK(golden::differences(unordered(again), unordered(job)) == "");
  }
}
