#include "lib/jobspec/reference.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <set>

#include "lib/jobspec/schema.h"
#include "sdk/base/file.h"
#include "sdk/base/text.h"
#include "tests/unit/source_dir.h"
#include "tests/unit/support/golden.h"

using namespace drover;

TEST_CASE("reference: docs/reference/jobspec.md is what the parser's tables say") {
  const std::string path = source_dir() + "/docs/reference/jobspec.md";
  const std::string page = jobspec::reference_page();
  if (std::getenv("ACCEPT") != nullptr) REQUIRE(write_file(path, page));
  CHECK_MESSAGE(golden::read(path) == page, "run this test with ACCEPT=1 and review the difference");
}

namespace {

const jobspec::Schema* at(const std::string& path) {
  const jobspec::Schema* schema = &jobspec::job_schema();
  for (const std::string& name : split(path.substr(std::string("job").size()), '.')) {
    if (name.empty()) continue;
    const jobspec::Field* field = schema->find(name);
    if (field == nullptr || field->nested == nullptr) return nullptr;
    schema = field->nested;
  }
  return schema;
}

bool takes(const jobspec::Schema& schema, const std::string& name) {
  const bool short_form = schema.special == jobspec::Special::constraint || schema.special == jobspec::Special::affinity;
  if (short_form) return std::ranges::find(jobspec::shorthand_names(schema.special), name) != jobspec::shorthand_names(schema.special).end();
  const jobspec::Field* field = schema.find(name.starts_with('[') ? name.substr(1, name.size() - 2) : name);
  return field != nullptr && field->nested == nullptr && jobspec::may_be_block(*field) == name.starts_with('[');
}

struct Counted {
  std::set<const jobspec::Schema*> schemas;
  std::set<std::string> blocks;
  std::size_t attributes = 0;

  void walk(const jobspec::Schema& schema) {
    if (!schemas.insert(&schema).second) return;
    for (const jobspec::Field& field : schema.fields) {
      if (field.hcl.empty()) continue;
      if (jobspec::may_be_block(field)) blocks.emplace(field.hcl);
      if (jobspec::may_be_attribute(field)) ++attributes;
      if (field.nested != nullptr) walk(*field.nested);
    }
  }
};

}  // namespace

TEST_CASE("reference: every block and attribute of the contract is in the parser's tables") {
  for (const std::string& line : split(golden::read(source_dir() + "/tests/unit/lib/jobspec/contract.txt"), '\n')) {
    if (line.empty() || line.starts_with('#')) continue;
    CAPTURE(line);
    const auto [path, names] = split_once(line, ':');
    const jobspec::Schema* schema = at(std::string(path));
    REQUIRE(schema != nullptr);
    for (const std::string& name : split(names, ' ')) {
      CAPTURE(name);
      if (!name.empty()) CHECK(takes(*schema, name));
    }
  }
}

TEST_CASE("reference: the tables hold no fewer blocks and attributes than the contract counts") {
  Counted counted;
  counted.walk(jobspec::job_schema());
  // With job, variable, variables, locals, validation, dynamic and content: 87.
  CHECK(counted.blocks.size() == 80);
  // The contract counts 71 and 288: there scaling is one block, here groups and tasks have one each.
  CHECK(counted.schemas.size() == 72);
  CHECK(counted.attributes == 290);
  const std::size_t long_forms = 3 + 4;
  CHECK(jobspec::shorthand_names(jobspec::Special::constraint).size() + jobspec::shorthand_names(jobspec::Special::affinity).size() - long_forms == 16);
  const std::string page = jobspec::reference_page();
  for (const std::string& name : counted.blocks) {
    CAPTURE(name);
    CHECK(page.find("`" + name + "`") != std::string::npos);
  }
  for (const char* top : {"job", "variable", "variables", "locals", "validation", "dynamic", "content"}) CHECK(page.find("\n## " + std::string(top) + "\n") != std::string::npos);
}

TEST_CASE("reference: every block of a job file has its section") {
  const std::string page = jobspec::reference_page();
  for (const char* block : {"job", "group", "task", "service", "check", "template", "constraint", "network", "volume", "identity", "connect", "ui", "periodic"}) {
    CAPTURE(block);
    CHECK(page.find("\n## " + std::string(block) + "\n") != std::string::npos);
  }
}
