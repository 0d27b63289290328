#include "lib/jobspec/reference.h"

#include <doctest/doctest.h>

#include <cstdlib>

#include "sdk/base/file.h"
#include "tests/unit/support/golden.h"

using namespace drover;

TEST_CASE("reference: docs/reference/jobspec.md is what the parser's tables say") {
  const std::string path = std::string(DROVER_SOURCE_DIR) + "/docs/reference/jobspec.md";
  const std::string page = jobspec::reference_page();
  if (std::getenv("ACCEPT") != nullptr) REQUIRE(write_file(path, page));
  CHECK_MESSAGE(golden::read(path) == page, "run this test with ACCEPT=1 and review the difference");
}

TEST_CASE("reference: every block of a job file has its section") {
  const std::string page = jobspec::reference_page();
  for (const char* block : {"job", "group", "task", "service", "check", "template", "constraint", "network", "volume", "identity", "connect", "ui", "periodic"}) {
    CAPTURE(block);
    CHECK(page.find("\n## " + std::string(block) + "\n") != std::string::npos);
  }
}
