#include "server/api/alloc_resources.h"

#include <doctest/doctest.h>

using namespace drover;

TEST_CASE("alloc resources: what tasks were given is shown by task and in sum") {
  auto stored = std::make_shared<model::Allocation>();
  auto& given = stored->allocated_resources.ensure();
  given.shared.disk_mb = 300;
  given.tasks["a"].cpu.cpu_shares = 20;
  given.tasks["a"].memory.memory_mb = 16;
  given.tasks["b"].cpu.cpu_shares = 100;
  given.tasks["b"].memory.memory_mb = 64;
  given.tasks["b"].memory.memory_max_mb = 128;
  std::shared_ptr<const model::Allocation> shown = stored;
  api::show_resources(shown);
  REQUIRE(shown->resources);
  CHECK(shown->resources->cpu == 120);
  CHECK(shown->resources->memory_mb == 80);
  CHECK(shown->resources->memory_max_mb == 144);
  CHECK(shown->resources->disk_mb == 300);
  REQUIRE(shown->task_resources.contains("a"));
  CHECK(shown->task_resources.get("a")->memory_max_mb == 0);
  CHECK(shown->task_resources.get("b")->cpu == 100);
  CHECK_FALSE(stored->resources);
}

TEST_CASE("alloc resources: an allocation that was given none stays as it is") {
  const std::shared_ptr<const model::Allocation> stored = std::make_shared<model::Allocation>();
  std::shared_ptr<const model::Allocation> shown = stored;
  api::show_resources(shown);
  CHECK(shown == stored);
  std::shared_ptr<const model::Allocation> none;
  api::show_resources(none);
  CHECK(none == nullptr);
}
