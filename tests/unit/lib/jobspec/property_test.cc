// What holds of every job: defaults applied twice change nothing more, what is printed reads as the same job, a job does not differ
// from itself. Over the recorded good job files, and over the job files of tests/seeds.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "lib/diff/diff.h"
#include "lib/jobspec/canonical.h"
#include "lib/jobspec/implied.h"
#include "lib/jobspec/parse.h"
#include "lib/jobspec/validate.h"
#include "lib/model/codec.h"
#include "sdk/base/text.h"
#include "tests/unit/source_dir.h"
#include "tests/unit/support/golden.h"
#include "tests/unit/support/random_value.h"

using namespace drover;
namespace fs = std::filesystem;

namespace {

const fs::path root = fs::path(source_dir()) / "tests";

model::Json parse(const fs::path& stem) {
  jobspec::ParseInput input;
  input.file_name = stem.filename().string() + ".nomad.hcl";
  input.source = golden::read(stem.string() + ".nomad.hcl");
  input.variables = golden::read(stem.string() + ".vars");
  input.strict = false;
  auto job = jobspec::parse(input);
  REQUIRE_MESSAGE(job, stem.string() << ": " << (job ? "" : job.error().message()));
  return std::move(*job);
}

std::vector<fs::path> job_files() {
  std::vector<fs::path> out = golden::stems(root / "golden/jobspec/good", ".nomad.hcl");
  for (auto& stem : golden::stems(root / "seeds", ".nomad.hcl")) out.push_back(std::move(stem));
  return out;
}

model::Job registered(model::Json job) {
  jobspec::canonicalize_api(job);
  auto out = jobspec::to_model(job);
  REQUIRE(out);
  jobspec::canonicalize_server(*out);
  jobspec::add_implied_constraints(*out);
  return std::move(*out);
}

std::string first_of(const std::vector<std::string>& errors) { return errors.empty() ? "" : std::string(trim(errors.front())); }

}  // namespace

TEST_CASE("jobspec: defaults applied twice change nothing more") {
  for (const fs::path& stem : job_files()) {
    INFO(stem.string());
    model::Json job = parse(stem);
    jobspec::canonicalize_api(job);
    const std::string once = job.dump();
    jobspec::canonicalize_api(job);
    CHECK(job.dump() == once);
    const model::Job stored = registered(job);
    model::Job again = stored;
    jobspec::canonicalize_server(again);
    jobspec::add_implied_constraints(again);
    CHECK(again == stored);
  }
}

TEST_CASE("jobspec: a job that is printed reads as the same job") {
  for (const fs::path& stem : job_files()) {
    INFO(stem.string());
    const model::Job stored = registered(parse(stem));
    auto read = jobspec::job_from_api_json(model::to_json(stored));
    REQUIRE(read);
    jobspec::add_implied_constraints(*read);
    CHECK(*read == stored);
  }
}

TEST_CASE("jobspec: a job does not differ from itself, and its absence differs in everything") {
  Rng rng(3);
  std::vector<model::Job> jobs;
  for (const fs::path& stem : job_files()) jobs.push_back(registered(parse(stem)));
  for (int i = 0; i < 50; i++) {
    jobs.push_back(random_value::make<model::Job>(rng));
    // Groups and tasks are told apart by their names.
    int number = 0;
    for (auto& group : jobs.back().task_groups) {
      group.name = fmt::format("g{}", number++);
      for (auto& task : group.tasks) task.name = fmt::format("t{}", number++);
    }
  }
  for (const model::Job& job : jobs) {
    const model::JobDiff same = diff::diff_jobs(&job, &job, true);
    CHECK(same.type == "None");
    CHECK(same.fields.empty());
    CHECK(same.objects.empty());
    const model::JobDiff added = diff::diff_jobs(nullptr, &job, true);
    CHECK(added.type == "Added");
    CHECK(added.task_groups.size() == job.task_groups.size());
    CHECK(diff::diff_jobs(&job, nullptr, true).fields.size() == added.fields.size());
  }
}

TEST_CASE("seeds: every job file of the seed documents is read; those that no server accepts are told why") {
  const auto refused = golden::read_json(root / "seeds/refused.json");
  std::size_t count = 0;
  for (const fs::path& stem : job_files()) {
    const std::string name = stem.filename().string();
    if (stem.parent_path().filename() != "seeds" && !name.starts_with("seed-")) continue;
    INFO(name);
    ++count;
    const auto verdict = jobspec::validate(registered(parse(stem)), {});
    CHECK(first_of(verdict.errors) == refused.value(name, ""));
  }
  CHECK(count >= 37);
}
